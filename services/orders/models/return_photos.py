"""The table of photos of returns; their bytes are files."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Int64, Text, UtcDateTime


class ReturnPhotoRow(Table, table=True):
    """A photo of a return: of its request, or of an inspection. `position` is its place among those, from 1 on."""

    __tablename__ = "return_photo"
    __table_args__ = (
        ForeignKeyConstraint(["return_id"], ["sales_return.return_id"], name="return_photo_return"),
        UniqueConstraint("return_id", "stage", "position", name="return_photo_position"),
        CheckConstraint("stage IN ('request', 'inspection')", name="return_photo_stage"),
        CheckConstraint("media_type IN ('image/jpeg', 'image/png', 'image/webp')", name="return_photo_media_type"),
        CheckConstraint("position BETWEEN 1 AND 10 AND size BETWEEN 1 AND 5242880", name="return_photo_bounds"),
        STRICT,
    )

    photo_id: str = Field(sa_type=Text, primary_key=True)
    return_id: str = Field(sa_type=Text)
    stage: str = Field(sa_type=Text)
    position: int = Field(sa_type=Int64)
    media_type: str = Field(sa_type=Text)
    size: int = Field(sa_type=Int64)
    sha256: str = Field(sa_type=Text)
    added_by: str = Field(sa_type=Text)
    added_role: str = Field(sa_type=Text)
    added_at: datetime = Field(sa_type=UtcDateTime)
