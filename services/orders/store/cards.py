"""Tokens of the cards that orders are paid with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from services.orders.models import OrderCardRow
from services.runtime.db import table_of

_card = table_of(OrderCardRow)
_NEW = postgresql.insert(_card)
_PUT = _NEW.on_conflict_do_update(
    index_elements=[_card.c.order_id], set_={"token": _NEW.excluded.token, "given_at": _NEW.excluded.given_at}
)


def put(session: Session, order_id: str, token: str, now: datetime) -> None:
    """Keep an order's card in place of any before."""
    session.execute(_PUT, {"order_id": order_id, "token": token, "given_at": now})


def token_of(session: Session, order_id: str) -> str:
    """The token of an order's card; empty without one."""
    return session.execute(select(_card.c.token).where(_card.c.order_id == order_id)).scalar_one_or_none() or ""
