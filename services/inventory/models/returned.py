"""The tables of goods that came back, and of what was decided about them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from services.inventory.models.base import Table, partial_index
from services.runtime.db import STRICT, Int64, Text, UtcDateTime


class ReturnedStock(Table, table=True):
    """Units that came back from a customer, or were damaged in the warehouse, what became of them, and what they had cost.

    What is restocked is a movement of the same id, too; everything else is in no stock. What is in quarantine or to be refurbished stays
    so until decisions have ended it. What was damaged has no order; its request is the count by which it left stock.
    """

    __tablename__ = "returned_stock"
    __table_args__ = (
        CheckConstraint(
            "disposition IN ('restock', 'quarantine', 'scrap', 'refurbish', 'return_to_vendor')",
            name="returned_stock_disposition",
        ),
        CheckConstraint("quantity > 0", name="returned_stock_quantity"),
        CheckConstraint("value_minor >= 0", name="returned_stock_value"),
        ForeignKeyConstraint(["warehouse_id"], ["warehouse.warehouse_id"], name="returned_stock_warehouse"),
        UniqueConstraint("request_id", "sku", "disposition", name="returned_stock_once"),
        Index("returned_stock_of_order", "order_id", "sku"),
        partial_index("returned_stock_apart", "movement_id", where="disposition IN ('quarantine', 'refurbish')"),
        STRICT,
    )

    movement_id: str = Field(sa_type=Text, primary_key=True)
    request_id: str = Field(sa_type=Text)
    return_id: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    warehouse_id: str = Field(sa_type=Text)
    sku: str = Field(sa_type=Text)
    disposition: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    value_minor: int = Field(sa_type=Int64)
    taken_at: datetime = Field(sa_type=UtcDateTime)
    reason: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})


class QuarantineDecision(Table, table=True):
    """Units that left quarantine, how and why; what was released is a movement of the same id, too. Never changed."""

    __tablename__ = "quarantine_decision"
    __table_args__ = (
        CheckConstraint("outcome IN ('release', 'scrap', 'return_to_vendor')", name="quarantine_decision_outcome"),
        CheckConstraint("quantity > 0", name="quarantine_decision_quantity"),
        CheckConstraint("value_minor >= 0", name="quarantine_decision_value"),
        CheckConstraint("reason <> ''", name="quarantine_decision_reason"),
        ForeignKeyConstraint(["movement_id"], ["returned_stock.movement_id"], name="quarantine_decision_of_units"),
        Index("quarantine_decision_of_units", "movement_id"),
        STRICT,
    )

    decision_id: str = Field(sa_type=Text, primary_key=True)
    movement_id: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    value_minor: int = Field(sa_type=Int64)
    reason: str = Field(sa_type=Text)
    decided_by: str = Field(sa_type=Text)
    decided_at: datetime = Field(sa_type=UtcDateTime)
