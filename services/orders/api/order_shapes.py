"""Shapes of an order: the document, its lines with their quantities, shipments, invoices, holds, and the receipt."""

from __future__ import annotations

from pydantic import BaseModel, Field

from services.orders.api.change_shapes import ChangeShape
from services.orders.api.review_shapes import ReviewShape
from services.orders.api.shapes import AddressShape, MoneyShape, TotalsShape


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
    phase: str
    reasons: list[str] = Field(
        description="Codes of the rules that spoke, BLOCK first; a customer reads those that reject the order."
    )
    totals: TotalsShape
    links: OrderLinks


class Quantities(BaseModel):
    """Units of a line; cumulative from allocated to delivered."""

    ordered: int
    cancelled: int
    backordered: int
    allocated: int
    released: int
    picked: int
    packed: int
    shipped: int
    delivered: int
    invoiced: int
    returned: int


class LinePromise(BaseModel):
    """A promised day of some units."""

    quantity: int
    promised_on: str | None


class OrderLine(BaseModel):
    """A line as placed, and how far it has come."""

    line_id: str
    sku: str
    description: str
    kind: str
    quantity: int
    unit_price: str
    extended: MoneyShape
    price_source: str = Field(description="agreement, list, given or none.")
    quantities: Quantities
    expected_on: str | None = Field(description="When supply of what is backordered is expected.")
    promises: list[LinePromise] = Field(description="When how many units are promised.")


class HoldShape(BaseModel):
    """A reason why the order must wait; released_at is null while it stands. A customer reads plain words in place of ours."""

    hold_id: str
    code: str
    hold_type: str
    owner_role: str
    reason: str
    placed_at: str
    released_at: str | None
    released_by: str | None


class ViolationShape(BaseModel):
    """A rule that spoke when the order was validated; line_id is empty for the whole order."""

    code: str
    severity: str
    message: str
    line_id: str


class OrderCancellation(BaseModel):
    """A request to cancel, and its outcome."""

    cancellation_id: str
    state: str
    reason: str
    requested_at: str
    settled_at: str | None
    settled_reason: str


class OrderShipmentLine(BaseModel):
    """Units of a line in a shipment."""

    line_id: str
    sku: str
    quantity: int


class OrderShipment(BaseModel):
    """A shipment of the order."""

    shipment_id: str
    number: str
    state: str
    warehouse_id: str | None
    carrier: str | None
    tracking_number: str | None
    promised_on: str | None
    is_service: bool
    shipped_at: str | None
    delivered_at: str | None
    exception_at: str | None = Field(description="When the carrier last told of a problem on the way.")
    lines: list[OrderShipmentLine]


class OrderInvoice(BaseModel):
    """An invoice of the order."""

    invoice_id: str
    number: str
    shipment_id: str
    total: MoneyShape
    paid: MoneyShape
    invoiced_on: str
    due_on: str
    status: str


class WaitingForShape(BaseModel):
    """Whom the order waits for."""

    who: str = Field(description="A role, or system, carrier, supplier; a customer reads `us` for our roles.")
    what: str
    since: str
    due: str | None


class AxesShape(BaseModel):
    """The independent axes behind the status word."""

    review: str
    fulfilment: str
    billing: str
    payment: str
    holds: list[str] = Field(description="Types of the open holds; a customer reads `being checked`.")
    returns: str


class OrderSummary(BaseModel):
    """A row of the overview."""

    order_id: str
    number: str
    version: int
    status: str
    phase: str
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


class OrderDocument(BaseModel):
    """The whole order."""

    order_id: str
    number: str
    version: int
    status: str
    phase: str
    axes: AxesShape
    waiting_for: WaitingForShape | None
    customer_id: str
    customer_name: str
    channel: str
    channel_ref: str
    po_number: str
    currency: str
    payment_method: str
    net_days: int
    ship_to: AddressShape
    requested_on: str | None
    ship_complete: bool
    placed_at: str
    placed_by: str
    on_behalf_of: str
    note: str = Field(description="A customer reads its own, none of ours.")
    totals: TotalsShape
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
    returns: list[str]
    event_sequence: int = Field(description="The number of its newest change.")
    links: OrderLinks
