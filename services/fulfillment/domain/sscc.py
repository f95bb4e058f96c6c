"""Serial shipping container codes: what names a package to everybody who scans it (GS1 General Specifications, AI 00)."""

from services.kernel.errors import Refused

LENGTH = 18
DEMONSTRATION_PREFIX = "9521321"
"""A company prefix that GS1 keeps for examples: it is nobody's."""


def check_digit(digits: str) -> str:
    """The GS1 check digit: digits count three times and once in turn from the right, and it fills up to the next ten."""
    weighed = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits)))
    return str(-weighed % 10)


def sscc(company_prefix: str, sequence: int) -> str:
    """The code of the company's next package: extension digit, company prefix, serial reference, check digit.

    Unique because `sequence` is: once serials of one extension digit are used up the next digit begins. Refuses SSCC_USED_UP after 9.
    """
    room = LENGTH - 2 - len(company_prefix)
    extension, serial = divmod(sequence, 10**room)
    if extension > 9:
        raise Refused(
            "SSCC_USED_UP",
            f"the GS1 company prefix {company_prefix} has no serial left for another package: set a new one",
        )
    digits = f"{extension}{company_prefix}{serial:0{room}d}"
    return digits + check_digit(digits)


def is_sscc(text: str) -> bool:
    """Whether length and check digit are right."""
    is_number = text.isascii() and text.isdigit() and len(text) == LENGTH
    return is_number and check_digit(text[:-1]) == text[-1]


def scanned_number(text: str) -> str:
    """A package's number as its label is read or typed: blanks gone, and of an SSCC the application identifier and the scanner's prefix.

    What is no SSCC is a carrier's number, in capitals.
    """
    plain = "".join(text.split()).upper()
    digits = plain.removeprefix("]C1").removeprefix("(00)")
    return next((one for one in (digits, digits.removeprefix("00")) if is_sscc(one)), plain)
