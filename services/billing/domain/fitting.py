"""How many units of an order fit into what is committed for it."""

from collections.abc import Mapping

from services.billing.domain.charging import BilledSoFar, Charges, Goods, OrderLine, Shares
from services.billing.domain.invoices import BillableOrder
from services.kernel.money import Money, extend
from services.kernel.tax import FREIGHT


class _Unbilled:
    """What is not billed yet of an order, by tax part, and what all those goods will be charged."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._none = Goods(0, Money.zero(shares.currency))
        self._goods = {FREIGHT: self._none}
        self._charged: dict[str, Money] = {}
        self._total = self._none.merchandise

    def total_with(self, key: str, more: Goods) -> Money:
        """What all of it is charged with more goods of a part: a few sums, however many parts and lines there are."""
        total = self._total
        for part in self._moved(key):
            total = total - self._charged.get(part, self._none.merchandise) + self._charge(part, more)
        return total

    def add(self, key: str, more: Goods) -> None:
        """Count more goods of a part."""
        self._total = self.total_with(key, more)
        for part in self._moved(key):
            self._charged[part] = self._charge(part, more)
        for part in (key, FREIGHT):
            self._goods[part] = self._goods.get(part, self._none) + more

    def _moved(self, key: str) -> tuple[str, ...]:
        return (key, FREIGHT) if FREIGHT in self._shares.parts else (key,)

    def _charge(self, part: str, more: Goods) -> Money:
        return self._shares.charge(part, self._goods.get(part, self._none) + more).total


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
    unbilled, first = _Unbilled(order.shares(so_far)), order.parts[0].key
    for line in order.lines:
        unbilled.add(line.tax_key or first, _more(line, so_far, 0, allowed[line.line_id]))
    for line in order.lines:
        key, before = line.tax_key or first, allowed[line.line_id]
        least, most = before, min(wanted.get(line.line_id, 0), line.quantity)
        while least < most:
            middle = (least + most + 1) // 2
            if unbilled.total_with(key, _more(line, so_far, before, middle)) <= covered:
                least = middle
            else:
                most = middle - 1
        unbilled.add(key, _more(line, so_far, before, least))
        allowed[line.line_id] = least
    return allowed


def least_part(order: BillableOrder, *, is_whole: bool) -> Money:
    """What must have room for any of an order to go: all of it when it `is_whole`, else what its cheapest unit is billed."""
    if is_whole:
        return order.charges.total
    shares, first = order.shares(BilledSoFar({}, Charges.none(order.currency))), order.parts[0].key
    units = (_one_unit(shares, line, first) for line in order.lines if line.quantity)
    return max(min(units, default=order.charges.total), Money(1, order.currency))


def _one_unit(shares: Shares, line: OrderLine, first: str) -> Money:
    goods = {line.tax_key or first: Goods(1, extend(line.unit_price, 1))}
    return Charges.sum(shares.charges(goods).values(), shares.currency).total


def _more(line: OrderLine, so_far: BilledSoFar, before: int, units: int) -> Goods:
    """What these units of a line are more than those before; what is billed of it counts in neither, nor what a change took away."""
    billed = so_far.quantities.get(line.line_id, 0)
    was, now = (max(min(count, line.quantity), billed) for count in (before, units))
    return Goods(now - was, extend(line.unit_price, now) - extend(line.unit_price, was))
