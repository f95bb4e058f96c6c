"""The table of the allocation policy."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from services.inventory.models.base import Table
from services.runtime.db import STRICT, Flag, Int64, JsonText, Text, UtcDateTime


class AllocationPolicy(Table, table=True):
    """Who gets goods first; one row, or none before the first was put. `freeze_days` is empty for no limit."""

    __tablename__ = "allocation_policy"
    __table_args__ = (
        CheckConstraint("policy_id = 'company'", name="allocation_policy_once"),
        CheckConstraint(
            "usual_class IN ('win', 'gain', 'redistribute', 'improve', 'fill', 'lose')", name="allocation_policy_class"
        ),
        CheckConstraint("freeze_days >= 0", name="allocation_policy_days"),
        STRICT,
    )

    policy_id: str = Field(sa_type=Text, primary_key=True)
    tiers: list[dict[str, Any]] = Field(sa_type=JsonText)
    usual_class: str = Field(sa_type=Text)
    is_fair_share: bool = Field(sa_type=Flag)
    freeze_days: int | None = Field(default=None, sa_type=Int64)
    put_at: datetime = Field(sa_type=UtcDateTime)
    version: int = Field(default=1, sa_type=Int64, sa_column_kwargs={"server_default": "1"})
