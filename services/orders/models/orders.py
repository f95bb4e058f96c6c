"""Tables of the order itself: its number, lines and standing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, false, text
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Flag, Int64, JsonText, Text, UtcDateTime


class CounterRow(Table, table=True):
    """The last number given of each series: sales orders, support cases."""

    __tablename__ = "counter"
    __table_args__ = (STRICT,)

    name: str = Field(sa_type=Text, primary_key=True)
    value: int = Field(sa_type=Int64)


_HAS_PO = text("po_key <> ''")
_IS_DATED = text("cancel_after <> '' AND ended_at IS NULL")
_HAS_LIVING_REF = text("channel_key <> '' AND phase NOT IN ('rejected', 'cancelled', 'expired', 'failed')")


class OrderRow(Table, table=True):
    """A sales order as placed, and its phase."""

    __tablename__ = "sales_order"
    __table_args__ = (
        UniqueConstraint("number", name="sales_order_number_once"),
        UniqueConstraint("request_scope", "request_key", name="sales_order_request_once"),
        CheckConstraint("version >= 1", name="sales_order_version_positive"),
        CheckConstraint(
            "phase IN ('received', 'in_review', 'accepted', 'rejected', 'cancelled', 'closed', 'expired', 'failed')",
            name="sales_order_phase_known",
        ),
        CheckConstraint(
            "total_minor = merchandise_minor - discount_minor + freight_minor + tax_minor",
            name="sales_order_total_adds_up",
        ),
        CheckConstraint(
            "merchandise_minor >= 0 AND discount_minor >= 0 AND freight_minor >= 0 AND tax_minor >= 0",
            name="sales_order_amounts_not_negative",
        ),
        CheckConstraint(
            "(ended_at IS NOT NULL) = (phase IN ('rejected', 'cancelled', 'closed', 'expired', 'failed'))",
            name="sales_order_ended_when_it_ended",
        ),
        ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name="sales_order_customer"),
        Index(
            "sales_order_channel_ref_once",
            "channel",
            "ref_issuer",
            "channel_key",
            unique=True,
            sqlite_where=_HAS_LIVING_REF,
            postgresql_where=_HAS_LIVING_REF,
        ),
        # partial, so that no list of a customer's orders is read in the order of their purchase orders
        Index("sales_order_po", "customer_id", "po_key", "placed_at", sqlite_where=_HAS_PO, postgresql_where=_HAS_PO),
        # few orders have such a day, and fewer live when it has passed
        Index("sales_order_cancel_after", "cancel_after", sqlite_where=_IS_DATED, postgresql_where=_IS_DATED),
        Index("sales_order_placed", "placed_at", "order_id"),
        Index("sales_order_of_customer", "customer_id", "placed_at"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    number: str = Field(sa_type=Text)
    version: int = Field(sa_type=Int64)
    phase: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    customer_name: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    channel_ref: str = Field(sa_type=Text)
    channel_key: str = Field(sa_type=Text)
    ref_issuer: str = Field(sa_type=Text)
    po_number: str = Field(sa_type=Text)
    po_key: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    payment_method: str = Field(sa_type=Text)
    deposit_terms: str = Field(sa_type=Text)
    bill_to_id: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    settlement: Any = Field(default=None, sa_type=JsonText, nullable=True)
    net_days: int = Field(sa_type=Int64)
    terms: str = Field(sa_type=Text)
    calendar: str = Field(sa_type=Text)
    invoicing: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "per_shipment"})
    tax_rate: str = Field(sa_type=Text)
    taxation: Any = Field(default=None, sa_type=JsonText, nullable=True)
    customer_tax_id: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    ship_to: Any = Field(sa_type=JsonText)
    requested_on: str = Field(sa_type=Text)
    cancel_after: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    is_ship_complete: bool = Field(sa_type=Flag)
    placed_at: datetime = Field(sa_type=UtcDateTime)
    placed_by: str = Field(sa_type=Text)
    placed_by_role: str = Field(sa_type=Text)
    on_behalf_of: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    merchandise_minor: int = Field(sa_type=Int64)
    discount_minor: int = Field(sa_type=Int64)
    freight_minor: int = Field(sa_type=Int64)
    tax_minor: int = Field(sa_type=Int64)
    total_minor: int = Field(sa_type=Int64)
    discount_minimum_minor: int = Field(default=0, sa_type=Int64, sa_column_kwargs={"server_default": "0"})
    claws_back: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
    cleared_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    is_backorder_notified: bool = Field(sa_type=Flag)
    event_count: int = Field(sa_type=Int64)
    request_scope: str = Field(sa_type=Text)
    request_key: str = Field(sa_type=Text)
    request_sha256: str = Field(sa_type=Text)
    start_fact_id: str = Field(sa_type=Text)
    first_answer: Any = Field(default=None, sa_type=JsonText, nullable=True)


class LineRow(Table, table=True):
    """A line of an order: a snapshot of catalog and price. `closed` of its `cancelled` units were given up by closing it."""

    __tablename__ = "order_line"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_line_order"),
        CheckConstraint(
            "quantity >= 0 AND cancelled >= 0 AND quantity + cancelled >= 1", name="order_line_quantity_positive"
        ),
        CheckConstraint("extended_minor >= 0", name="order_line_extended_not_negative"),
        Index("order_line_sku", "sku"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64, primary_key=True)
    line_id: str = Field(sa_type=Text)
    sku: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    cancelled: int = Field(default=0, sa_type=Int64, sa_column_kwargs={"server_default": "0"})
    closed: int = Field(default=0, sa_type=Int64, sa_column_kwargs={"server_default": "0"})
    unit_price: str = Field(sa_type=Text)
    extended_minor: int = Field(sa_type=Int64)
    reference_price: str = Field(sa_type=Text)
    price_source: str = Field(sa_type=Text)
    unit_weight_grams: int = Field(sa_type=Int64)
    is_known: bool = Field(sa_type=Flag)
    is_hazardous: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
    tax_category: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "standard"})
    tax_code: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    tax_rate: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    tax_reason: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})


class ProgressRow(Table, table=True):
    """What facts came to, and a cache of what derives from it: recomputed in every transaction that changes the order."""

    __tablename__ = "order_progress"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_progress_order"),
        Index("order_progress_status", "status"),
        Index("order_progress_waiting", "waiting_who"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    progress: Any = Field(sa_type=JsonText)
    promises: Any = Field(sa_type=JsonText)
    status: str = Field(sa_type=Text)
    review: str = Field(sa_type=Text)
    fulfilment: str = Field(sa_type=Text)
    billing: str = Field(sa_type=Text)
    payment: str = Field(sa_type=Text)
    returns: str = Field(sa_type=Text)
    hold_types: str = Field(sa_type=Text)
    waiting_who: str = Field(sa_type=Text)
    waiting_what: str = Field(sa_type=Text)
    waiting_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    waiting_due: str = Field(sa_type=Text)
    is_asked: bool = Field(sa_type=Flag)
    changed_at: datetime = Field(sa_type=UtcDateTime)
