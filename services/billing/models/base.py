"""What the tables of billing share."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from services.runtime.idempotency import answers_table
from services.runtime.outbox import outbox_table


class Table(SQLModel, registry=registry()):
    """Tables of billing."""


outbox = outbox_table(Table.metadata)
answers = answers_table(Table.metadata)


def one_of(column: str, words: tuple[str, ...]) -> str:
    """The condition that a column has one of these words."""
    return f"{column} IN ({', '.join(repr(word) for word in words)})"
