"""The tables of notifications: deliveries in the order of their requests, and the verdict sent about each order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.runtime.db import STRICT, Int64, JsonText, Text, UtcDateTime

UNDER_WAY = text("state IN ('waiting', 'sending')")
"""Not yet sent and not dead. Queries repeat the condition of the index word for word, so that the index is used."""


class Table(SQLModel, registry=registry()):
    """Tables of notifications."""


class DeliveryRow(Table, table=True):
    """One mail to one mailbox; `position` is the order of the requests."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("delivery_id"),
        UniqueConstraint("event_id", "email", name="deliveries_once"),
        CheckConstraint("state IN ('waiting', 'sending', 'sent', 'dead')", name="deliveries_state"),
        CheckConstraint("attempts >= 0", name="deliveries_attempts"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="deliveries_sent_at"),
        CheckConstraint("state <> 'dead' OR last_error <> ''", name="deliveries_dead_says_why"),
        CheckConstraint("(state = 'sending') = (lease_until IS NOT NULL)", name="deliveries_lease"),
        Index("deliveries_in_order", "order_id", "email", "position"),
        Index("deliveries_under_way", "position", sqlite_where=UNDER_WAY, postgresql_where=UNDER_WAY),
        {**STRICT, "sqlite_autoincrement": True},
    )

    position: int | None = Field(default=None, sa_type=Int64, primary_key=True)
    delivery_id: str = Field(sa_type=Text)
    event_id: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    order_number: str = Field(sa_type=Text)
    email: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    variables: dict[str, Any] = Field(sa_type=JsonText)
    attachment: dict[str, str] = Field(sa_type=JsonText, sa_column_kwargs={"server_default": "{}"})
    state: str = Field(sa_type=Text)
    attempts: int = Field(sa_type=Int64)
    last_error: str = Field(sa_type=Text)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_by: str = Field(default="", sa_type=Text)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class VerdictRow(Table, table=True):
    """How an order was decided, as its readers were notified: accepted or rejected, once."""

    __tablename__ = "verdicts"
    __table_args__ = (
        CheckConstraint("kind IN ('order_accepted', 'order_rejected')", name="verdicts_kind"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
