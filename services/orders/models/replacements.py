"""Tables of exchanges: which orders replace goods of a return, and how many units of which line."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Flag, Int64, Text, UtcDateTime


class ReplacementOrderRow(Table, table=True):
    """An order in place of what an inspection found, or of a whole return in advance; one with documents and one without of each."""

    __tablename__ = "replacement_order"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="replacement_order_order"),
        ForeignKeyConstraint(["return_id"], ["sales_return.return_id"], name="replacement_order_return"),
        UniqueConstraint("return_id", "subject", "is_documented", name="replacement_order_once"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    return_id: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    is_documented: bool = Field(sa_type=Flag)
    placed_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ReplacementLineRow(Table, table=True):
    """Units of a replacement's line in place of those of a return's line."""

    __tablename__ = "replacement_line"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["replacement_order.order_id"], name="replacement_line_order"),
        CheckConstraint("quantity > 0", name="replacement_line_quantity"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    order_line_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
