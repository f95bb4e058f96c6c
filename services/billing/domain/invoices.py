"""Invoices: of one or more shipments of an order, whose parts are shared out so that the invoices of an order sum to it to the cent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from services.billing.domain.charging import (
    BilledSoFar,
    Charges,
    OrderLine,
    Shares,
    charged_parts,
    goods_by_part,
    goods_of,
)
from services.billing.domain.credit import is_on_terms
from services.billing.domain.deposit_invoices import DepositDeduction
from services.billing.domain.headers import Header
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money, UnitPrice, exact_share
from services.kernel.tax import TaxPart, parts_of_one_rate
from services.kernel.terms import Installment, Move, Terms

OPEN, PART_PAID, PAID, CREDITED, WRITTEN_OFF = "open", "part_paid", "paid", "credited", "written_off"
STATUSES = frozenset({OPEN, PART_PAID, PAID, CREDITED, WRITTEN_OFF})
UNPAID = "unpaid"
"""What may be asked for beside the statuses: open or part_paid."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """Where an order's buyer has paid: the channel and its reference of the sale. It may remit the order's tax itself."""

    channel: str
    reference: str
    is_tax_remitted: bool
    fees: Money | None


@dataclass(frozen=True, slots=True)
class Threshold:
    """From what `minimum` of goods on an order has its discount, and what goods it had when it was invoiced."""

    minimum: Money
    ordered: Money


@dataclass(frozen=True, slots=True)
class BillableOrder:
    """What billing needs of an order. `charges` and `parts` are those of its current version and are the denominators of every
    share; a line's quantity lacks what was cancelled, so that a partly cancelled order keeps sharing rightly. `parts` sum to `charges`.
    Without `terms` its invoices are due net_days after their date; `calendar` names whose holidays due dates move past. Its discount is
    taken back when what is kept of its goods comes to less than `discount_minimum`.
    """

    order_id: str
    number: str
    customer_id: str
    payment_method: str
    net_days: int
    parts: tuple[TaxPart, ...]
    lines: tuple[OrderLine, ...]
    charges: Charges
    settlement: Settlement | None = None
    terms: Terms | None = None
    calendar: str = ""
    discount_minimum: Money | None = None

    @property
    def currency(self) -> str:
        """The currency of every amount in it."""
        return self.charges.merchandise.currency

    @property
    def threshold(self) -> Threshold | None:
        """From what its discount is given on; None where it is never taken back."""
        minimum = self.discount_minimum
        return Threshold(minimum, self.charges.merchandise) if minimum and self.charges.discount.minor else None

    @property
    def payment_terms(self) -> Terms:
        """Its customer's terms, for what is on terms; everything else is due at once."""
        if not is_on_terms(self.payment_method):
            return Terms.net(0)
        return self.terms or Terms.net(self.net_days)

    def shares(self, so_far: BilledSoFar) -> Shares:
        """What falls on goods of it, after what was billed."""
        return Shares.of(self.parts, self.lines, self.charges.merchandise, so_far)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line of an invoice; `reversed_quantity` of its units had not left and count as not billed."""

    line_id: str
    sku: str
    description: str
    quantity: int
    unit_price: UnitPrice
    extended: Money
    tax_key: str = ""
    reversed_quantity: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """What an invoice will say: its lines in order line order, what they come to, and that by tax part."""

    lines: tuple[InvoiceLine, ...]
    charges: Charges
    parts: tuple[TaxPart, ...]


@dataclass(frozen=True, slots=True)
class EarlyDiscount:
    """What is given when payments received `until` a day, inclusive, come to all the rest."""

    amount: Money
    until: date


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an invoice falls due: its installments, one for most, and the discount for paying early."""

    installments: tuple[Installment, ...]
    early: EarlyDiscount | None


@dataclass(frozen=True, slots=True)
class Invoice:
    """A posted invoice; nothing of it changes but what is paid, credited or given up of it and, while it waits for a delivery, its due date.

    `due_on` is the first day on which something open falls due, the last one when nothing is open. `installments` is empty when
    all of it falls due on one day. `paid_late` is what of `paid` came after the discount's last day. `terms` is their text.
    `settled_elsewhere` is what its buyer has paid to a marketplace or a till: all of it or nothing. `early` is the discount for
    paying early as it was offered with the invoice. `parts` are empty for one of before there were any.
    `shipment_ids` is empty where it bills `shipment_id` alone, and that where it bills an order before any of it ships, or a fee
    (`fee_id`), which is none of what the order comes to.
    One that `bills_parts` of shipments bills some of their units.
    `deductions` are of deposit invoices, by number; what they come to was paid by then.
    `reversed_parts` are what of its tax parts counts as not billed any more, for it had not left.
    One order's `share` of a consolidated invoice names that by `consolidated_id` and has its number; they count from 1. The
    consolidated invoice itself has its `shares`, is their sum, and names no order. Its discount is taken back below the `threshold`.
    """

    invoice_id: str
    number: str
    order_id: str
    order_number: str
    customer_id: str
    shipment_id: str
    invoiced_on: date
    due_on: date
    lines: tuple[InvoiceLine, ...]
    charges: Charges
    paid: Money
    settled_elsewhere: Money
    installments: tuple[Installment, ...] = ()
    early: EarlyDiscount | None = None
    discount_taken: Money | None = None
    paid_late: Money | None = None
    terms: str = ""
    calendar: str = ""
    header: Header = field(default_factory=Header)
    parts: tuple[TaxPart, ...] = ()
    credited_total: Money | None = None
    given_up: Money | None = None
    shipment_ids: tuple[str, ...] = ()
    deductions: tuple[DepositDeduction, ...] = ()
    reversed_parts: tuple[TaxPart, ...] = ()
    fee_id: str = ""
    bills_parts: bool = False
    consolidated_id: str = ""
    share: int = 0
    shares: tuple["Invoice", ...] = ()
    threshold: Threshold | None = None

    @property
    def tax_parts(self) -> tuple[TaxPart, ...]:
        """What of it is taxed in one way; one of before there were parts had its goods at its header's rate, and freight untaxed."""
        own = self.charges
        rate = Decimal(self.header.tax_rate or 0)
        return self.parts or parts_of_one_rate(own.merchandise, own.discount, own.freight, own.tax, rate)

    @property
    def bills(self) -> tuple[str, ...]:
        """The shipments it bills, the first first; none when it was made at order, or bills a fee."""
        return self.shipment_ids or ((self.shipment_id,) if self.shipment_id else ())

    @property
    def billed_key(self) -> str:
        """What nothing is billed twice by: its first shipment, or its fee; empty when it was made at order.

        One of parts has its own: of a shipment there may be several, and their units are counted.
        """
        if self.bills_parts:
            return f"parts/{self.invoice_id}"
        return self.shipment_id or (fee_key(self.fee_id) if self.fee_id else "")

    @property
    def is_at_order(self) -> bool:
        """Whether it bills goods that had not shipped: what it comes to is revenue only as they do."""
        return not (self.shipment_id or self.fee_id)

    @property
    def total(self) -> Money:
        """What the customer is asked to pay."""
        return self.charges.total

    @property
    def open(self) -> Money:
        """What is still to be paid."""
        return self.total - self.settled - self.credited - self.written_off

    @property
    def settled(self) -> Money:
        """What is paid, here or elsewhere, and the discount that was taken for paying it early."""
        paid = self.paid + self.settled_elsewhere
        return paid + self.discount_taken if self.discount_taken else paid

    @property
    def credited(self) -> Money:
        """What its credit notes come to."""
        return self.credited_total or Money.zero(self.total.currency)

    @property
    def written_off(self) -> Money:
        """What is given up: bad debt."""
        return self.given_up or Money.zero(self.total.currency)

    @property
    def status(self) -> str:
        """With something open part_paid once something was paid, else open. With nothing open written_off where any was given up,
        credited where all of it was, else paid: a free shipment at once.
        """
        if self.open.minor:
            return PART_PAID if self.paid.minor else OPEN
        if self.written_off.minor:
            return WRITTEN_OFF
        return CREDITED if self.credited.minor and self.credited == self.total else PAID

    @property
    def offer(self) -> EarlyDiscount | None:
        """The discount that can be had on what is not credited: none once it was taken, some was given up, or something came too late."""
        if self.shares:
            return self._offer_of_shares()
        is_lost = any(one and one.minor for one in (self.discount_taken, self.paid_late, self.given_up))
        if self.early is None or is_lost:
            return None
        offered = replace(self.early, amount=self.early_after(self.credited))
        return offered if offered.amount.minor and self.open > offered.amount else None

    def _offer_of_shares(self) -> EarlyDiscount | None:
        """Each share settles with its own discount, so that what is left of it can be had."""
        offers = [one.offer for one in self.shares if one.offer]
        if not offers:
            return None
        return replace(offers[0], amount=Money.total((one.amount for one in offers), self.total.currency))

    def early_after(self, credited: Money) -> Money:
        """The discount for paying early when this much of the invoice is credited: it shrinks with what is left of the total."""
        if self.early is None or not self.total.minor:
            return Money.zero(self.total.currency)
        return exact_share(self.early.amount, (self.total - credited).minor, self.total.minor)

    def pays_early(self, received_on: date) -> Money | None:
        """What settles it when received on that day with its discount; None when there is none to be had then."""
        offer = self.offer
        return self.open - offer.amount if offer and received_on <= offer.until else None

    def settled_by(self, received_on: date) -> Money:
        """What settles it when received on that day, with its discount where that is to be had; zero when nothing is open."""
        return self.pays_early(received_on) or self.open

    def open_installments(self) -> tuple[tuple[Installment, Money], ...]:
        """Each installment and what is open of it: what is settled, credited or given up counts towards the earliest."""
        if self.shares:
            return self._installments_of_shares()
        settled, rows = self.settled + self.credited + self.written_off, []
        for one in self.installments or (Installment(self.due_on, self.total),):
            part = min(one.amount, settled)
            rows.append((one, one.amount - part))
            settled = settled - part
        return tuple(rows)

    def _installments_of_shares(self) -> tuple[tuple[Installment, Money], ...]:
        """What falls due of all shares, one row a day."""
        days: dict[date, tuple[Money, Money]] = {}
        zero = Money.zero(self.total.currency)
        for one, left in (row for share in self.shares for row in share.open_installments()):
            amount, still = days.get(one.due_on, (zero, zero))
            days[one.due_on] = (amount + one.amount, still + left)
        return tuple((Installment(day, amount), left) for day, (amount, left) in sorted(days.items()))

    def with_paid(self, applied: Money, discount: Money | None = None, received_on: date | None = None) -> "Invoice":
        """The invoice after more was paid on it, with the discount that was taken."""
        taken = self.discount_taken + discount if self.discount_taken and discount else discount or self.discount_taken
        late = self.paid_late
        if self.early and received_on and received_on > self.early.until:
            late = late + applied if late else applied
        return replace(self, paid=self.paid + applied, discount_taken=taken, paid_late=late).dated()

    def dated(self) -> "Invoice":
        """Due on the first day on which something open falls due."""
        if not self.installments:
            return self
        due = next((one.due_on for one, left in self.open_installments() if left.minor), self.installments[-1].due_on)
        return replace(self, due_on=due)


def fee_key(fee_id: str) -> str:
    """What the invoice of a fee has in the place of a shipment."""
    return f"fee/{fee_id}"


def bill(order: BillableOrder, shipped: Mapping[str, int], so_far: BilledSoFar) -> Bill:
    """Bill what left now, `shipped` being line id → units.

    Discount and freight are the goods' share by value, kept at the exact running share, and tax is the tax on the running net
    less what earlier invoices billed, all of it by tax part, so the invoices of a completely shipped order sum exactly to the order
    whatever the partition. A change of what had not shipped moves the figures: where it made less due than was billed, this invoice
    adds nothing, and where it made more due than this invoice's goods can bear, the next ones take the rest. Raises InvalidArgument
    for a line the order has not, Refused(INVOICED_MORE_THAN_ORDERED) beyond what was ordered.
    """
    _check_lines_known(order, shipped)
    _check_quantities(order, shipped, so_far)
    lines = tuple(_bill_line(line, shipped[line.line_id], so_far) for line in order.lines if line.line_id in shipped)
    goods = goods_by_part(order.lines, order.parts[0].key, so_far, shipped)
    charges = order.shares(so_far).charges(goods)
    return Bill(lines, Charges.sum(charges.values(), order.currency), charged_parts(order.parts, charges))


def schedule(
    order: BillableOrder, total: Money, invoiced_on: date, move: Move, delivered_on: date | None = None
) -> Schedule:
    """When an invoice of this total falls due, by the terms of its order; `move` is the customer's calendar."""
    terms = order.payment_terms
    moved = move if is_on_terms(order.payment_method) else _same
    rows = terms.installments(total, invoiced_on, moved, delivered_on)
    early = terms.discount
    if early is None or not 0 < early.of(total).minor < total.minor:
        return Schedule(rows, None)
    return Schedule(rows, EarlyDiscount(early.of(total), moved(invoiced_on + timedelta(days=early.days))))


def _same(day: date) -> date:
    return day


def _check_lines_known(order: BillableOrder, shipped: Mapping[str, int]) -> None:
    unknown = sorted(set(shipped) - {line.line_id for line in order.lines})
    if unknown:
        raise InvalidArgument(
            "LINE_UNKNOWN", f"order {order.number} has no line {', '.join(unknown)}: bill lines of the order"
        )


def _check_quantities(order: BillableOrder, shipped: Mapping[str, int], so_far: BilledSoFar) -> None:
    for line in order.lines:
        through = so_far.quantities.get(line.line_id, 0) + shipped.get(line.line_id, 0)
        if line.line_id in shipped and through > line.quantity:
            raise Refused(
                "INVOICED_MORE_THAN_ORDERED",
                f"line {line.line_id} of order {order.number}: {through} units would be invoiced of "
                f"{line.quantity} ordered; check the shipment's quantities",
            )


def _bill_line(line: OrderLine, units: int, so_far: BilledSoFar) -> InvoiceLine:
    extended = goods_of(line, so_far, units).merchandise
    return InvoiceLine(line.line_id, line.sku, line.description, units, line.unit_price, extended, line.tax_key)
