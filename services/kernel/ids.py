"""Identities: sortable ids for programs and short numbers for people."""

import secrets
import threading
import time
from uuid import UUID

_RANDOM_BITS = 74
_lock = threading.Lock()
_last_milliseconds = 0
_last_random = 0


def uuid7() -> UUID:
    """A version 7 UUID (RFC 9562): ordered by time, and strictly rising within this process.

    Within one millisecond, or when the clock steps back, the random part counts on from the last by a random stride.
    """
    global _last_milliseconds, _last_random
    with _lock:
        milliseconds = time.time_ns() // 1_000_000
        if milliseconds > _last_milliseconds:
            # the top bit stays free, so that counting on has room before it would overflow
            _last_milliseconds, _last_random = milliseconds, secrets.randbits(_RANDOM_BITS - 1)
        else:
            _last_random += 1 + secrets.randbits(32)
            if _last_random >> _RANDOM_BITS:
                _last_milliseconds, _last_random = _last_milliseconds + 1, secrets.randbits(_RANDOM_BITS - 1)
        return _compose(_last_milliseconds, _last_random)


def _compose(milliseconds: int, random: int) -> UUID:
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)


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


def return_number(sequence: int) -> str:
    """1001 → "RMA-1001"."""
    return f"RMA-{sequence}"


def invoice_number(sequence: int) -> str:
    """1 → "INV-000001"; gapless, so it counts from one."""
    return f"INV-{sequence:06d}"


def credit_note_number(sequence: int) -> str:
    """1 → "CN-000001"; gapless, so it counts from one."""
    return f"CN-{sequence:06d}"
