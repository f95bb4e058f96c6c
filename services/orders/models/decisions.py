"""Tables of what rules and people said of an order: holds, violations, cancellations, feedback."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Flag, Int64, JsonText, Text, UtcDateTime


class HoldRow(Table, table=True):
    """A hold: open while released_at is null."""

    __tablename__ = "hold"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="hold_order"),
        UniqueConstraint("order_id", "code", "order_version", name="hold_once_a_rule"),
        CheckConstraint("(released_at IS NULL) = (released_by = '')", name="hold_released_by_somebody"),
        Index(
            "hold_standing",
            "hold_type",
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
        STRICT,
    )

    hold_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    order_version: int = Field(sa_type=Int64)
    code: str = Field(sa_type=Text)
    hold_type: str = Field(sa_type=Text)
    owner_role: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    placed_at: datetime = Field(sa_type=UtcDateTime)
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    released_by: str = Field(sa_type=Text)
    released_role: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    up_to_minor: int | None = Field(default=None, sa_type=Int64)
    valid_until: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})


class ViolationRow(Table, table=True):
    """A rule that spoke of a version of an order, the policy version it belongs to, and the figures that it spoke of.

    Rows of older releases have no figures: they are about their version as it is.
    """

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
    given_for: Any = Field(default=None, sa_type=JsonText, nullable=True)


class ValidationRow(Table, table=True):
    """How the money of an order stood when its rules were first asked, and under which policy: what a replay cannot find out later."""

    __tablename__ = "validation"
    __table_args__ = (ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="validation_order"), STRICT)

    order_id: str = Field(sa_type=Text, primary_key=True)
    order_version: int = Field(sa_type=Int64)
    policy_version: int = Field(sa_type=Int64)
    is_granted: bool = Field(sa_type=Flag)
    exposure_minor: int = Field(sa_type=Int64)
    limit_minor: int = Field(sa_type=Int64)
    card: str = Field(sa_type=Text)
    validated_at: datetime = Field(sa_type=UtcDateTime)


class CancellationRow(Table, table=True):
    """A request to cancel an order, or by `change_id` units of it; at most one waits. `consequence` is what it comes to."""

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
    change_id: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    consequence: Any = Field(default=None, sa_type=JsonText, nullable=True)


class FeedbackRow(Table, table=True):
    """What the customer said of an order, once; a low rating or a wish for support has a support case."""

    __tablename__ = "feedback"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="feedback_order"),
        UniqueConstraint("case_number", name="feedback_case_once"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="feedback_rating_known"),
        CheckConstraint("rating IS NOT NULL OR wants_support", name="feedback_says_something"),
        CheckConstraint(
            "(case_number IS NOT NULL) = (wants_support OR COALESCE(rating, 5) <= 2)",
            name="feedback_case_when_support_must_act",
        ),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    rating: int | None = Field(default=None, sa_type=Int64)
    comment: str = Field(sa_type=Text)
    wants_support: bool = Field(sa_type=Flag)
    case_number: str | None = Field(default=None, sa_type=Text)
    given_by: str = Field(sa_type=Text)
    given_role: str = Field(sa_type=Text)
    given_at: datetime = Field(sa_type=UtcDateTime)
