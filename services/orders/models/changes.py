"""Tables of change orders and of the versions that they left behind."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Flag, Int64, JsonText, Text, UtcDateTime

_PENDING = text("state IN ('awaiting_customer', 'in_review', 'agreed', 'awaiting_warehouse')")


class ChangeRow(Table, table=True):
    """A change order; at most one of an order is pending. `becomes` is the version it makes, as order_version keeps one.

    `last_line_id` is the highest id that a line of the order ever got, those of this change included; older releases kept none.
    """

    __tablename__ = "change_order"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="change_order_order"),
        CheckConstraint(
            "state IN ('awaiting_customer', 'in_review', 'agreed', 'awaiting_warehouse', 'applied', 'declined', "
            "'expired', 'rejected', 'withdrawn')",
            name="change_order_state_known",
        ),
        CheckConstraint("to_version = from_version + 1", name="change_order_next_version"),
        CheckConstraint(
            "(ended_at IS NOT NULL) = (state IN ('applied', 'declined', 'expired', 'rejected', 'withdrawn'))",
            name="change_order_ended_when_it_ended",
        ),
        CheckConstraint(
            "resumed_at IS NULL OR withholds_until IS NOT NULL", name="change_order_resumed_what_it_withheld"
        ),
        CheckConstraint(
            "recall_asked_at IS NOT NULL OR (answer_due_at IS NULL AND silence_steps = 0)",
            name="change_order_silence_of_a_recall",
        ),
        CheckConstraint("(consented_at IS NULL) = (consented_by = '')", name="change_order_consent_by_somebody"),
        Index("change_order_one_pending", "order_id", unique=True, sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("change_order_of_order", "order_id", "proposed_at"),
        STRICT,
    )

    change_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    from_version: int = Field(sa_type=Int64)
    to_version: int = Field(sa_type=Int64)
    state: str = Field(sa_type=Text)
    proposed_by: str = Field(sa_type=Text)
    proposed_role: str = Field(sa_type=Text)
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    request: Any = Field(sa_type=JsonText)
    becomes: Any = Field(sa_type=JsonText)
    difference: Any = Field(sa_type=JsonText)
    currency: str = Field(sa_type=Text)
    total_before_minor: int = Field(sa_type=Int64)
    total_after_minor: int = Field(sa_type=Int64)
    is_material: bool = Field(sa_type=Flag)
    needs_consent: bool = Field(sa_type=Flag)
    is_recalled: bool = Field(sa_type=Flag)
    consent_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    consented_by: str = Field(sa_type=Text)
    consented_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_reason: str = Field(sa_type=Text)
    customer_reason: str = Field(sa_type=Text)
    kinds: Any = Field(sa_type=JsonText)
    intent_fact_id: str = Field(sa_type=Text)
    withholds_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resumed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    recall_asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answer_due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    silence_steps: int = Field(default=0, sa_type=Int64)
    last_line_id: int | None = Field(default=None, sa_type=Int64)


class VersionRow(Table, table=True):
    """A version that a change has replaced, as it was; the current one is the order itself."""

    __tablename__ = "order_version"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_version_order"),
        ForeignKeyConstraint(["change_id"], ["change_order.change_id"], name="order_version_change"),
        CheckConstraint("version >= 1", name="order_version_positive"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=Int64, primary_key=True)
    document: Any = Field(sa_type=JsonText)
    change_id: str = Field(sa_type=Text)
    replaced_at: datetime = Field(sa_type=UtcDateTime)
