"""How many units of an order fit into what is committed for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.billing.domain.invoices import BillableOrder, BilledSoFar, Charges, OrderLine, charges_of
from services.kernel.money import Money, extend


@dataclass(frozen=True, slots=True)
class _Unbilled:
    """Units of an order and what their goods come to, of what is not billed yet."""

    units: int
    merchandise: Money


def units_that_fit(
    order: BillableOrder,
    released: Mapping[str, int],
    wanted: Mapping[str, int],
    so_far: BilledSoFar,
    covered: Money,
) -> dict[str, int]:
    """Line id → units that may be with the warehouses or have left, in the order of the lines, as many of each as fit.

    `covered` is committed for what is not billed yet. Units that are released stay so, whatever they come to; every further one
    must leave the bill of all that is not billed within it: goods, discount, freight and tax, as they will be invoiced. A bill's
    parts follow from the value of its goods, so a line costs a few sums, however many lines there are.
    """
    allowed = {line.line_id: max(released.get(line.line_id, 0), 0) for line in order.lines}
    unbilled = _Unbilled(0, Money.zero(order.currency))
    for line in order.lines:
        unbilled = _with(unbilled, line, so_far, 0, allowed[line.line_id])
    for line in order.lines:
        before = least = allowed[line.line_id]
        most = min(wanted.get(line.line_id, 0), line.quantity)
        while least < most:
            middle = (least + most + 1) // 2
            tried = _with(unbilled, line, so_far, before, middle)
            if charges_of(order, tried.units, tried.merchandise, so_far).total <= covered:
                least = middle
            else:
                most = middle - 1
        unbilled = _with(unbilled, line, so_far, before, least)
        allowed[line.line_id] = least
    return allowed


def least_part(order: BillableOrder, *, is_whole: bool) -> Money:
    """What must have room for any of an order to go: all of it when it `is_whole`, else what its cheapest unit is billed."""
    if is_whole:
        return order.charges.total
    nothing = BilledSoFar({}, Charges.none(order.currency))
    units = (charges_of(order, 1, extend(line.unit_price, 1), nothing).total for line in order.lines if line.quantity)
    return max(min(units, default=order.charges.total), Money(1, order.currency))


def _with(so_much: _Unbilled, line: OrderLine, so_far: BilledSoFar, before: int, units: int) -> _Unbilled:
    """With these units of a line in place of those before; what is billed of it counts in neither, nor what a change took away."""
    billed = so_far.quantities.get(line.line_id, 0)
    was, now = (max(min(count, line.quantity), billed) for count in (before, units))
    more = extend(line.unit_price, now) - extend(line.unit_price, was)
    return _Unbilled(so_much.units + now - was, so_much.merchandise + more)
