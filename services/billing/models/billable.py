"""Shipments that have left, and what became of each: an invoice, or that it waits for one."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.billing.domain.drafts import STATES as DRAFT_STATES
from services.billing.models.base import Table, counted, one_of
from services.kernel.invoicing import OF_SHIPMENTS
from services.runtime.db import STRICT, Int64, Text, UtcDateTime

_WAITS = text("invoice_id IS NULL")
_IS_HELD = text("draft_id <> ''")
_IS_OPEN = text("state IN ('draft', 'approved')")


class BillableShipment(Table, table=True):
    """A shipment that left: the one place that says which invoice bills it, so that none of its units is billed twice.

    `invoice_on` is the day its invoice is to bear, empty while nobody knows.
    """

    __tablename__ = "billable_shipment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="billable_shipment_account",
        ),
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="billable_shipment_invoice"),
        UniqueConstraint("shipment_id", name="billable_shipment_once"),
        CheckConstraint(one_of("policy", OF_SHIPMENTS), name="billable_shipment_policy"),
        CheckConstraint("amount_minor >= 0", name="billable_shipment_amount"),
        Index("billable_shipment_of_order", "order_id"),
        Index("billable_shipment_of_invoice", "invoice_id"),
        Index("billable_shipment_due", "invoice_on", "order_id", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("billable_shipment_of_draft", "draft_id", sqlite_where=_IS_HELD, postgresql_where=_IS_HELD),
        STRICT,
    )
    position: int | None = Field(default=None, sa_type=Int64, primary_key=True)
    shipment_id: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    order_number: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    policy: str = Field(sa_type=Text)
    shipped_on: str = Field(sa_type=Text)
    invoice_on: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    draft_id: str = Field(sa_type=Text)
    invoice_id: str | None = Field(default=None, sa_type=Text)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class InvoicingBlock(Table, table=True):
    """An order whose next version is being made: no invoice is made from an older one until then."""

    __tablename__ = "invoicing_block"
    __table_args__ = (STRICT,)
    order_id: str = Field(sa_type=Text, primary_key=True)
    least_version: int = Field(sa_type=Int64)
    blocked_until: datetime = Field(sa_type=UtcDateTime)


class InvoiceDraft(Table, table=True):
    """An invoice that somebody prepares by hand: it holds its shipments and has no number."""

    __tablename__ = "invoice_draft"
    __table_args__ = (
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="invoice_draft_invoice"),
        CheckConstraint(one_of("state", DRAFT_STATES), name="invoice_draft_state"),
        CheckConstraint("(state = 'posted') = (invoice_id IS NOT NULL)", name="invoice_draft_posted"),
        Index("invoice_draft_open", "draft_id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        STRICT,
    )
    draft_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    order_number: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    state: str = Field(sa_type=Text)
    made_by: str = Field(sa_type=Text)
    made_at: datetime = Field(sa_type=UtcDateTime)
    approved_by: str = Field(sa_type=Text)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: str = Field(sa_type=Text)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    invoice_id: str | None = Field(default=None, sa_type=Text)


class BillableLine(Table, table=True):
    """Units of an order line in a shipment that was not invoiced as it left, and how many of them invoices of parts of it bill."""

    __tablename__ = "billable_line"
    __table_args__ = (
        ForeignKeyConstraint(["shipment_id"], ["billable_shipment.shipment_id"], name="billable_line_shipment"),
        CheckConstraint("quantity > 0", name="billable_line_quantity"),
        CheckConstraint("billed_quantity >= 0 AND billed_quantity <= quantity", name="billable_line_billed"),
        STRICT,
    )
    shipment_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    quantity: int = Field(sa_type=Int64)
    billed_quantity: int = counted()


class BillablePart(Table, table=True):
    """Units of a shipment's line on an invoice that bills a part of the shipment."""

    __tablename__ = "billable_part"
    __table_args__ = (
        ForeignKeyConstraint(
            ["shipment_id", "line_id"],
            ["billable_line.shipment_id", "billable_line.line_id"],
            name="billable_part_line",
        ),
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="billable_part_invoice"),
        CheckConstraint("quantity > 0", name="billable_part_quantity"),
        Index("billable_part_of_invoice", "invoice_id"),
        STRICT,
    )
    shipment_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    invoice_id: str = Field(sa_type=Text, primary_key=True)
    quantity: int = Field(sa_type=Int64)
