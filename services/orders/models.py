"""Tables of orders: shape and constraints only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.runtime.db import STRICT, Flag, Int64, JsonText, Text, UtcDateTime
from services.runtime.idempotency import answers_table
from services.runtime.outbox import outbox_table


class Table(SQLModel, registry=registry()):
    """Tables of orders."""


outbox = outbox_table(Table.metadata)
answers = answers_table(Table.metadata)


class CounterRow(Table, table=True):
    """The last sales order number given."""

    __tablename__ = "counter"
    __table_args__ = (STRICT,)

    name: str = Field(sa_type=Text, primary_key=True)
    value: int = Field(sa_type=Int64)


class CustomerRow(Table, table=True):
    """A customer account."""

    __tablename__ = "customer"
    __table_args__ = (
        CheckConstraint("net_days >= 0", name="customer_net_days_not_negative"),
        CheckConstraint("duplicate_po IN ('allow', 'warn', 'hold', 'block')", name="customer_duplicate_po_known"),
        Index("customer_of_sales_rep", "sales_rep"),
        STRICT,
    )

    customer_id: str = Field(sa_type=Text, primary_key=True)
    name: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    is_active: bool = Field(sa_type=Flag)
    tier: str = Field(sa_type=Text)
    net_days: int = Field(sa_type=Int64)
    tax_rate: str = Field(sa_type=Text)
    contact_email: str = Field(sa_type=Text)
    accounting_email: str = Field(sa_type=Text)
    sales_rep: str = Field(sa_type=Text)
    sales_rep_email: str = Field(sa_type=Text)
    allowed_ship_tos: Any = Field(sa_type=JsonText)
    free_multiple_skus: Any = Field(sa_type=JsonText)
    duplicate_po: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(sa_type=Text)


class ProductRow(Table, table=True):
    """A SKU of the catalogue; prices are decimal text."""

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("kind IN ('stock', 'build_to_order', 'service')", name="product_kind_known"),
        CheckConstraint("multiple >= 1 AND min_quantity >= 1 AND weight_grams >= 0", name="product_quantities_sound"),
        STRICT,
    )

    sku: str = Field(sa_type=Text, primary_key=True)
    description: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    list_price: str = Field(sa_type=Text)
    standard_cost: str = Field(sa_type=Text)
    weight_grams: int = Field(sa_type=Int64)
    multiple: int = Field(sa_type=Int64)
    min_quantity: int = Field(sa_type=Int64)
    is_sellable: bool = Field(sa_type=Flag)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(sa_type=Text)


class PriceAgreementRow(Table, table=True):
    """What a customer pays for a SKU; days are ISO text, valid_to empty for ever."""

    __tablename__ = "price_agreement"
    __table_args__ = (
        ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name="price_agreement_customer"),
        CheckConstraint("valid_to = '' OR valid_to >= valid_from", name="price_agreement_days_in_order"),
        STRICT,
    )

    customer_id: str = Field(sa_type=Text, primary_key=True)
    sku: str = Field(sa_type=Text, primary_key=True)
    valid_from: str = Field(sa_type=Text, primary_key=True)
    valid_to: str = Field(sa_type=Text)
    price: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(sa_type=Text)


class PolicyRow(Table, table=True):
    """A version of the validation policy; versions are only added."""

    __tablename__ = "policy"
    __table_args__ = (CheckConstraint("version >= 1", name="policy_version_positive"), STRICT)

    version: int = Field(sa_type=Int64, primary_key=True)
    document: Any = Field(sa_type=JsonText)
    stored_at: datetime = Field(sa_type=UtcDateTime)
    stored_by: str = Field(sa_type=Text)


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
            "channel_ref",
            unique=True,
            sqlite_where=text("channel_ref <> ''"),
            postgresql_where=text("channel_ref <> ''"),
        ),
        Index("sales_order_po", "customer_id", "po_number"),
        Index("sales_order_placed", "placed_at", "order_id"),
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
    po_number: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    payment_method: str = Field(sa_type=Text)
    net_days: int = Field(sa_type=Int64)
    tax_rate: str = Field(sa_type=Text)
    ship_to: Any = Field(sa_type=JsonText)
    requested_on: str = Field(sa_type=Text)
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
    cleared_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    is_backorder_told: bool = Field(sa_type=Flag)
    event_count: int = Field(sa_type=Int64)
    request_scope: str = Field(sa_type=Text)
    request_key: str = Field(sa_type=Text)
    request_sha256: str = Field(sa_type=Text)
    start_fact_id: str = Field(sa_type=Text)
    first_answer: Any = Field(default=None, sa_type=JsonText, nullable=True)


class LineRow(Table, table=True):
    """A line of an order: a snapshot of catalogue and price."""

    __tablename__ = "order_line"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_line_order"),
        CheckConstraint("quantity >= 1", name="order_line_quantity_positive"),
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
    unit_price: str = Field(sa_type=Text)
    extended_minor: int = Field(sa_type=Int64)
    reference_price: str = Field(sa_type=Text)
    price_source: str = Field(sa_type=Text)
    unit_weight_grams: int = Field(sa_type=Int64)
    is_known: bool = Field(sa_type=Flag)


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
    changed_at: datetime = Field(sa_type=UtcDateTime)


class HoldRow(Table, table=True):
    """A hold: open while released_at is null."""

    __tablename__ = "hold"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="hold_order"),
        UniqueConstraint("order_id", "code", name="hold_once_a_rule"),
        CheckConstraint("(released_at IS NULL) = (released_by = '')", name="hold_released_by_somebody"),
        STRICT,
    )

    hold_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text)
    hold_type: str = Field(sa_type=Text)
    owner_role: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    placed_at: datetime = Field(sa_type=UtcDateTime)
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    released_by: str = Field(sa_type=Text)
    released_role: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)


class ViolationRow(Table, table=True):
    """A rule that spoke when an order was validated, and the policy version it belongs to."""

    __tablename__ = "violation"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="violation_order"),
        CheckConstraint("severity IN ('BLOCK', 'HOLD', 'WARN')", name="violation_severity_known"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64, primary_key=True)
    order_version: int = Field(sa_type=Int64)
    policy_version: int = Field(sa_type=Int64)
    code: str = Field(sa_type=Text)
    severity: str = Field(sa_type=Text)
    line_id: str = Field(sa_type=Text)
    message: str = Field(sa_type=Text)
    hold_type: str = Field(sa_type=Text)
    owner_role: str = Field(sa_type=Text)


class CancellationRow(Table, table=True):
    """A request to cancel an order; at most one waits for its outcome."""

    __tablename__ = "cancellation"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="cancellation_order"),
        CheckConstraint("state IN ('requested', 'done', 'declined')", name="cancellation_state_known"),
        Index(
            "cancellation_one_open",
            "order_id",
            unique=True,
            sqlite_where=text("state = 'requested'"),
            postgresql_where=text("state = 'requested'"),
        ),
        STRICT,
    )

    cancellation_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    requested_by: str = Field(sa_type=Text)
    requested_role: str = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    request_fact_id: str = Field(sa_type=Text)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_reason: str = Field(sa_type=Text)


class EventRow(Table, table=True):
    """One change of an order: rows are only added, and count 1, 2, 3, … within their order."""

    __tablename__ = "order_event"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_event_order"),
        CheckConstraint("sequence >= 1", name="order_event_sequence_positive"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    sequence: int = Field(sa_type=Int64, primary_key=True)
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    who: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    what: str = Field(sa_type=Text)
    why: str = Field(sa_type=Text)
    before: Any = Field(sa_type=JsonText)
    after: Any = Field(sa_type=JsonText)


class FactRow(Table, table=True):
    """A fact of another service, kept once; `state` is projected, unknown, orphaned or unreadable."""

    __tablename__ = "fact"
    __table_args__ = (
        CheckConstraint("state IN ('projected', 'unknown', 'orphaned', 'unreadable')", name="fact_state_known"),
        Index("fact_order", "order_id"),
        STRICT,
    )

    fact_id: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    subject_id: str = Field(sa_type=Text)
    sequence: int = Field(sa_type=Int64)
    occurred_at: str = Field(sa_type=Text)
    detail: Any = Field(sa_type=JsonText)
    state: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=UtcDateTime)


class LateFactRow(Table, table=True):
    """A signal whose workflow had ended or never was: kept for people to look at."""

    __tablename__ = "late_fact"
    __table_args__ = (STRICT,)

    fact_id: str = Field(sa_type=Text, primary_key=True)
    signal: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    subject_id: str = Field(sa_type=Text)
    arrived_at: datetime = Field(sa_type=UtcDateTime)
