"""Shapes of an order: the document, its lines with their quantities, shipments, invoices, holds, and the receipt."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from gateway.http.orders.cancellation_shapes import CancellationConsequences
from gateway.http.orders.change_shapes import ChangeShape
from gateway.http.orders.exchange_shapes import ReplacesShape
from gateway.http.orders.review_shapes import ReviewShape
from gateway.http.plumbing.shapes import AddressShape, MoneyShape, TotalsShape
from services.orders.domain.order import KINDS, PHASES
from services.orders.domain.status import STATUS_VALUES


class OrderLinks(BaseModel):
    """Where the order is read and changed."""

    order: str
    history: str
    stream: str
    cancellation: str


class OrderReceipt(BaseModel):
    """The answer to placing an order; a rejection is an answer too."""

    order_id: str
    number: str
    version: int
    status: str = Field(description="received while the verdict is not in yet.", examples=["accepted"])
    phase: str = Field(description=", ".join(PHASES))
    reasons: list[str] = Field(
        description="Codes of the rules that spoke, BLOCK first; a customer reads those that reject the order."
    )
    totals: TotalsShape
    tax_source: str = Field(
        default="rates",
        description="rates, engine, or pending: nobody knows the tax yet, so that the totals have none and the order is held.",
    )
    links: OrderLinks


class Quantities(BaseModel):
    """Units of a line; cumulative from allocated to delivered."""

    ordered: int = Field(description="Canceled and closed ones included.")
    cancelled: int
    closed: int = Field(description="Given up by closing the line, which is not canceled.")
    backordered: int = Field(description="Waiting for supply.")
    allocated: int = Field(description="Held for it, shipped ones included.")
    released: int = Field(description="Given to a warehouse.")
    picked: int
    packed: int
    shipped: int
    delivered: int
    invoiced: int
    returned: int


class LinePromise(BaseModel):
    """A promised day of some units."""

    quantity: int
    promised_on: str | None = Field(description="Null while supply has no date.")


class OrderLine(BaseModel):
    """A line as placed, and how far it has come."""

    line_id: str
    sku: str
    description: str
    kind: str = Field(description=", ".join(KINDS))
    quantity: int = Field(description="Units that this version wants; quantities says what was ordered and canceled.")
    unit_price: str = Field(description="Decimal text in the order's currency.", examples=["129.00"])
    extended: MoneyShape = Field(description="unit_price × quantity, rounded once.")
    price_source: str = Field(description="agreement, list, given or none.")
    tax_category: str = Field(description="Its product's, when it was placed.", examples=["standard"])
    tax_rate: str = Field(description="The fraction at which it is taxed where it goes.", examples=["0.0825"])
    quantities: Quantities
    expected_on: str | None = Field(description="When supply of what is backordered is expected.")
    promises: list[LinePromise] = Field(description="When how many units are promised.")


class HoldShape(BaseModel):
    """A reason why the order must wait; released_at is null while it stands. A customer reads plain words in place of ours, and no bounds."""

    hold_id: str
    code: str = Field(description="The rule that placed it.")
    hold_type: str = Field(examples=["credit"])
    owner_role: str = Field(description="Who may release it.")
    reason: str
    placed_at: str
    released_at: str | None
    released_by: str | None
    up_to: str | None = Field(
        description="What it was released for at most, in the order's currency; null for whatever it is."
    )
    until: str | None = Field(description="The last day on which goods may leave by its release; null for good.")


class ViolationShape(BaseModel):
    """A rule that spoke when the order was validated; line_id is empty for the whole order."""

    code: str
    severity: str = Field(description="BLOCK, HOLD or WARN.")
    message: str
    line_id: str


class OrderCancellation(BaseModel):
    """A request to cancel an order or a part of it, or to close lines, and its outcome."""

    cancellation_id: str
    state: str = Field(description="requested, done or declined.")
    reason: str
    requested_at: str
    settled_at: str | None = Field(description="Null while it is requested.")
    settled_reason: str = Field(description="Why it was declined, or what a warehouse kept; else empty.")
    consequences: CancellationConsequences | None = Field(
        description="What it comes to, and once it is done what it came to; null for who does not see prices."
    )


class OrderShipmentLine(BaseModel):
    """Units of a line in a shipment."""

    line_id: str
    sku: str
    quantity: int


class OrderPackage(BaseModel):
    """A package of a shipment that has left."""

    number: int = Field(description="Counts the packages of the shipment from 1.")
    sscc: str | None = Field(description="Its serial shipping container code.")
    tracking_number: str
    weight_grams: int


class OrderShipment(BaseModel):
    """A shipment of the order."""

    shipment_id: str
    number: str
    state: str
    warehouse_id: str | None
    carrier: str | None
    tracking_number: str | None = Field(description="That of its first package.")
    packages: list[OrderPackage] = Field(description="None before it ships, and for a service visit.")
    promised_on: str | None
    is_service: bool
    shipped_at: str | None
    delivered_at: str | None
    exception_at: str | None = Field(description="When the carrier last told of a problem on the way.")
    intercepted_at: str | None = Field(description="When the carrier stopped it on its way: it comes back.")
    lines: list[OrderShipmentLine]


class OrderInvoice(BaseModel):
    """An invoice of the order."""

    invoice_id: str
    number: str
    shipment_id: str = Field(
        description="The shipment it bills, the first of several; empty where it was made at order, or charges a fee."
    )
    shipment_ids: list[str] = Field(description="All that it bills.")
    fee_id: str = Field(
        description="The cancellation whose fee it charges, which is none of what the order comes to; else empty."
    )
    total: MoneyShape
    paid: MoneyShape
    discount_taken: MoneyShape = Field(description="For paying early.")
    credited: MoneyShape = Field(description="What its credit notes come to.")
    written_off: MoneyShape = Field(description="Given up: nobody will pay it.")
    invoiced_on: str
    due_on: str | None = Field(
        description="When the first of what is open is due; null while it waits for its goods to be delivered."
    )
    status: str


class WaitingForShape(BaseModel):
    """Whom the order waits for."""

    who: str = Field(description="A role, or system, carrier, supplier; a customer reads `us` for our roles.")
    what: str
    since: str
    due: str | None


class AxesShape(BaseModel):
    """The independent axes behind the status word."""

    review: str = Field(description="received, in_review, accepted, rejected, withdrawn or expired.")
    fulfilment: str = Field(
        description="unrouted, allocated, part_released, fully_released, part_shipped, fully_shipped, delivered or closed."
    )
    billing: str = Field(description="none, part or full.")
    payment: str = Field(description="unpaid, deposit (money is held for it, nothing is invoiced), part, paid or over.")
    holds: list[str] = Field(description="Types of the open holds; a customer reads `being checked`.")
    returns: str = Field(description="none, open, part or full.")


class OrderSummary(BaseModel):
    """A row of the overview."""

    order_id: str
    number: str
    version: int
    status: str = Field(description=", ".join(STATUS_VALUES))
    phase: str = Field(description=", ".join(PHASES))
    axes: AxesShape
    channel: str
    channel_ref: str
    customer_id: str
    customer_name: str
    po_number: str
    total: MoneyShape
    placed_at: str
    changed_at: str
    waiting_for: WaitingForShape | None


class SettlementShape(BaseModel):
    """An order's money that a marketplace or a till has taken."""

    reference: str
    tax_remitted: bool = Field(description="The order's tax is its own, which it remits itself.")
    fees: MoneyShape | None = Field(
        description="Fees that it has announced; null for customers and for who sees no money."
    )


class OrderDocument(BaseModel):
    """The whole order."""

    order_id: str
    number: str
    version: int = Field(description="Rises with each change that is made; give it back with a change.")
    status: str = Field(description=", ".join(STATUS_VALUES))
    phase: str = Field(description=", ".join(PHASES))
    axes: AxesShape
    waiting_for: WaitingForShape | None = Field(description="Null when it waits for nobody.")
    customer_id: str
    customer_name: str
    channel: str
    channel_ref: str
    po_number: str
    currency: str
    payment_method: str
    bill_to_id: str = Field(
        description="The account that is billed, where it is another than the customer's; else empty."
    )
    settlement: SettlementShape | None = Field(
        description="What the marketplace or the till says that took the money; null for other orders."
    )
    net_days: int = Field(description="Days until an invoice is due; `terms` say from when on.")
    terms: str = Field(description="Its customer's payment terms when it was placed.", examples=["2/10 net 30"])
    tax_on: str | None = Field(description="The day whose tax rates it has; null for one of before that was kept.")
    tax_exemption: str = Field(description="The certificate under which it is not taxed; else empty.")
    tax_source: str = Field(
        description="Who says its tax: rates (ours, or its marketplace's own), engine (an external one), or pending: the engine has "
        "not answered yet, so the order has no tax and is held, and goes on by itself.",
        examples=["rates"],
    )
    invoicing: Literal["per_shipment", "per_delivery", "weekly", "monthly", "manual", "at_order", "exchange"] = Field(
        description="When what has shipped of it is invoiced, by its customer's policy when it was placed; at_order is whole, once it is accepted. An exchange replaces returned goods: only those of an advance that did not come are. Always per_shipment where it "
        "is paid by card, prepaid, cod or settled_elsewhere."
    )
    ship_to: AddressShape
    requested_on: str | None
    cancel_after: str | None = Field(
        description="What has not shipped by the end of this day is canceled; null without one."
    )
    ship_complete: bool
    placed_at: str
    placed_by: str
    on_behalf_of: str
    note: str = Field(description="A customer reads its own, none of ours.")
    totals: TotalsShape
    discount_minimum: MoneyShape | None = Field(
        default=None,
        description="From what of goods on it has its discount; null without one, and for who sees no money.",
    )
    claws_back: bool = Field(
        default=False,
        description="Whether that discount is taken back when less is kept, as the policy said when it was placed.",
    )
    lines: list[OrderLine]
    holds: list[HoldShape]
    violations: list[ViolationShape]
    reviews: list[ReviewShape] = Field(
        description="What people were asked, oldest first; a customer sees its own chain."
    )
    change: ChangeShape | None = Field(description="The change that is on its way, beside what stands.")
    versions: int = Field(description="How many versions it has had; /versions shows them.")
    cancellations: list[OrderCancellation]
    shipments: list[OrderShipment]
    invoices: list[OrderInvoice]
    returns: list[str] = Field(description="Numbers of its returns, oldest first.")
    replaces: ReplacesShape | None = Field(description="The return whose goods it replaces; null for any other order.")
    event_sequence: int = Field(description="The number of its newest change.")
    links: OrderLinks
