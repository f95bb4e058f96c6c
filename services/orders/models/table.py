"""The base of every table of orders, its outbox and its stored answers."""

from __future__ import annotations

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from services.runtime.idempotency import answers_table
from services.runtime.outbox import outbox_table


class Table(SQLModel, registry=registry()):
    """Tables of orders."""


outbox = outbox_table(Table.metadata)
answers = answers_table(Table.metadata)
