"""The table of resumptions: workflows that were started again for an order whose workflow was lost."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Int64, Text, UtcDateTime


class ResumptionRow(Table, table=True):
    """The n-th time that an order's workflow was started again; its number is part of the business keys of that run."""

    __tablename__ = "resumption"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="resumption_order"),
        CheckConstraint("number >= 1", name="resumption_number_positive"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    number: int = Field(sa_type=Int64, primary_key=True)
    resumed_at: datetime = Field(sa_type=UtcDateTime)
    resumed_by: str = Field(sa_type=Text)
    resumed_role: str = Field(sa_type=Text)
