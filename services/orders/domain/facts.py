"""Facts of other services as orders reads them: a value for each shape of detail, whatever their messages look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.kernel.money import Money
from services.orders.domain.credit_facts import CardProblem, CreditGranted, CreditRestChanged
from services.orders.domain.owed_refunds import OWED_REFUND, OwedRefund
from services.orders.domain.return_facts import ReturnInspected, ReturnReceived
from services.orders.domain.stock_facts import LineStanding, SourcingAsked, StockStanding

STOCK_EXPECTED, SOURCING_ASKED = "stock_expected", "sourcing_asked"
SHIPMENT_SHIPPED, SHIPMENT_DELIVERED = "shipment_shipped", "shipment_delivered"
SHIPMENT_EXCEPTION, SHIPMENT_REVERSED = "shipment_exception", "shipment_reversed"
SHIPMENT_INTERCEPTED = "shipment_intercepted"
PAYMENT_RECEIVED, DEPOSIT_RECEIVED, PAYMENT_REVERSED = "payment_received", "deposit_received", "payment_reversed"
REVERSED, REAPPLIED, REFUNDED, FREED = "reversed", "reapplied", "refunded", "freed"
"""What became of money that was taken off an order."""
CREDIT_GRANTED, STOCK_ALLOCATED = "credit_granted", "stock_allocated"
DUE_DATE_SET = "due_date_set"
CREDIT_REST_CHANGED = "credit_rest_changed"
CARD_PROBLEM = "card_problem"
INVOICE_CREDITED, INVOICE_WRITTEN_OFF = "invoice_credited", "invoice_written_off"
DEPOSIT_INVOICED = "deposit_invoiced"
RETURN_RECEIVED, RETURN_INSPECTED = "return_received", "return_inspected"

_OF_SHIPMENTS = (
    "shipments_released", "shipment_picked", "shipment_packed", SHIPMENT_SHIPPED, SHIPMENT_DELIVERED, SHIPMENT_EXCEPTION,
    SHIPMENT_REVERSED, SHIPMENT_INTERCEPTED, "shipments_cancelled", "recall_answered", RETURN_RECEIVED, RETURN_INSPECTED,
)  # fmt: skip
_OF_INVOICES = (
    "invoice_issued", PAYMENT_RECEIVED, DEPOSIT_RECEIVED, PAYMENT_REVERSED, CREDIT_GRANTED, DUE_DATE_SET, CREDIT_REST_CHANGED,
    CARD_PROBLEM, OWED_REFUND, INVOICE_CREDITED, INVOICE_WRITTEN_OFF, DEPOSIT_INVOICED,
)  # fmt: skip
KINDS: Mapping[str, frozenset[str]] = {
    "inventory": frozenset({"stock_reserved", STOCK_ALLOCATED, "stock_released", STOCK_EXPECTED, SOURCING_ASKED}),
    "fulfillment": frozenset(_OF_SHIPMENTS),
    "billing": frozenset(_OF_INVOICES),
}
"""Source → kinds of its facts that tell something of an order."""
KNOWN_KINDS = frozenset().union(*KINDS.values())
CREDITED, WRITTEN_OFF = "credited", "written_off"
_SETTLED = frozenset({"paid", CREDITED, WRITTEN_OFF})
"""What billing calls an invoice on which nothing is open."""


@dataclass(frozen=True, slots=True)
class LineMilestones:
    """Units of a line that have reached each milestone, over all shipments since the order began."""

    released: int
    picked: int
    packed: int
    shipped: int
    delivered: int
    intercepted: int = 0


@dataclass(frozen=True, slots=True)
class LineInvoiced:
    """Units of a line invoiced so far."""

    invoiced: int


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """Units of an order line in a shipment."""

    line_id: str
    sku: str
    description: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ShipmentPackage:
    """A package of a shipment that has left; instants are ISO text, empty while unknown, and so is the code of one that has none."""

    sscc: str
    tracking_number: str
    weight_grams: int
    delivered_at: str = ""
    exception_at: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment as fulfillment last told of it; instants and days are ISO text, empty while unknown.

    `exception_at` is when its carrier last told of a problem on the way, `intercepted_at` when it stopped it there.
    """

    shipment_id: str
    number: str
    state: str
    warehouse_id: str
    carrier: str
    tracking_number: str
    promised_on: str
    is_service: bool
    shipped_at: str
    delivered_at: str
    lines: tuple[ShipmentLine, ...]
    sequence: int
    exception_at: str = ""
    intercepted_at: str = ""
    packages: tuple[ShipmentPackage, ...] = ()

    @property
    def exception_tracking_number(self) -> str:
        """The tracking number of the package that its carrier last told a problem of, the first's where it told of none."""
        newest = self._with_problem
        return newest.tracking_number if newest else self.tracking_number

    @property
    def problem(self) -> str:
        """What its carrier last told of a package in one word; empty without a problem."""
        newest = self._with_problem
        return (newest.problem or "exception") if newest else ""

    @property
    def _with_problem(self) -> ShipmentPackage | None:
        newest = max(self.packages, key=lambda package: package.exception_at, default=None)
        return newest if newest and newest.exception_at else None


InvoicePart = tuple[str, int, int, int, int]
"""A tax part of an invoice: its key, and minor units of goods, discount, freight and tax."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as billing last told of it; `due_on` is empty while it waits for its goods to be delivered.

    `discount_until` is empty when no discount for paying early can be had. `installments` are (day, minor units, what is open of
    them), where it falls due in several parts. `parts` are empty for one of before there were any; `reversed_parts` are what of them
    counts as not billed any more, for it had not left. `consolidated_id` is set of what is the order's share of an invoice of several.
    """

    invoice_id: str
    number: str
    shipment_id: str
    total_minor: int
    paid_minor: int
    currency: str
    invoiced_on: str
    due_on: str
    status: str
    sequence: int
    merchandise_minor: int = 0
    discount_minor: int = 0
    freight_minor: int = 0
    tax_minor: int = 0
    open_minor: int = 0
    discount_taken_minor: int = 0
    early_discount_minor: int = 0
    discount_until: str = ""
    installments: tuple[tuple[str, int, int], ...] = ()
    parts: tuple[InvoicePart, ...] = ()
    credited_minor: int = 0
    written_off_minor: int = 0
    shipment_ids: tuple[str, ...] = ()
    reversed_parts: tuple[InvoicePart, ...] = ()
    fee_id: str = ""
    consolidated_id: str = ""

    @property
    def bills(self) -> tuple[str, ...]:
        """The shipments it bills; none when it was made at order, or charges a fee."""
        return self.shipment_ids or ((self.shipment_id,) if self.shipment_id else ())

    @property
    def pays_early(self) -> int:
        """What settles it, in minor units, when received by the last day of its discount."""
        return self.open_minor - self.early_discount_minor

    @property
    def is_settled(self) -> bool:
        """Whether the customer owes nothing on it any more, as billing says."""
        return self.status in _SETTLED


@dataclass(frozen=True, slots=True)
class ShipmentChanged:
    """A milestone of one shipment or its exception, and how far the order's lines have come, by line id."""

    lines: Mapping[str, LineMilestones]
    shipment: Shipment


@dataclass(frozen=True, slots=True)
class ShipmentIntercepted:
    """A shipment that its carrier has stopped on the way and brings back; the reason is of whoever asked for that."""

    lines: Mapping[str, LineMilestones]
    shipment: Shipment
    reason: str
    asked_by: str


@dataclass(frozen=True, slots=True)
class ShipmentsChanged:
    """Shipments released or cancelled together, and how far the order's lines have come, by line id."""

    lines: Mapping[str, LineMilestones]
    shipments: tuple[Shipment, ...]


@dataclass(frozen=True, slots=True)
class ShipmentReversed:
    """A shipment that was said to have left, and the packed one that has its goods; the reason is the company's own."""

    lines: Mapping[str, LineMilestones]
    shipments: tuple[Shipment, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class RecallAnswered:
    """The warehouse's answer to a recall of a change, and the shipments it concerned; `waiting` recalls of the change have none yet."""

    lines: Mapping[str, LineMilestones]
    shipments: tuple[Shipment, ...]
    change_id: str
    is_acknowledged: bool
    reason: str
    waiting: int = 0

    @property
    def is_of_count(self) -> bool:
        """Whether it took out what a count or a picker did not find; nobody was asked."""
        return self.change_id.startswith("cnt_")

    @property
    def is_of_sourcing(self) -> bool:
        """Whether the order's workflow itself took the units back, to source them again."""
        return self.change_id.startswith("srq_")


@dataclass(frozen=True, slots=True)
class ConsolidatedInvoice:
    """An invoice of several orders as it was posted: which share of it the order has, and what all of it comes to."""

    share: int
    orders: tuple[str, ...]
    total_minor: int
    due_on: str
    early_discount_minor: int = 0
    discount_until: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceIssued:
    """An invoice, and what was invoiced of the order's lines so far, by line id; and what it is a share of, None for nothing."""

    lines: Mapping[str, LineInvoiced]
    invoice: Invoice
    consolidated: ConsolidatedInvoice | None = None


@dataclass(frozen=True, slots=True)
class DueDateSet:
    """An invoice that waited for its goods to be delivered has its due date."""

    invoice: Invoice


@dataclass(frozen=True, slots=True)
class InvoiceCredited:
    """A credit note, and its invoice as it stands after it; `cash` of it was paid and is the customer's again.

    Where a ship confirm was reversed `lines` say what is invoiced after it, and that cash is held for the order; the number is empty
    where nothing of the invoice was left to be credited.
    """

    credit_note_id: str
    number: str
    amount: Money
    cash: Money
    reason: str
    invoice: Invoice
    lines: Mapping[str, LineInvoiced] = field(default_factory=dict)
    held_minor: int | None = None


@dataclass(frozen=True, slots=True)
class InvoiceWrittenOff:
    """What of an invoice is given up, and the invoice as it stands after it; the reason is the company's own."""

    amount: Money
    reason: str
    invoice: Invoice


@dataclass(frozen=True, slots=True)
class PaymentReceived:
    """What of a payment was applied to the order, and its invoices that it paid, as they stand after it.

    `held_minor` is the cash that is still held for the order.
    """

    amount: Money
    invoices: tuple[Invoice, ...]
    held_minor: int = 0


@dataclass(frozen=True, slots=True)
class DepositReceived:
    """What of a payment is held for the order until it is invoiced, and all that is held for it."""

    amount: Money
    held_minor: int


@dataclass(frozen=True, slots=True)
class DepositInvoiced:
    """A deposit invoice of cash that came for the order, or a credit note that `corrects` the one of that number, for a reason."""

    deposit_invoice_id: str
    number: str
    corrects: str
    amount: Money
    tax: Money
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentReversed:
    """What of a payment was taken off the order, and its invoices that it had paid, as they stand after it.

    `is_uncovered` says that goods of the order that have not left are no longer paid for. `cause` is reversed, reapplied or
    refunded: of the last two the payer knows, and their `reason` is the company's own.
    """

    amount: Money
    invoices: tuple[Invoice, ...]
    held_minor: int
    reason: str
    is_uncovered: bool
    cause: str = REVERSED

    @property
    def is_returned(self) -> bool:
        """Whether the money went back on its own: nobody here gave it or moved it."""
        return self.cause == REVERSED


Detail = (
    StockStanding
    | SourcingAsked
    | ShipmentChanged
    | ShipmentsChanged
    | ShipmentReversed
    | ShipmentIntercepted
    | RecallAnswered
    | InvoiceIssued
    | PaymentReceived
    | DepositReceived
    | PaymentReversed
    | CreditGranted
    | CreditRestChanged
    | DueDateSet
    | CardProblem
    | OwedRefund
    | InvoiceCredited
    | InvoiceWrittenOff
    | DepositInvoiced
    | ReturnReceived
    | ReturnInspected
)
Line = LineStanding | LineMilestones | LineInvoiced


@dataclass(frozen=True, slots=True)
class Fact:
    """A committed fact of another service; `sequence` rises with every fact of its source about its order.

    `detail` is None when orders does not know the kind, or a document is missing that facts of the kind carry; `document` is
    what is kept of it as JSON, so that a later release can read it.
    """

    fact_id: str
    kind: str
    source: str
    order_id: str
    subject_id: str
    sequence: int
    occurred_at: str
    detail: Detail | None
    document: Mapping[str, Any] = field(default_factory=dict)
