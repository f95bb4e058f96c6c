"""Quantities: whole numbers of a unit, within bounds that no honest order reaches."""

from collections.abc import Mapping

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


def is_covered(wanted: Mapping[str, int], units: Mapping[str, int]) -> bool:
    """Whether every line has the units that are wanted of it, and any has some: an order of which nothing came is not delivered."""
    return all(units.get(line_id, 0) >= count for line_id, count in wanted.items()) and any(units.values())
