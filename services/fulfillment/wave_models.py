"""The tables of waves, and what every table of fulfillment is made of."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.runtime.db import STRICT, Int64, Text, UtcDateTime


class Table(SQLModel, registry=registry()):
    """Tables of fulfillment."""


class WaveRow(Table, table=True):
    """Shipments that are picked together. Whether it is open is said by its shipments, so nothing has to close it."""

    __tablename__ = "wave"
    __table_args__ = (
        UniqueConstraint("serial", name="wave_serial_unique"),
        CheckConstraint("warehouse_id <> ''", name="wave_of_warehouse"),
        Index("wave_warehouse", "warehouse_id", "serial"),
        STRICT,
    )

    wave_id: str = Field(sa_type=Text, primary_key=True)
    serial: int = Field(sa_type=Int64)
    warehouse_id: str = Field(sa_type=Text)
    picker: str = Field(sa_type=Text)
    created_by: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    cancelled_at: datetime | None = Field(sa_type=UtcDateTime)


class WaveShipmentRow(Table, table=True):
    """That a shipment is in a wave; it is in one at most, for one that is picked is put into no other."""

    __tablename__ = "wave_shipment"
    __table_args__ = (Index("wave_shipment_of_wave", "wave_id"), STRICT)

    shipment_id: str = Field(sa_type=Text, primary_key=True, foreign_key="shipment.shipment_id")
    wave_id: str = Field(sa_type=Text, foreign_key="wave.wave_id")
