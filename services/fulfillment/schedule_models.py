"""The table of warehouses' schedules: shape and constraints, no behavior."""

from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from services.fulfillment.wave_models import Table
from services.runtime.db import STRICT, Int64, JsonText, Text


class ScheduleRow(Table, table=True):
    """When a warehouse works. Days are words such as "mon", separated by commas; an empty cut-off is none."""

    __tablename__ = "warehouse_schedule"
    __table_args__ = (
        CheckConstraint("days <> ''", name="warehouse_schedule_days"),
        CheckConstraint("daily_units IS NULL OR daily_units > 0", name="warehouse_schedule_daily_units"),
        STRICT,
    )

    warehouse_id: str = Field(sa_type=Text, primary_key=True)
    time_zone: str = Field(sa_type=Text)
    days: str = Field(sa_type=Text)
    holidays_of: str = Field(sa_type=Text)
    closed_on: list[Any] = Field(sa_type=JsonText)
    cut_off: str = Field(sa_type=Text)
    daily_units: int | None = Field(sa_type=Int64)
    version: int = Field(sa_type=Int64)
