"""The table of bins."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint
from sqlmodel import Field

from services.inventory.models.base import Table
from services.runtime.db import STRICT, Text


class StockBin(Table, table=True):
    """Where in a warehouse a SKU lies; there is no row where nobody has said."""

    __tablename__ = "stock_bin"
    __table_args__ = (
        CheckConstraint("bin <> ''", name="stock_bin_named"),
        ForeignKeyConstraint(["warehouse_id"], ["warehouse.warehouse_id"], name="stock_bin_of_warehouse"),
        STRICT,
    )

    warehouse_id: str = Field(sa_type=Text, primary_key=True)
    sku: str = Field(sa_type=Text, primary_key=True)
    bin: str = Field(sa_type=Text)
