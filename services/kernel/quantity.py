"""Quantities: whole numbers of a unit, within bounds that no honest order reaches."""

from services.kernel.errors import InvalidArgument

MAX_QUANTITY = 1_000_000_000
"""Far above any order, far below what would overflow a 64-bit sum."""


def non_negative(count: int, what: str) -> int:
    """`count` itself, when it is a whole number from 0 to MAX_QUANTITY; `what` names it in the refusal."""
    if isinstance(count, bool) or not isinstance(count, int):
        raise InvalidArgument("QUANTITY_NOT_WHOLE", f"{what} must be a whole number")
    if not 0 <= count <= MAX_QUANTITY:
        raise InvalidArgument("QUANTITY_OUT_OF_RANGE", f"{what} must be from 0 to {MAX_QUANTITY}")
    return count


def positive(count: int, what: str) -> int:
    """`count` itself, when it is a whole number from 1 to MAX_QUANTITY; `what` names it in the refusal."""
    if non_negative(count, what) == 0:
        raise InvalidArgument("QUANTITY_NOT_POSITIVE", f"{what} must be at least 1")
    return count
