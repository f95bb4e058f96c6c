"""The base of every table of orders, its outbox and its stored answers."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from services.runtime.idempotency import answers_table
from services.runtime.outbox import outbox_table


class Table(SQLModel, registry=registry()):
    """Tables of orders."""


outbox = outbox_table(Table.metadata)
_IS_DEAD = text("state = 'dead'")
Index("outbox_dead", outbox.c.occurred_at, outbox.c.fact_id, sqlite_where=_IS_DEAD, postgresql_where=_IS_DEAD)
answers = answers_table(Table.metadata)
