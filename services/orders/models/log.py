"""Tables of what happened: events of orders, facts of other services."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Int64, JsonText, Text, UtcDateTime

_NOT_PROJECTED = text("state <> 'projected'")


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
        Index(
            "fact_not_projected", "received_at", "fact_id", sqlite_where=_NOT_PROJECTED, postgresql_where=_NOT_PROJECTED
        ),
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
