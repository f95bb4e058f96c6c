"""Releasing what is allocated to the warehouses, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import structlog
from sqlmodel import Session

from services.fulfillment import recall_units, wire
from services.fulfillment.domain import facts
from services.fulfillment.domain.release import Release, join, new_shipments, unreleased
from services.fulfillment.domain.shipment import Shipment, State
from services.fulfillment.shipment_facts import emit_fact
from services.fulfillment.store import orders, shipments, waves
from services.fulfillment.store.counters import next_value
from services.fulfillment.store.rates import RateBook
from services.fulfillment.timing import timing
from services.kernel.ids import new_id
from services.runtime import sessions

log = structlog.get_logger()


def release(session: Session, rate_book: RateBook, wanted: Release, now: datetime) -> list[Shipment]:
    """Store the shipments of what has none yet, those that it joins first; nothing when all was released before or the order was cancelled."""
    if orders.claim(session, wanted.order_id):
        log.info("release.ignored", order_id=wanted.order_id, why="order was cancelled")
        return []
    recall_units.answer_by_release(session, wanted.order_id, now)
    earlier = shipments.of_order(session, wanted.order_id)
    withheld = recall_units.withheld_lines(session, earlier)
    lines = unreleased((line for line in wanted.allocated if line.line_id not in withheld), earlier)
    if not lines:
        return []
    today = sessions.business_day(session, now)
    together, alone = join(lines, earlier, wanted, today, _in_waves(session, earlier))
    roads = rate_book.roads_into(session, wanted.ship_to)
    created = new_shipments(
        wanted,
        alone,
        roads.rates,
        lambda count: next_value(session, "shipment", count),
        lambda: new_id("shp"),
        now,
        today,
        timing(session, roads, now),
    )
    for before, after in together:
        shipments.save_joined(session, before, after)
    for shipment in created:
        shipments.add(session, shipment)
    joined = {after.shipment_id: after for _, after in together}
    changed = [*joined.values(), *created]
    every = [joined.get(each.shipment_id, each) for each in earlier]
    fact = wire.shipments_fact(facts.RELEASED, facts.several_shipments([*every, *created], changed))
    emit_fact(session, fact, changed[0], now)
    return changed


def _in_waves(session: Session, earlier: Iterable[Shipment]) -> Collection[str]:
    """Those that are to be picked in a wave; nothing is asked where nothing could be joined."""
    released = [one.shipment_id for one in earlier if one.state is State.RELEASED and not one.is_service]
    return waves.taken(session, released) if released else ()
