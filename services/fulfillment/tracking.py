"""Tracking numbers: three letters of the carrier, eleven digits of our sequence, and a Luhn check digit over the digits."""

import re

from stdnum import luhn

SEQUENCE_DIGITS = 11
_SHAPE = re.compile(r"[A-Z0-9]{3}[0-9]{12}")


def tracking_number(carrier: str, sequence: int) -> str:
    """The number of the carrier's next parcel, e.g. "OMS000000000018": unique because `sequence` is."""
    prefix = re.sub(r"[^A-Z0-9]", "", carrier.upper())[:3].ljust(3, "X")
    digits = f"{sequence:0{SEQUENCE_DIGITS}d}"
    return f"{prefix}{digits}{luhn.calc_check_digit(digits)}"


def is_tracking_number(text: str) -> bool:
    """Whether shape and check digit are right: false for every single wrong digit and nearly every swapped pair."""
    return bool(_SHAPE.fullmatch(text)) and luhn.is_valid(text[3:])
