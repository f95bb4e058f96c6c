"""Tables of reviews: what a version is asked, its steps, and the decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Flag, Int64, JsonText, Text, UtcDateTime

_KEEPS = text("state IN ('open', 'changes_requested')")
_COUNTS = text("decision = 'approve' AND is_approval AND NOT is_void")


class ReviewRow(Table, table=True):
    """Everything that one version of an order, or a change to it, is asked; at most one stands at a time."""

    __tablename__ = "review"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="review_order"),
        CheckConstraint(
            "state IN ('open', 'approved', 'rejected', 'changes_requested', 'void', 'expired', 'withdrawn')",
            name="review_state_known",
        ),
        CheckConstraint("order_version >= 1", name="review_version_positive"),
        Index("review_one_standing", "order_id", unique=True, sqlite_where=_KEEPS, postgresql_where=_KEEPS),
        Index("review_of_order", "order_id", "opened_at"),
        STRICT,
    )

    review_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    order_version: int = Field(sa_type=Int64)
    policy_version: int = Field(sa_type=Int64)
    state: str = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    cumulative_minor: int = Field(sa_type=Int64)
    currency: str = Field(sa_type=Text)
    change_id: str = Field(sa_type=Text)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class StepRow(Table, table=True):
    """A tier's question."""

    __tablename__ = "review_step"
    __table_args__ = (
        ForeignKeyConstraint(["review_id"], ["review.review_id"], name="review_step_review"),
        CheckConstraint(
            "state IN ('waiting', 'open', 'approved', 'rejected', 'changes_requested', 'void', 'expired')",
            name="review_step_state_known",
        ),
        CheckConstraint("chain IN ('seller', 'buyer')", name="review_step_chain_known"),
        CheckConstraint("needed >= 1 AND level >= 1", name="review_step_numbers_positive"),
        CheckConstraint("(state <> 'open') OR (opened_at IS NOT NULL)", name="review_step_opened_when_open"),
        Index("review_step_of_order", "order_id"),
        Index("review_step_of_review", "review_id"),
        Index("review_step_inbox", "state", "role", "opened_at"),
        Index("review_step_due", "state", "expires_at", "step_id"),
        STRICT,
    )

    step_id: str = Field(sa_type=Text, primary_key=True)
    review_id: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    order_version: int = Field(sa_type=Int64)
    chain: str = Field(sa_type=Text)
    level: int = Field(sa_type=Int64)
    role: str = Field(sa_type=Text)
    position: str = Field(sa_type=Text)
    mode: str = Field(sa_type=Text)
    needed: int = Field(sa_type=Int64)
    limit: str = Field(sa_type=Text, sa_column_kwargs={"name": "limit_rule"})
    codes: Any = Field(sa_type=JsonText)
    reasons: Any = Field(sa_type=JsonText)
    state: str = Field(sa_type=Text)
    line_id: str = Field(sa_type=Text)
    asked_on: str = Field(sa_type=Text)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    remind_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    escalate_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reminded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    escalated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    escalated_to: Any = Field(sa_type=JsonText)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DecisionRow(Table, table=True):
    """What somebody decided; rows are only added, and void when their version no longer stands.

    `authority` is whose right was used: the delegator's, else the decider's own. Nobody, and no authority, approves two steps
    of one review where approval is asked for.
    """

    __tablename__ = "review_decision"
    __table_args__ = (
        ForeignKeyConstraint(["step_id"], ["review_step.step_id"], name="review_decision_step"),
        CheckConstraint("decision IN ('approve', 'reject', 'request_changes')", name="review_decision_known"),
        CheckConstraint("decided_by <> acting_for", name="review_decision_not_for_oneself"),
        Index("review_decision_of_order", "order_id"),
        Index(
            "review_decision_distinct_people",
            "review_id",
            "decided_by",
            unique=True,
            sqlite_where=_COUNTS,
            postgresql_where=_COUNTS,
        ),
        Index(
            "review_decision_distinct_authority",
            "review_id",
            "authority",
            unique=True,
            sqlite_where=_COUNTS,
            postgresql_where=_COUNTS,
        ),
        Index("review_decision_once_a_step", "step_id", "decided_by", unique=True),
        STRICT,
    )

    decision_id: str = Field(sa_type=Text, primary_key=True)
    step_id: str = Field(sa_type=Text)
    review_id: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    order_version: int = Field(sa_type=Int64)
    decided_by: str = Field(sa_type=Text)
    acting_for: str = Field(sa_type=Text)
    authority: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    decision: str = Field(sa_type=Text)
    is_approval: bool = Field(sa_type=Flag)
    note: str = Field(sa_type=Text)
    ready_on: str = Field(sa_type=Text)
    decided_at: datetime = Field(sa_type=UtcDateTime)
    is_void: bool = Field(sa_type=Flag)
    intent_fact_id: str = Field(sa_type=Text)
