"""Takes goods that are not there from orders that were promised them, and lets these wait again in their old places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.inventory.domain import facts
from services.inventory.domain.allocation import Allocation, LineDemand
from services.inventory.domain.allocation_policy import ORDER_COMPLETE
from services.inventory.domain.backorders import Fill
from services.inventory.domain.counting import Loss, deallocate
from services.inventory.queues import notify, record_fills
from services.inventory.store import adjusting, allocation, backorders, counts, reservations, stock
from services.runtime.outbox import Notice

log = structlog.get_logger()


def give_up(session: Session, losses: Sequence[Loss], warehouse_id: str, now: datetime) -> None:
    """What is lost is let go of and waited for again, in the place that its order has under today's policy."""
    version = allocation.policy(session).version
    freed: defaultdict[tuple[str, str], int] = defaultdict(int)
    places = {}
    for one in losses:
        line = one.holder.line
        adjusting.let_go(session, line.reservation_id, [Allocation(line.line_id, line.sku, warehouse_id, one.quantity)])
        adjusting.wait_more(session, line.reservation_id, [replace(line, quantity=one.quantity)], version, now)
        freed[line.sku, warehouse_id] += one.quantity
        places[line.backorder_id] = line.place
        if line.place.delivery == ORDER_COMPLETE and not one.is_begun:
            allocation.gather_again(session, line.reservation_id, now)
        log.info("stock.counted_away", order_id=line.order_id, sku=line.sku, quantity=one.quantity)
    allocation.put_places(session, places, version)
    stock.free(session, freed)


def notices(losses: Iterable[Loss], fills: Iterable[Fill]) -> set[Notice]:
    """One fact an order: that it got something, or else that it lost something."""
    got = {Notice(facts.ALLOCATED, one.backorder.order_id, one.backorder.reservation_id) for one in fills}
    served = {one.order_id for one in got}
    lost = {(one.holder.line.order_id, one.holder.line.reservation_id) for one in losses}
    return got | {Notice(facts.RELEASED, *one) for one in lost if one[0] not in served}


def cover(session: Session, order_id: str, warehouse_id: str, lines: Sequence[LineDemand], now: datetime) -> bool:
    """An order ships what a count took from it before its shipment was told: the goods were there, so others wait for theirs.

    Its own backorder gets what is free first, then what those hold who would be served last. False, and nothing is changed, where it does
    not wait for so many, or there are not so many. The caller has the turns.
    """
    held = reservations.held_at(session, order_id, warehouse_id)
    waiting = {one.line_id: one for one, _ in backorders.lines_of_order(session, order_id)}
    missing = {line: line.quantity - held.get((line.line_id, line.sku), 0) for line in lines}
    short = {line: units for line, units in missing.items() if units > 0}
    if any(line.line_id not in waiting or waiting[line.line_id].quantity < units for line, units in short.items()):
        return False
    losses: list[Loss] = []
    for sku in sorted({line.sku for line in short}):
        wanted = sum(units for line, units in short.items() if line.sku == sku)
        given = _others_give(session, order_id, warehouse_id, sku, wanted)
        if given is None:
            return False
        losses += given
    fills = [Fill(waiting[line.line_id], warehouse_id, units) for line, units in short.items()]
    give_up(session, losses, warehouse_id, now)
    record_fills(session, fills, now)
    notify(session, notices(losses, fills), now)
    return True


def _others_give(session: Session, order_id: str, warehouse_id: str, sku: str, units: int) -> tuple[Loss, ...] | None:
    """What others give up beside what is free; None where that is not enough."""
    on_hand, allocated = counts.level(session, warehouse_id, sku)
    wanted = units - (on_hand - allocated)
    terms = allocation.policy(session)
    others = [one for one in counts.holders(session, warehouse_id, sku, terms) if one.line.order_id != order_id]
    if wanted > sum(one.held for one in others):
        return None
    return deallocate(others, {}, wanted) if wanted > 0 else ()
