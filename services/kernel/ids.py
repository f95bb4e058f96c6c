"""Identities: sortable ids for programs and short numbers for people."""

import secrets
import threading
import time
from collections.abc import Callable
from uuid import UUID

_RANDOM_BITS = 74


class Uuid7Sequence:
    """Version 7 UUIDs (RFC 9562) that rise strictly, whatever the clock does; safe for threads.

    Within one millisecond, or when the clock steps back, the random part counts on from the last by a random stride.
    """

    def __init__(self, nanoseconds: Callable[[], int] = time.time_ns, last_random: int = 0) -> None:
        """`nanoseconds` since 1970 tells the time."""
        self._nanoseconds = nanoseconds
        self._milliseconds = 0
        self._random = last_random
        self._lock = threading.Lock()

    def next(self) -> UUID:
        """The next UUID, greater than every one before it."""
        with self._lock:
            now = self._nanoseconds() // 1_000_000
            if now > self._milliseconds:
                self._start(now)
            else:
                self._random += 1 + secrets.randbits(32)
                if self._random >> _RANDOM_BITS:
                    self._start(self._milliseconds + 1)
            high, low = self._random >> 62, self._random & ((1 << 62) - 1)
            return UUID(int=(self._milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)

    def _start(self, milliseconds: int) -> None:
        # the top bit stays free, so that counting on has room before it overflows
        self._milliseconds, self._random = milliseconds, secrets.randbits(_RANDOM_BITS - 1)


uuid7 = Uuid7Sequence().next
"""A version 7 UUID, greater than every one that this process made before."""


def new_id(kind: str) -> str:
    """A new identity that says of what it is: `new_id("ord")` gives "ord_" and 32 hex digits, sorted by age."""
    if not (kind.isascii() and kind.isalpha() and kind.islower()):
        raise ValueError(f"the kind of an id is a short lower-case word, not {kind!r}")
    return f"{kind}_{uuid7().hex}"


def sales_order_number(sequence: int) -> str:
    """1001 → "SO-1001"."""
    return f"SO-{sequence}"


def shipment_number(sequence: int) -> str:
    """1001 → "SH-1001"."""
    return f"SH-{sequence}"


def shipment_sequence(number: str) -> int | None:
    """The 1001 of "SH-1001"; None for what is no shipment's number."""
    digits = number.removeprefix("SH-")
    is_number = digits != number and digits.isascii() and digits.isdigit() and len(digits) <= 18 and digits[0] != "0"
    return int(digits) if is_number else None


def support_case_number(sequence: int) -> str:
    """1001 → "CASE-1001"."""
    return f"CASE-{sequence}"


def invoice_number(sequence: int) -> str:
    """1 → "INV-000001"; gapless, so it counts from one."""
    return f"INV-{sequence:06d}"


FIRST_CREDIT_NOTE = 1001


def credit_note_number(sequence: int) -> str:
    """1001 → "CN-1001"; gapless, from FIRST_CREDIT_NOTE."""
    return f"CN-{sequence}"


FIRST_DEPOSIT_INVOICE = 1001
"""Of the two series of deposit invoices and of credit notes of them."""


def deposit_invoice_number(sequence: int) -> str:
    """1001 → "DI-1001"; gapless, from FIRST_DEPOSIT_INVOICE."""
    return f"DI-{sequence}"


def deposit_credit_note_number(sequence: int) -> str:
    """1001 → "DC-1001"; gapless in a series of its own, from FIRST_DEPOSIT_INVOICE."""
    return f"DC-{sequence}"
