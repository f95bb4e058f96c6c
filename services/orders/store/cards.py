"""Tokens of the cards that orders are paid with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from services.orders.domain.cards import GivenCard
from services.orders.models import GivenCardRow, OrderCardRow
from services.runtime.db import table_of

_card, _given = table_of(OrderCardRow), table_of(GivenCardRow)
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


def give(session: Session, order_id: str, card: GivenCard, now: datetime) -> None:
    """Note a card that was given, beside the one that is kept; the caller has taken the order."""
    newest = session.execute(select(func.max(_given.c.number)).where(_given.c.order_id == order_id)).scalar_one()
    values = {"request_id": card.request_id, "token": card.token, "number": (newest or 0) + 1, "given_at": now}
    session.execute(insert(_given), {"order_id": order_id, **values})


def given(session: Session, order_id: str) -> tuple[GivenCard, ...]:
    """Cards that were given for an order and of which nobody knows whether they are good, oldest first."""
    query = select(_given).where(_given.c.order_id == order_id).order_by(_given.c.number)
    return tuple(GivenCard(row.request_id, row.token) for row in session.execute(query))


def forget(session: Session, order_id: str, cards: Sequence[GivenCard]) -> None:
    """Take cards that were given out: they are kept, or of no use."""
    ids = [card.request_id for card in cards]
    session.execute(delete(_given).where(_given.c.order_id == order_id, _given.c.request_id.in_(ids)))
