"""What every table of inventory is made of."""

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlalchemy.orm import registry
from sqlmodel import SQLModel


class Table(SQLModel, registry=registry()):
    """Tables of inventory."""


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over the rows that a condition keeps, the same on both databases."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def of_stock(name: str) -> ForeignKeyConstraint:
    """A reference to the stock of a SKU in a warehouse."""
    return ForeignKeyConstraint(["warehouse_id", "sku"], ["stock.warehouse_id", "stock.sku"], name=name)
