"""Orders that are invoiced at order: what is to be invoiced of them, and when what they come to becomes revenue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.billing.domain.charging import BilledSoFar
from services.billing.domain.credit_notes import Credited
from services.billing.domain.invoices import Bill, BillableOrder, bill
from services.kernel.money import Money

DUE, INVOICED, OVER = "due", "invoiced", "over"
STATES = (DUE, INVOICED, OVER)

_OF_GOODS_THAT_LEFT = frozenset({"returned", "damaged", "shortage"})
"""Reasons for a credit note that say that its goods had shipped."""


@dataclass(frozen=True, slots=True)
class OrderToInvoice:
    """An order that is invoiced at order. `version` is the oldest that says all that is to be invoiced."""

    order_id: str
    order_number: str
    customer_id: str
    currency: str
    version: int
    invoice_on: date
    state: str


@dataclass(frozen=True, slots=True)
class Amounts:
    """Goods less discount, and freight."""

    goods: Money
    freight: Money

    def __sub__(self, other: "Amounts") -> "Amounts":
        return Amounts(self.goods - other.goods, self.freight - other.freight)

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(self.goods + other.goods, self.freight + other.freight)

    def at_most(self, other: "Amounts") -> "Amounts":
        """Each no more than the other's."""
        return Amounts(min(self.goods, other.goods), min(self.freight, other.freight))

    def or_nothing(self) -> "Amounts":
        """Each at least zero."""
        zero = Money.zero(self.goods.currency)
        return Amounts(max(self.goods, zero), max(self.freight, zero))


@dataclass(frozen=True, slots=True)
class Revenue:
    """An order's invoices at order: what they came to, what shipments and credit notes took off deferred revenue, and all credited."""

    invoiced: Amounts
    recognized: Amounts
    credited: Amounts
    credited_deferred: Amounts

    @property
    def deferred(self) -> Amounts:
        """What has not become revenue and is not credited."""
        return self.invoiced - self.recognized - self.credited_deferred

    @property
    def earned(self) -> Amounts:
        """What has become revenue and is not credited."""
        return self.recognized - (self.credited - self.credited_deferred)


@dataclass(frozen=True, slots=True)
class Recognition:
    """A shipment, what its own invoice would say, and what becomes revenue by it."""

    shipment_id: str
    order_id: str
    order_number: str
    billed: Bill
    amounts: Amounts


def units_left(order: BillableOrder, so_far: BilledSoFar) -> dict[str, int]:
    """Line id → units that are not invoiced yet."""
    left = {line.line_id: line.quantity - so_far.quantities.get(line.line_id, 0) for line in order.lines}
    return {line_id: units for line_id, units in left.items() if units > 0}


def units_beyond(shipped: Mapping[str, int], before: BilledSoFar, so_far: BilledSoFar) -> dict[str, int]:
    """Line id → units that have shipped and are not invoiced: these, after those that shipped `before`."""
    beyond = {
        line_id: before.quantities.get(line_id, 0) + units - so_far.quantities.get(line_id, 0)
        for line_id, units in shipped.items()
    }
    return {line_id: units for line_id, units in beyond.items() if units > 0}


def recognize(
    order: BillableOrder, shipment_id: str, shipped: Mapping[str, int], before: BilledSoFar, deferred: Amounts
) -> Recognition:
    """What becomes revenue by a shipment, after those that shipped `before`: what its own invoice would come to.

    It is no more than what is deferred, of which a credit note may have taken some, and the last shipment takes all that is left:
    whatever the partition, the order's deferred revenue ends at zero. Refused as bill() is.
    """
    billed = bill(order, shipped, before)
    through = {
        line.line_id: before.quantities.get(line.line_id, 0) + shipped.get(line.line_id, 0) for line in order.lines
    }
    is_last = all(through[line.line_id] >= line.quantity for line in order.lines)
    share = Amounts(billed.charges.net, billed.charges.freight)
    return Recognition(
        shipment_id, order.order_id, order.number, billed, deferred if is_last else share.at_most(deferred)
    )


def off_deferred(credited: Credited, reason_code: str, revenue: Revenue) -> Amounts:
    """What of a credit note comes off deferred revenue, the rest being taken back from revenue.

    A credit of goods that had shipped takes back revenue as far as there is any; any other one takes what is deferred first.
    """
    wanted = Amounts(credited.net, credited.freight)
    if reason_code in _OF_GOODS_THAT_LEFT:
        wanted = (wanted - revenue.earned).or_nothing()
    return wanted.at_most(revenue.deferred).or_nothing()
