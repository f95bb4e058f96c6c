"""The table of the promise ledger."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Int64, Text, UtcDateTime

_IS_OPEN = text("outcome = 'open'")


class PromiseRow(Table, table=True):
    """Units of an order line promised for a day, by what, and what became of it; units that end apart get a row of their own."""

    __tablename__ = "promise"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="promise_order"),
        CheckConstraint("quantity > 0", name="promise_quantity"),
        CheckConstraint(
            "given_by IN ('acceptance', 'change', 'supply_change', 'fill', 'sourcing')", name="promise_given_by"
        ),
        CheckConstraint("outcome IN ('open', 'kept', 'broken', 'moved', 'withdrawn')", name="promise_outcome"),
        CheckConstraint("(outcome = 'open') = (ended_at IS NULL)", name="promise_ended_when_it_ended"),
        CheckConstraint("(outcome IN ('kept', 'broken')) = (ended_on <> '')", name="promise_delivered_on_a_day"),
        CheckConstraint("first_on <> ''", name="promise_had_a_day"),
        Index("promise_of_order", "order_id", "given_at"),
        Index("promise_open", "order_id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        Index("promise_delivered", "ended_on"),
        STRICT,
    )

    promise_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    line_id: str = Field(sa_type=Text)
    sku: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    promised_on: str = Field(sa_type=Text)
    first_on: str = Field(sa_type=Text)
    given_at: datetime = Field(sa_type=UtcDateTime)
    given_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_on: str = Field(default="", sa_type=Text)
    moved_to: str = Field(default="", sa_type=Text)
    why: str = Field(default="", sa_type=Text)
