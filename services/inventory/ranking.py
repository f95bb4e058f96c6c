"""Puts who waits in the order that the allocation policy says: all of a queue, or one order's backorders."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.inventory.domain.allocation_policy import AllocationPolicy, Claim
from services.inventory.domain.backorders import Fill, Waiting
from services.inventory.queues import LEFT, Days, fill_queues, leave, notify_filled, notify_moved
from services.inventory.store import allocation as store
from services.inventory.store import backorders, reservations, stock
from services.kernel.errors import Conflict, NotFound
from services.runtime.sessions import wake_after_commit
from services.runtime.versioned import is_unchanged

log = structlog.get_logger()


def put_policy(session: Session, wanted: AllocationPolicy, seen: int | None, now: datetime) -> AllocationPolicy:
    """Store the policy; what waits is ranked by it in batches. The same again changes nothing.

    Refused VERSION_STALE; version 0 is seen where there is none yet.
    """
    known = store.policy(session)
    if known.version and is_unchanged(known, wanted, seen):
        return known
    expected = None if seen == known.version == 0 else seen
    stored = store.put_policy(session, wanted, now, expected)
    wake_after_commit(session, LEFT)
    return stored


def rank_queue(session: Session, sku: str, now: datetime) -> None:
    """Rank all who wait for a SKU by the policy in force, tell them of days that moves, and have the queue served."""
    stock.take_turns(session, [sku])
    terms, days = store.policy(session), Days(session, [sku])
    _rank(session, store.to_rank(session, sku=sku), terms)
    notify_moved(session, days.moved(), now)
    leave(session, [sku], now)


def rank_reservation(session: Session, reservation_id: str, claim: Claim) -> None:
    """An order brings something else to its queues, whose turns the caller has."""
    if claim != store.claim_of(session, reservation_id):
        store.put_claim(session, reservation_id, claim)
        _rank(session, store.to_rank(session, reservation_id=reservation_id), store.policy(session))


def _rank(session: Session, queue: Sequence[store.Ranked], terms: AllocationPolicy) -> None:
    places = {}
    for one in queue:
        place = store.place_of(session, terms, one.claim, one.placed_at_micros)
        # what a person has let in stays so
        places[one.backorder_id] = replace(place, is_manual=place.is_manual and one.place.is_manual)
    store.put_places(session, places, terms.version)


def expedite(session: Session, order_id: str, now: datetime, *, is_expedited: bool) -> int:
    """Make an order urgent, or no more so; gives the units of it that still wait. Its queues are served anew."""
    reservation_id = reservations.active_of(session, order_id)
    if reservation_id is None:
        raise NotFound("RESERVATION_UNKNOWN", f"no stock is held for order {order_id} and nothing of it waits")
    skus = reservations.skus_of(session, reservation_id)
    stock.take_turns(session, skus)
    if reservations.skus_of(session, reservation_id) != skus:
        raise Conflict("RESERVATION_CHANGED", f"the reservation of order {order_id} was changed: try again")
    days = Days(session, skus)
    claim = replace(store.claim_of(session, reservation_id), is_expedited=is_expedited)
    rank_reservation(session, reservation_id, claim)
    fills = fill_queues(session, skus, now)
    notify_filled(session, fills, now)
    notify_moved(session, not_filled(days, fills), now)
    log.info("order.expedited", order_id=order_id, is_expedited=is_expedited)
    return sum(one.quantity for one, _ in backorders.lines_of_order(session, order_id))


def let_in(session: Session, backorder_id: str, now: datetime) -> tuple[int, int]:
    """A person lets a backorder be filled, in its turn; units that it got at once, and that still wait."""
    one = store.waiting(session, backorder_id)
    stock.take_turns(session, [one.sku])
    one = store.waiting(session, backorder_id)
    store.let_in(session, backorder_id)
    fills = fill_queues(session, [one.sku], now)
    notify_filled(session, fills, now)
    given = sum(fill.quantity for fill in fills if fill.backorder.backorder_id == backorder_id)
    log.info("backorder.released", order_id=one.order_id, sku=one.sku, filled=given)
    return given, one.quantity - given


def serve(session: Session, skus: Collection[str], now: datetime) -> tuple[Fill, ...]:
    """Give what is free of these SKUs, whose turns the caller has, to who waits for them; who is behind them hears of another day."""
    days = Days(session, skus)
    fills = fill_queues(session, skus, now)
    notify_filled(session, fills, now)
    notify_moved(session, not_filled(days, fills), now)
    return fills


def not_filled(days: Days, fills: Sequence[Fill], but: str = "") -> list[Waiting]:
    """Who has other days and is not notified anyway of what it got; nor the order that it is about."""
    notified = {fill.backorder.order_id for fill in fills} | {but}
    return [one for one in days.moved() if one.order_id not in notified]
