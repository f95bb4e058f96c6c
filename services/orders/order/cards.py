"""The card that an order is paid with, from its placing or given later; its token leaves here for billing alone."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import Refused
from services.orders.domain.access import Scope
from services.orders.domain.order import Order, check_card_token
from services.orders.order import lookup
from services.orders.order.aggregate import Actor, note_event, read_for_change, save
from services.orders.store import cards as store


def give(session: Session, order_id: str, scope: Scope, token: str, actor: Actor, now: datetime) -> Order:
    """Keep another card for an order by card that has not ended.

    NotFound as lookups are; Refused ORDER_NOT_BY_CARD and ORDER_ENDED.
    """
    check_card_token(token)
    order = lookup.load_order(session, lookup.find_id(session, order_id, scope), scope)
    if not order.pays_by_card:
        raise Refused("ORDER_NOT_BY_CARD", f"{order.number} is not paid by card: pay it as it was ordered")
    if order.has_ended:
        raise Refused("ORDER_ENDED", f"{order.number} is {order.phase}: nothing of it is to be paid any more")
    before = read_for_change(session, order.order_id)
    store.put(session, order.order_id, token, now)
    note_event(session, before, before, actor, "card_given", now)
    save(session, [before])
    return order


def is_charged(session: Session, order: Order) -> bool:
    """Whether a card is charged with the order's invoices: one by card from before cards were taken has none."""
    return order.pays_by_card and bool(store.token_of(session, order.order_id))


def token_of(session: Session, order_id: str) -> str:
    """What billing authorizes the order with; empty without a card."""
    return store.token_of(session, order_id)
