"""What the tables of billing share."""

from typing import Any

from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.runtime.db import Int64
from services.runtime.idempotency import answers_table
from services.runtime.outbox import outbox_table


class Table(SQLModel, registry=registry()):
    """Tables of billing."""


outbox = outbox_table(Table.metadata)
answers = answers_table(Table.metadata)


def counted() -> Any:
    """A number that is 0 until something happens."""
    return Field(default=0, sa_type=Int64, sa_column_kwargs={"server_default": "0"})


def one_of(column: str, words: tuple[str, ...]) -> str:
    """The condition that a column has one of these words."""
    return f"{column} IN ({', '.join(repr(word) for word in words)})"
