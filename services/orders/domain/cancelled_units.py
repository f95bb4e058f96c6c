"""Cancelling units of an order: what is asked, what stands against it, and the version that it makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from services.kernel.invoicing import AT_ORDER
from services.kernel.money import Money, extend, share
from services.orders.domain.amendment import Obstacle
from services.orders.domain.billed import billed, billed_parts, charges_after
from services.orders.domain.order import Line, Order, totals
from services.orders.domain.projection import LineProgress, Progress, quantities
from services.orders.domain.unshipped import Unshipped, gone_units, unshipped

Units = Mapping[str, int]
"""Line id → units to cancel, positive."""


@dataclass(frozen=True, slots=True)
class LineToCancel:
    """Units of a line; without a quantity all of it that has not shipped."""

    line_id: str
    quantity: int | None = None


def unshipped_lines(order: Order, progress: Progress) -> dict[str, Unshipped]:
    """Line id → what may be cancelled of it, in line order."""
    return {
        line.line_id: unshipped(order, line, progress.lines.get(line.line_id, LineProgress())) for line in order.lines
    }


def asked_units(
    order: Order, progress: Progress, asked: Sequence[LineToCancel]
) -> tuple[dict[str, int], tuple[Obstacle, ...]]:
    """The units that are to go, and what stands against it; without lines all that has not shipped."""
    left = {line_id: there.units for line_id, there in unshipped_lines(order, progress).items()}
    if not asked:
        units = {line_id: there for line_id, there in left.items() if there}
        return units, tuple(_invoiced(order, progress, units)) if units else (_all_shipped(order, progress),)
    found = tuple(_unsound(asked, left))
    units = {one.line_id: left[one.line_id] if one.quantity is None else one.quantity for one in asked if not found}
    return units, found or tuple(_invoiced(order, progress, units))


def _invoiced(order: Order, progress: Progress, units: Units) -> Iterator[Obstacle]:
    """What is invoiced at order is credited whole when all of it is cancelled; a part of it only a credit note takes back."""
    is_invoiced = order.invoicing == AT_ORDER and any(line.invoiced for line in progress.lines.values())
    if units and is_invoiced and not is_whole(order, progress, units):
        yield Obstacle(
            "BELOW_INVOICED",
            "the order is invoiced already: cancel all of it before it ships, or ask accounting for a credit note of a part",
        )


def _all_shipped(order: Order, progress: Progress) -> Obstacle:
    shipped = sum(gone_units(order, progress.lines.get(line.line_id, LineProgress())) for line in order.lines)
    return Obstacle(
        "ALREADY_SHIPPED", f"{shipped} units have shipped and none are left: ask for a return of them instead"
    )


def _unsound(asked: Sequence[LineToCancel], left: Mapping[str, int]) -> Iterator[Obstacle]:
    for line_id, times in Counter(one.line_id for one in asked).items():
        if times > 1:
            yield Obstacle("LINE_NAMED_TWICE", f"line {line_id} is named twice: say once how many units go", line_id)
    for one in asked:
        if one.line_id not in left:
            yield Obstacle("LINE_UNKNOWN", f"the order has no line {one.line_id}: reload it", one.line_id)
        elif not left[one.line_id]:
            yield Obstacle("NOTHING_LEFT_TO_CANCEL", _nothing_left(one.line_id), one.line_id)
        elif one.quantity is not None and one.quantity < 1:
            yield Obstacle("QUANTITY_NOT_POSITIVE", f"line {one.line_id}: cancel at least 1 unit", one.line_id)
        elif one.quantity is not None and one.quantity > left[one.line_id]:
            sentence = (
                f"line {one.line_id}: {left[one.line_id]} units are left to cancel, not {one.quantity}: "
                "ask for a return of what has shipped"
            )
            yield Obstacle("MORE_THAN_LEFT", sentence, one.line_id)


def _nothing_left(line_id: str) -> str:
    return f"line {line_id}: 0 units are left to cancel: ask for a return of what has shipped"


def is_whole(order: Order, progress: Progress, units: Units) -> bool:
    """Whether the order ends by it: nothing of it has left, and nothing would be left."""
    is_untouched = not any(gone_units(order, line) for line in progress.lines.values())
    return is_untouched and all(units.get(line.line_id, 0) == line.quantity for line in order.lines)


def cancelled_between(before: Order, after: Order) -> dict[str, int]:
    """Line id → units that a version to come cancels of the one that stands."""
    was = {line.line_id: line.cancelled for line in before.lines}
    more = {line.line_id: line.cancelled - was.get(line.line_id, 0) for line in after.lines}
    return {line_id: units for line_id, units in more.items() if units > 0}


def without(order: Order, progress: Progress, units: Units, *, is_closing: bool = False) -> Order:
    """The order at its next version without these units. Every price stays: nothing of what is left is judged again.

    The discount that is not billed goes with the goods that are not billed, by their value. Freight stays whole; where all that is
    left is billed already, both are what was billed of them. Where it `is_closing` the units are kept as closed.
    """
    lines = tuple(_without(line, units.get(line.line_id, 0), is_closing=is_closing) for line in order.lines)
    after = replace(order, version=order.version + 1, lines=lines)
    merchandise = Money.total((line.extended for line in lines), order.currency)
    already = billed(progress, order.currency)
    discount = _discount_left(order, merchandise, already.net + already.discount, already.discount)
    charges = charges_after(merchandise, discount, order.totals.freight, quantities(after, progress), already)
    return replace(after, totals=totals(lines, *charges, order.taxation, billed_parts(order, progress)))


def _without(line: Line, units: int, *, is_closing: bool) -> Line:
    if not units:
        return line
    left = line.quantity - units
    closed = line.closed + (units if is_closing else 0)
    extended = extend(line.unit_price, left)
    return replace(line, quantity=left, cancelled=line.cancelled + units, closed=closed, extended=extended)


def _discount_left(order: Order, merchandise: Money, billed_goods: Money, billed_discount: Money) -> Money:
    """What of the discount stays with the goods that stay."""
    discount, unbilled = order.totals.discount, order.totals.merchandise - billed_goods
    if unbilled.minor <= 0:
        return discount
    rest = discount - billed_discount
    part = max((merchandise - billed_goods).minor, 0)
    return billed_discount + share(rest, part, unbilled.minor, before=0, given=Money.zero(order.currency))


def kept_by_warehouse(order: Order, units: Units, carried: Mapping[str, int]) -> dict[str, int]:
    """What may still go when shipments that the warehouses keep carry `carried` units of a line, those that have left included."""
    left = {line.line_id: line.quantity - carried.get(line.line_id, 0) for line in order.lines}
    clipped = {line_id: min(count, max(left.get(line_id, 0), 0)) for line_id, count in units.items()}
    return {line_id: count for line_id, count in clipped.items() if count}


def still_unshipped(order: Order, progress: Progress, units: Units) -> dict[str, int]:
    """What of these units has not left by now."""
    gone = {line_id: gone_units(order, so_far) for line_id, so_far in progress.lines.items()}
    return kept_by_warehouse(order, units, gone)


def as_asked(order: Order) -> Order:
    """The order as if nothing of it had been cancelled: what its rules were content with, at the prices of now."""
    lines = tuple(
        replace(line, quantity=line.ordered, cancelled=0, closed=0, extended=extend(line.unit_price, line.ordered))
        for line in order.lines
    )
    merchandise = Money.total((line.extended for line in lines), order.currency)
    left, discount = order.totals.merchandise, order.totals.discount
    if left.minor:
        discount = Money(discount.minor * merchandise.minor // left.minor, order.currency)
    return replace(order, lines=lines, totals=totals(lines, discount, order.totals.freight, order.taxation))
