"""How many units of an order fit into what is committed for it."""

from collections.abc import Mapping

from services.billing.domain.invoices import BillableOrder, BilledSoFar, bill
from services.kernel.money import Money


def units_that_fit(
    order: BillableOrder,
    released: Mapping[str, int],
    wanted: Mapping[str, int],
    so_far: BilledSoFar,
    covered: Money,
) -> dict[str, int]:
    """Line id → units that may be with the warehouses or have left, in the order of the lines, as many of each as fit.

    `covered` is committed for what is not billed yet. Units that are released stay so, whatever they come to; every further one
    must leave the bill of all that is not billed within it: goods, discount, freight and tax, as they will be invoiced.
    """
    allowed = {line.line_id: max(released.get(line.line_id, 0), 0) for line in order.lines}
    for line in order.lines:
        least, most = allowed[line.line_id], min(wanted.get(line.line_id, 0), line.quantity)
        while least < most:
            middle = (least + most + 1) // 2
            if _bill_of(order, allowed | {line.line_id: middle}, so_far) <= covered:
                least = middle
            else:
                most = middle - 1
        allowed[line.line_id] = least
    return allowed


def _bill_of(order: BillableOrder, allowed: Mapping[str, int], so_far: BilledSoFar) -> Money:
    """What is to be billed yet once these units have left; a change may have left fewer of a line than were."""
    quantities = {line.line_id: line.quantity for line in order.lines}
    left = {
        line_id: min(units, quantities[line_id]) - so_far.quantities.get(line_id, 0)
        for line_id, units in allowed.items()
    }
    return bill(order, {line_id: units for line_id, units in left.items() if units > 0}, so_far).charges.total
