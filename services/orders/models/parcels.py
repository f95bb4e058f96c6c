"""Tables of parcels that no return announces."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Int64, Text, UtcDateTime

_WAITS = text("state = 'waiting'")
_OF_RETURN = text("return_id <> ''")


class ParcelRow(Table, table=True):
    """Goods that came without a return, or with one that does not announce them; what it names may be empty."""

    __tablename__ = "parcel"
    __table_args__ = (
        UniqueConstraint("number", name="parcel_number"),
        CheckConstraint("state IN ('waiting', 'matched', 'sent_back', 'kept', 'scrapped')", name="parcel_state"),
        CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="parcel_decided_at"),
        Index("parcel_waiting", "parcel_id", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("parcel_of_return", "return_id", sqlite_where=_OF_RETURN, postgresql_where=_OF_RETURN),
        STRICT,
    )

    parcel_id: str = Field(sa_type=Text, primary_key=True)
    number: str = Field(sa_type=Text)
    warehouse_id: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    order_number: str = Field(sa_type=Text)
    return_id: str = Field(sa_type=Text)
    return_number: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    received_by: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: str = Field(sa_type=Text)
    decided_role: str = Field(sa_type=Text)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decision_note: str = Field(sa_type=Text)


class ParcelLineRow(Table, table=True):
    """Units of a parcel that are alike, and how many of them became returns."""

    __tablename__ = "parcel_line"
    __table_args__ = (
        ForeignKeyConstraint(["parcel_id"], ["parcel.parcel_id"], name="parcel_line_parcel"),
        CheckConstraint("quantity > 0 AND matched BETWEEN 0 AND quantity", name="parcel_line_quantities"),
        CheckConstraint("seems IN ('of_order', 'own_article', 'foreign')", name="parcel_line_seems"),
        CheckConstraint("sku <> '' OR description <> ''", name="parcel_line_is_something"),
        STRICT,
    )

    parcel_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64, primary_key=True)
    sku: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    seems: str = Field(sa_type=Text)
    matched: int = Field(sa_type=Int64)
