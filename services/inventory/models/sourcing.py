"""The tables of outages and of orders that are sourced again: shape and constraints, no behavior."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, literal_column
from sqlmodel import Field

from services.inventory.models.base import Table
from services.runtime.db import STRICT, Int64, Text, UtcDateTime


class WarehouseOutage(Table, table=True):
    """A warehouse that is closed for a while; at most one lasts for each. `order_count` orders were to be sourced again for it."""

    __tablename__ = "warehouse_outage"
    __table_args__ = (
        CheckConstraint("ends_at > began_at", name="warehouse_outage_ends_later"),
        CheckConstraint("ended_at IS NULL OR ended_at >= began_at", name="warehouse_outage_ended_later"),
        CheckConstraint("reason <> ''", name="warehouse_outage_reason"),
        CheckConstraint("order_count >= 0", name="warehouse_outage_orders"),
        ForeignKeyConstraint(["warehouse_id"], ["warehouse.warehouse_id"], name="warehouse_outage_of_warehouse"),
        Index(
            "warehouse_outage_lasting",
            "warehouse_id",
            unique=True,
            sqlite_where=literal_column("ended_at IS NULL"),
            postgresql_where=literal_column("ended_at IS NULL"),
        ),
        STRICT,
    )

    outage_id: str = Field(sa_type=Text, primary_key=True)
    warehouse_id: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    declared_by: str = Field(sa_type=Text)
    began_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    order_count: int = Field(sa_type=Int64)


class SourcingRequest(Table, table=True):
    """An order whose open units are to be planned again, why, when it was told so, and when that was done."""

    __tablename__ = "sourcing_request"
    __table_args__ = (
        CheckConstraint("cause <> ''", name="sourcing_request_cause"),
        CheckConstraint("why <> ''", name="sourcing_request_why"),
        Index(
            "sourcing_request_open",
            "order_id",
            "sourcing_request_id",
            sqlite_where=literal_column("done_at IS NULL"),
            postgresql_where=literal_column("done_at IS NULL"),
        ),
        Index(
            "sourcing_request_unnotified",
            "sourcing_request_id",
            sqlite_where=literal_column("notified_at IS NULL"),
            postgresql_where=literal_column("notified_at IS NULL"),
        ),
        STRICT,
    )

    sourcing_request_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    cause: str = Field(sa_type=Text)
    warehouse_id: str = Field(sa_type=Text)
    why: str = Field(sa_type=Text)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    notified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
