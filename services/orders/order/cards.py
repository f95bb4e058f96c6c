"""The card that an order is paid with, from its placing or given later; its token leaves here for billing alone."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import Refused
from services.orders.domain.access import Scope
from services.orders.domain.cards import ASKED, DECLINED, GivenCard, check_card_token
from services.orders.domain.order import Order
from services.orders.order import lookup
from services.orders.order.aggregate import Actor, note_event, read_for_change, save
from services.orders.store import cards as store


def give(
    session: Session, order_id: str, scope: Scope, request_id: str, token: str, actor: Actor, now: datetime
) -> Order:
    """Note another card for an order by card that has not ended; record() keeps it once it is authorized under its request id.

    NotFound as lookups are; Refused ORDER_NOT_BY_CARD and ORDER_ENDED.
    """
    check_card_token(token)
    order = lookup.load_order(session, lookup.find_id(session, order_id, scope), scope)
    if not order.pays_by_card:
        raise Refused("ORDER_NOT_BY_CARD", f"{order.number} is not paid by card: pay it as it was ordered")
    if order.has_ended:
        raise Refused("ORDER_ENDED", f"{order.number} is {order.phase}: nothing of it is to be paid any more")
    before = read_for_change(session, order.order_id)
    store.give(session, order.order_id, GivenCard(request_id, token), now)
    note_event(session, before, before, actor, "card_given", now)
    save(session, [before])
    return order


def given(session: Session, order_id: str) -> tuple[GivenCard, ...]:
    """Cards that were given and of which nobody has recorded what became of them, oldest first."""
    return store.given(session, order_id)


def record(session: Session, order_id: str, request_id: str, card: str, now: datetime) -> str:
    """What became of a card that was given, as billing says it; the token of the card that the order is paid with then.

    A declined one changes nothing. Any other answer than that nobody knows yet keeps it, also that nothing is asked of it now, and
    those that were given before it count no more. A repeat, and one that comes after a later card was kept, does nothing.
    """
    read_for_change(session, order_id)
    known = store.given(session, order_id)
    at = next((place for place, one in enumerate(known) if one.request_id == request_id), None)
    if at is not None and card == DECLINED:
        store.forget(session, order_id, [known[at]])
    elif at is not None and card != ASKED:
        store.put(session, order_id, known[at].token, now)
        store.forget(session, order_id, known[: at + 1])
    return store.token_of(session, order_id)


def is_charged(session: Session, order: Order) -> bool:
    """Whether a card is charged with the order's invoices: one by card from before cards were taken has none."""
    return order.pays_by_card and bool(store.token_of(session, order.order_id))


def token_of(session: Session, order_id: str) -> str:
    """What billing authorizes the order with; empty without a card."""
    return store.token_of(session, order_id)
