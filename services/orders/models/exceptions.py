"""The table of business exceptions: what support and other owners must resolve."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Text, UtcDateTime

_IS_OPEN = text("resolved_at IS NULL")


class BusinessExceptionRow(Table, table=True):
    """A business exception: open while resolved_at is null. Its kinds are the table of the domain."""

    __tablename__ = "business_exception"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="business_exception_order"),
        CheckConstraint("(resolved_at IS NULL) = (resolved_by = '')", name="business_exception_resolved_by_somebody"),
        CheckConstraint("resolved_at IS NULL OR note <> ''", name="business_exception_resolved_with_a_note"),
        Index(
            "business_exception_open_once",
            "kind",
            "subject_id",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        Index("business_exception_of_order", "order_id"),
        STRICT,
    )

    exception_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    subject_id: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    owner_role: str = Field(sa_type=Text)
    what_to_do: str = Field(sa_type=Text)
    since: datetime = Field(sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_by: str = Field(sa_type=Text)
    resolved_role: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
