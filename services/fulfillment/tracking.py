"""Tracking numbers: the carrier's own, and those of the embedded mode, which ships nothing: three letters of the carrier, eleven digits of
our sequence, and a Luhn check digit over the digits.
"""

import re

from stdnum import luhn

from services.kernel.errors import InvalidArgument

SEQUENCE_DIGITS = 11
LONGEST = 40
_ANY_SHAPE = re.compile(rf"[A-Z0-9][A-Z0-9._/-]{{3,{LONGEST - 1}}}")
_SHAPE = re.compile(r"[A-Z0-9]{3}[0-9]{12}")


def tracking_number(carrier: str, sequence: int) -> str:
    """The number of the carrier's next parcel, e.g. "OMS000000000018": unique because `sequence` is."""
    prefix = re.sub(r"[^A-Z0-9]", "", carrier.upper())[:3].ljust(3, "X")
    digits = f"{sequence:0{SEQUENCE_DIGITS}d}"
    return f"{prefix}{digits}{luhn.calc_check_digit(digits)}"


def is_tracking_number(text: str) -> bool:
    """Whether shape and check digit are right: false for every single wrong digit and nearly every swapped pair."""
    return bool(_SHAPE.fullmatch(text)) and luhn.is_valid(text[3:])


def is_misread(text: str) -> bool:
    """Whether it looks like a number of ours and its check digit is wrong; a carrier's own may look so, too: look for that first."""
    return bool(_SHAPE.fullmatch(text)) and not luhn.is_valid(text[3:])


def carriers_number(text: str) -> str:
    """A carrier's number as it is kept: in capitals, without the blanks that labels print. InvalidArgument TRACKING_NUMBER_MISREAD."""
    number = "".join(text.split()).upper()
    if not _ANY_SHAPE.fullmatch(number):
        raise InvalidArgument(
            "TRACKING_NUMBER_MISREAD",
            f"{text[:LONGEST]} is no tracking number: it has 4 to {LONGEST} letters and digits, as on the carrier's label",
        )
    return number
