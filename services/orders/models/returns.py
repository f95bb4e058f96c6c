"""Tables of returns: what is to come back, what has come, and what an inspection found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Flag, Int64, JsonText, Text, UtcDateTime

_IS_OPEN = text("ended_at IS NULL")


class ReturnRow(Table, table=True):
    """A return of an order. `closing` is why no more goods are wanted; `halted` is what its workflow ended by, if it did."""

    __tablename__ = "sales_return"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="sales_return_order"),
        UniqueConstraint("number", name="sales_return_number"),
        CheckConstraint(
            "state IN ('requested', 'authorized', 'denied', 'cancelled', 'expired', 'closed')",
            name="sales_return_state",
        ),
        CheckConstraint("closing IN ('', 'expired', 'cancelled')", name="sales_return_closing"),
        CheckConstraint("(ended_at IS NULL) = (state IN ('requested', 'authorized'))", name="sales_return_ended_at"),
        Index("sales_return_of_order", "order_id"),
        Index("sales_return_open", "number", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        STRICT,
    )

    return_id: str = Field(sa_type=Text, primary_key=True)
    number: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    requested_by: str = Field(sa_type=Text)
    requested_role: str = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    currency: str = Field(sa_type=Text)
    fee_percent: str = Field(sa_type=Text)
    fee_of_unit_minor: int | None = Field(default=None, sa_type=Int64)
    is_automatic: bool = Field(sa_type=Flag)
    decided_by: str = Field(sa_type=Text)
    decided_role: str = Field(sa_type=Text)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decision_note: str = Field(sa_type=Text)
    valid_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    is_announced: bool = Field(sa_type=Flag)
    closing: str = Field(sa_type=Text)
    is_closed: bool = Field(sa_type=Flag)
    halted: str = Field(sa_type=Text)
    override_reason: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    label_sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    in_transit_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    carrier: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    tracking_number: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ReturnLineRow(Table, table=True):
    """Units of an order line that are to come back."""

    __tablename__ = "sales_return_line"
    __table_args__ = (
        ForeignKeyConstraint(["return_id"], ["sales_return.return_id"], name="sales_return_line_return"),
        CheckConstraint(
            "quantity > 0 AND 0 <= inspected AND inspected <= received AND received <= quantity",
            name="sales_return_line_quantities",
        ),
        STRICT,
    )

    return_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64)
    sku: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    reason: str = Field(sa_type=Text)
    shipment_id: str = Field(sa_type=Text)
    received: int = Field(sa_type=Int64)
    inspected: int = Field(sa_type=Int64)


class ReturnInspectionRow(Table, table=True):
    """What an inspection found, and what it was credited by."""

    __tablename__ = "return_inspection"
    __table_args__ = (
        ForeignKeyConstraint(["return_id"], ["sales_return.return_id"], name="return_inspection_return"),
        CheckConstraint(
            "(credited_at IS NULL) = (credited_minor IS NULL) AND (credited_at IS NULL) = (fee_minor IS NULL)",
            name="return_inspection_credited",
        ),
        Index("return_inspection_of_return", "return_id", "position"),
        STRICT,
    )

    inspection_id: str = Field(sa_type=Text, primary_key=True)
    return_id: str = Field(sa_type=Text)
    position: int = Field(sa_type=Int64)
    warehouse_id: str = Field(sa_type=Text)
    units: Any = Field(sa_type=JsonText)
    inspected_by: str = Field(sa_type=Text)
    inspected_at: datetime = Field(sa_type=UtcDateTime)
    credited_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    credit_notes: Any = Field(sa_type=JsonText)
    credited_minor: int | None = Field(default=None, sa_type=Int64)
    fee_minor: int | None = Field(default=None, sa_type=Int64)
