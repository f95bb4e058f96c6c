"""What of an order a customer may send back: shipped and invoiced, within its window, and in no other return."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money, exact_share
from services.orders.domain.facts import Shipment
from services.orders.domain.order import SETTLED_ELSEWHERE, Line, Order
from services.orders.domain.projection import LineProgress, Progress
from services.orders.domain.returns import INTERCEPTED, Return, ReturnLine

_GONE = ("shipped", "delivered")


@dataclass(frozen=True, slots=True)
class LineToReturn:
    """Units of an order line that a customer wants to send back; of a shipment where that is named.

    `replace_sku` is wanted in their place, `replace_quantity` units of it, or as many where that is 0.
    """

    line_id: str
    quantity: int
    reason: str
    shipment_id: str = ""
    replace_sku: str = ""
    replace_quantity: int = 0


@dataclass(frozen=True, slots=True)
class Returnable:
    """What of a line may come back now, and why not more."""

    units: int
    reason: str = ""
    why: str = ""


def never(order: Order, line: Line) -> Returnable | None:
    """Why nothing of a line ever comes back; None where something may."""
    if line.kind == "service":
        return Returnable(0, "SERVICE_NOT_RETURNABLE", "a service is not sent back: ask for a credit note")
    if order.payment_method == SETTLED_ELSEWHERE:
        return Returnable(0, "SETTLED_ELSEWHERE", "it was paid where it was bought: return it there")
    if order.is_exchange:
        return Returnable(0, "EXCHANGED", "it replaced goods of another order: support credits those")
    return None


def returnable(
    order: Order,
    progress: Progress,
    returns: Sequence[Return],
    line: Line,
    now: datetime,
    window: timedelta,
    *,
    is_stopped: bool = False,
) -> Returnable:
    """What of a line may come back: units in other returns that are under way or have come are not left.

    A parcel that is stopped on its way does not wait for its invoice: billing makes what is missing as it credits it.
    """
    if stands_against := never(order, line):
        return stands_against
    so_far = progress.lines.get(line.line_id, LineProgress())
    taken = sum(one.taken(each) for one in returns for each in one.lines if each.line_id == line.line_id)
    left = so_far.shipped - taken
    if left <= 0:
        return Returnable(0, "NOTHING_TO_RETURN", f"{so_far.shipped} units have shipped, and 0 are left to return")
    invoiced = so_far.invoiced - taken + min(_stopped(returns, line), max(0, so_far.shipped - so_far.invoiced))
    if invoiced < left and not is_stopped:
        why = "not all of it is invoiced: try again when it is"
        return Returnable(max(0, invoiced), "RETURN_NOT_INVOICED", why)
    fresh = _within(progress, line.line_id, now, window)
    if fresh < left:
        why = f"returns are taken within {window.days} days of delivery, and {fresh} units are"
        return Returnable(fresh, "RETURN_WINDOW_PASSED", why)
    return Returnable(left, "MORE_THAN_RETURNABLE", f"{left} are left to return")


def check_never_left(progress: Progress, returns: Sequence[Return], number: str, units: Mapping[str, int]) -> None:
    """Refuse (RETURN_OPEN) that a shipment of these units by line never left where returns need them to be with the customer."""
    for line_id, quantity in units.items():
        left = progress.lines.get(line_id, LineProgress()).shipped - quantity
        taken = {one.number: one.taken(each) for one in returns for each in one.lines if each.line_id == line_id}
        if sum(taken.values()) > max(0, left):
            named = ", ".join(return_number for return_number, count in taken.items() if count)
            raise Refused(
                "RETURN_OPEN",
                f"units of {number} come back by {named}: cancel that return first, or ask for a return of {number} too",
            )


def _stopped(returns: Sequence[Return], line: Line) -> int:
    """Units of a line that come back because their parcel was stopped, which need no invoice before."""
    return sum(
        one.taken(each)
        for one in returns
        for each in one.lines
        if (each.line_id, each.reason) == (line.line_id, INTERCEPTED)
    )


def _within(progress: Progress, line_id: str, now: datetime, window: timedelta) -> int:
    """Units that left and have not been with the customer for longer than the window."""
    since = now - window
    return sum(
        line.quantity
        for shipment in progress.shipments.values()
        if shipment.state in _GONE and _is_fresh(shipment, since)
        for line in shipment.lines
        if line.line_id == line_id
    )


def _is_fresh(shipment: Shipment, since: datetime) -> bool:
    return not shipment.delivered_at or datetime.fromisoformat(shipment.delivered_at) >= since


def lines_of(
    order: Order,
    progress: Progress,
    returns: Sequence[Return],
    asked: Sequence[LineToReturn],
    now: datetime,
    window: timedelta,
) -> tuple[ReturnLine, ...]:
    """The lines of a return that is asked for. Refused by the first that may not come back, with how many may."""
    lines = {line.line_id: line for line in order.lines}
    for line_id, times in Counter(one.line_id for one in asked).items():
        if times > 1:
            raise InvalidArgument("LINE_NAMED_TWICE", f"line {line_id} is named twice: say once how many come back")
    found = []
    for one in asked:
        line = lines.get(one.line_id)
        if line is None:
            raise InvalidArgument("LINE_UNKNOWN", f"the order has no line {one.line_id}: reload it")
        _check(order, progress, returns, one, line, now, window)
        found.append(ReturnLine(line.line_id, line.sku, line.description, one.quantity, one.reason, one.shipment_id))
    return tuple(found)


def _check(
    order: Order,
    progress: Progress,
    returns: Sequence[Return],
    one: LineToReturn,
    line: Line,
    now: datetime,
    window: timedelta,
) -> None:
    may = returnable(order, progress, returns, line, now, window, is_stopped=one.reason == INTERCEPTED)
    if one.quantity > may.units:
        sentence = f"line {line.line_id} ({line.sku}): at most {may.units} may come back, not {one.quantity}: {may.why}"
        raise Refused(may.reason, sentence, line_id=line.line_id, most=str(may.units))
    if one.shipment_id:
        _check_shipment(progress, returns, one, now, window)


def _check_shipment(
    progress: Progress, returns: Sequence[Return], one: LineToReturn, now: datetime, window: timedelta
) -> None:
    shipment = progress.shipments.get(one.shipment_id)
    there = sum(line.quantity for line in shipment.lines if line.line_id == one.line_id) if shipment else 0
    if shipment is None or shipment.state not in _GONE:
        there = 0
    elif not _is_fresh(shipment, now - window):
        sentence = f"line {one.line_id}: that shipment was delivered more than {window.days} days ago: name a later one"
        raise Refused("RETURN_WINDOW_PASSED", sentence, line_id=one.line_id, most="0")
    taken = sum(
        each.taken(line)
        for each in returns
        for line in each.lines
        if (line.line_id, line.shipment_id) == (one.line_id, one.shipment_id)
    )
    if one.quantity > there - taken:
        sentence = (
            f"line {one.line_id}: at most {max(0, there - taken)} of that shipment may come back, not {one.quantity}"
        )
        raise Refused("MORE_THAN_RETURNABLE", sentence, line_id=one.line_id, most=str(max(0, there - taken)))


def value_of(order: Order, lines: Sequence[ReturnLine]) -> Money:
    """What the goods were sold for, before discount and tax."""
    by_id = {line.line_id: line for line in order.lines}
    parts = (exact_share(by_id[one.line_id].extended, one.quantity, by_id[one.line_id].quantity) for one in lines)
    return Money.total(parts, order.currency)
