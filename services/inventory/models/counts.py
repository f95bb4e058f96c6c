"""The tables of counts and of what orders lost by them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field

from services.inventory.models.base import Table, partial_index
from services.runtime.db import STRICT, Flag, Int64, Text, UtcDateTime


class StockCount(Table, table=True):
    """What somebody counted, and how it differed from the books. Without a difference there is no movement.

    It is open until what orders lost is out of their shipments, and nothing else of it ever changes.
    """

    __tablename__ = "stock_count"
    __table_args__ = (
        CheckConstraint("counted >= 0", name="stock_count_counted"),
        CheckConstraint("(delta = 0) = (movement_id = '')", name="stock_count_moves"),
        Index("stock_count_of_stock", "warehouse_id", "sku"),
        partial_index("stock_count_open", "counted_at", where="closed_at IS NULL"),
        STRICT,
    )

    count_id: str = Field(sa_type=Text, primary_key=True)
    warehouse_id: str = Field(sa_type=Text)
    sku: str = Field(sa_type=Text)
    counted: int = Field(sa_type=Int64)
    delta: int = Field(sa_type=Int64)
    movement_id: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    counted_by: str = Field(sa_type=Text)
    counted_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(sa_type=UtcDateTime)
    shipment_id: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})


class CountLoss(Table, table=True):
    """Units that an order line held and that a count did not find; they wait again."""

    __tablename__ = "count_loss"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="count_loss_quantity"),
        CheckConstraint("released_quantity BETWEEN 0 AND quantity", name="count_loss_released"),
        ForeignKeyConstraint(["count_id"], ["stock_count.count_id"], name="count_loss_of_count"),
        Index("count_loss_of_reservation", "reservation_id"),
        STRICT,
    )

    count_id: str = Field(sa_type=Text, primary_key=True)
    reservation_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    released_quantity: int = Field(sa_type=Int64)
    is_whole_order: bool = Field(sa_type=Flag)
