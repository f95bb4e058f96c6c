"""Decides what a count comes to: the difference, and who loses what is promised and not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.inventory.domain.backorders import Waiting
from services.kernel.errors import Conflict, Refused
from services.kernel.money import UnitPrice


@dataclass(frozen=True, slots=True)
class Carried:
    """What shipments from the counted warehouse carry of an order line, those that were not cancelled.

    `released` is not picked yet; `left` has left, stock may not have heard of it. The order `is_begun` once any of it is picked.
    """

    released: int = 0
    picked: int = 0
    left: int = 0
    is_begun: bool = False


Shipped = Mapping[tuple[str, str], Carried]
"""(Order id, line id) → what shipments carry; a line that holds stock and is missing was not known when it was asked."""


@dataclass(frozen=True, slots=True)
class Count:
    """Units that somebody counted of a SKU in a warehouse, those on the packing bench included; in a short pick, for this shipment."""

    warehouse_id: str
    sku: str
    counted: int
    reason: str
    counted_by: str
    carried: Shipped = field(default_factory=dict)
    shipment_id: str = ""
    unit_cost: UnitPrice | None = None
    standard_cost: UnitPrice | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """An order line that holds units in the counted warehouse; `line` is its place in the queue, with the units that wait already."""

    line: Waiting
    held: int
    shipped: int

    @property
    def key(self) -> tuple[str, str]:
        """Order and line."""
        return self.line.order_id, self.line.line_id


@dataclass(frozen=True, slots=True)
class Loss:
    """Units that an order line holds no more, positive; `released` of them were given to the warehouse and are not picked."""

    holder: Holder
    quantity: int
    released: int
    is_begun: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """What a count comes to: units more (or fewer) than the books have, and who loses some, the last to be served first."""

    on_hand: int
    delta: int
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class LostLine:
    """Units, positive, that an order line lost by a count; an order that `is_whole_order` is kept together, or comes back as a whole."""

    order_id: str
    line_id: str
    is_whole_order: bool
    quantity: int


@dataclass(frozen=True, slots=True)
class OpenCount:
    """A count whose losses may still be in shipments; a short pick is of a shipment."""

    count_id: str
    warehouse_id: str
    sku: str
    reason: str
    lost: tuple[LostLine, ...]
    shipment_id: str = ""

    @property
    def why(self) -> str:
        """Why goods leave shipments for it."""
        if self.shipment_id:
            return f"{sum(one.quantity for one in self.lost):,} of {self.sku}: {self.reason}"
        return f"{self.sku} was counted and is not there: {self.reason}"


@dataclass(frozen=True, slots=True)
class ShortUnits:
    """Units of a line that the picker of a shipment did not find."""

    shipment_id: str
    line_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class LosingOrder:
    """What shipments may carry of an order that lost by a count: line → units, in the counted warehouse. Nothing where it `is_whole_order`.

    Of a short pick, what was `short` leaves its shipment first.
    """

    order_id: str
    is_whole_order: bool
    covered: Mapping[str, int]
    short: ShortUnits | None = None


def difference(count: Count, on_hand: int, allocated: int, holders: Sequence[Holder]) -> Difference:
    """Compare with the books. What has left and is not booked yet was not there to be counted.

    Refused COUNT_BELOW_PICKED where fewer were counted than are picked.
    """
    shelf = {one.key: one for one in holders}
    gone = sum(_not_booked(shelf.get(key), carried) for key, carried in count.carried.items())
    delta = count.counted - (on_hand - gone)
    missing = allocated - (on_hand + delta)
    return Difference(on_hand, delta, deallocate(holders, count.carried, missing) if missing > 0 else ())


@dataclass(frozen=True, slots=True)
class ShortPick:
    """Units, positive, that a picker did not find of what an order line holds in a warehouse, or found damaged."""

    warehouse_id: str
    sku: str
    order_id: str
    line_id: str
    quantity: int
    reason: str
    picker: str
    is_begun: bool
    shipment_id: str
    is_damaged: bool


def short_of(short: ShortPick, on_hand: int, allocated: int, holders: Sequence[Holder]) -> Difference:
    """What a short pick comes to: the order loses what is short, and what is free leaves stock with what is missing, for the shelf is empty.

    Beside what is damaged the others are as good as they were. What other orders hold stays: it may be in the hands of another picker.
    Conflict NOT_HELD.
    """
    holder = next((one for one in holders if one.key == (short.order_id, short.line_id)), None)
    if holder is None or holder.held < short.quantity:
        raise Conflict("NOT_HELD", f"the order holds fewer {short.sku} by now: look at the shipment again")
    gone_too = 0 if short.is_damaged else max(0, on_hand - allocated)
    delta = -(short.quantity + gone_too)
    return Difference(on_hand, delta, (Loss(holder, short.quantity, short.quantity, short.is_begun),))


def deallocate(holders: Iterable[Holder], carried: Shipped, units: int) -> tuple[Loss, ...]:
    """Who loses so many units: who would be served last first, of what no shipment has before what is released.

    What is picked is never taken.
    """
    in_turn = sorted(holders, key=lambda one: one.line.turn, reverse=True)
    missing, taken = units, dict.fromkeys((one.key for one in in_turn), (0, 0))
    for is_released in (False, True):
        for one in in_turn:
            rest, released = _takeable(one, carried.get(one.key, Carried()))
            given = min(missing, released if is_released else rest)
            missing -= given
            before = taken[one.key]
            taken[one.key] = (before[0] + given, before[1] + (given if is_released else 0))
    if missing > 0:
        free = (sum(_takeable(one, carried.get(one.key, Carried()))) for one in in_turn)
        picked = sum(one.held for one in in_turn) - sum(free)
        raise Refused(
            "COUNT_BELOW_PICKED",
            f"{picked} units are picked for orders and still in the building: count them too, or reverse what has not left",
        )
    return tuple(
        Loss(one, taken[one.key][0], taken[one.key][1], carried.get(one.key, Carried()).is_begun)
        for one in in_turn
        if taken[one.key][0]
    )


def _takeable(one: Holder, carried: Carried) -> tuple[int, int]:
    """Units in no shipment, and units in shipments that nobody has picked yet."""
    loose = max(0, one.held - max(0, carried.picked + carried.left - one.shipped))
    released = min(loose, carried.released)
    return loose - released, released


def _not_booked(one: Holder | None, carried: Carried) -> int:
    return min(one.held, max(0, carried.left - one.shipped)) if one else 0
