"""Serving who waits, and telling orders where they stand, so many at a time.

A transaction fills the head of a queue and leaves the rest to the next batch: thousands of backorders of one SKU then keep nobody
waiting for longer than a batch. Until the queue is served, what is free for it is free for nobody else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.inventory import fact_wire
from services.inventory.domain import backorders as queueing
from services.inventory.domain import facts
from services.inventory.domain.backorders import Fill, Waiting
from services.inventory.domain.facts import LineStanding, StockStanding
from services.inventory.domain.sourcing import Available
from services.inventory.store import backorders, batches, reservations, stock
from services.runtime.facts import document
from services.runtime.outbox import Notice, emit_each
from services.runtime.sessions import wake_after_commit
from services.runtime.statements import slices

BATCH = 50
"""Backorders that a transaction fills, and orders that it tells, at most."""
Due = tuple[str, int, str]
"""What brings units that wait: the ISO date, the working days from then, the reference."""
NOT_DUE: Due = ("", 0, "")
LEFT = "batch_left"
"""What is called out, so that the next batch begins at once."""


def fill_queues(session: Session, skus: Collection[str], now: datetime) -> tuple[Fill, ...]:
    """Serve the queues of these SKUs, whose turns the caller has, from what is free: BATCH backorders, the rest is left.

    Batch after batch gives the same to the same as all at once would.
    """
    done: list[Fill] = []
    for some in slices(skus):
        while fills := _next_fills(session, some, BATCH - len(done)):
            _record_fills(session, fills)
            done += fills
            if len(done) >= BATCH:
                _leave(session, [sku for sku in skus if sku >= some[0]], now)
                return tuple(done)
    return tuple(done)


def _leave(session: Session, skus: Collection[str], now: datetime) -> None:
    batches.leave(session, stock.available(session, skus).keys(), now)
    wake_after_commit(session, LEFT)


def _next_fills(session: Session, skus: Collection[str], most: int) -> list[Fill]:
    """What the heads of these queues get of what is free; a statement each, however many SKUs there are."""
    free = stock.available(session, skus)
    units = sum(sum(places.values()) for places in free.values())
    heads = backorders.first_in_queues(session, free.keys(), min(units, most)) if free else {}
    return [one for sku, queue in sorted(heads.items()) for one in queueing.fill(queue, free[sku])]


def _record_fills(session: Session, fills: Sequence[Fill]) -> None:
    taken: defaultdict[tuple[str, str], int] = defaultdict(int)
    for fill in fills:
        taken[fill.backorder.sku, fill.warehouse_id] += fill.quantity
    stock.hold(session, taken)
    backorders.fill(session, fills)
    reservations.fill(session, fills)


def free_for_newcomers(session: Session, skus: Collection[str], places: Collection[str]) -> Available:
    """What these warehouses have free of SKUs, whose turns the caller has, less what a queue that is being served will get."""
    free = stock.available(session, skus, places)
    for sku in batches.left_of(session, free.keys()):
        everywhere = stock.available(session, [sku]).get(sku, {})
        for fill in queueing.fill(backorders.whole_queue(session, sku), everywhere):
            if fill.warehouse_id in free.get(sku, {}):
                free[sku][fill.warehouse_id] -= fill.quantity
    return free


def filled(fills: Iterable[Fill]) -> set[Notice]:
    """The facts that fills call for, one an order."""
    return {Notice(facts.ALLOCATED, fill.backorder.order_id, fill.backorder.reservation_id) for fill in fills}


def notify_filled(session: Session, fills: Iterable[Fill], now: datetime) -> None:
    """Tell the orders that got something."""
    notify(session, filled(fills), now)


def notify_moved(session: Session, moved: Iterable[Waiting], now: datetime) -> None:
    """Tell the orders of these backorders of other days: BATCH of them now, the others are left to the next batches."""
    orders = {one.order_id: one for one in moved}
    in_turn = sorted(orders.values(), key=lambda one: one.turn)
    if len(in_turn) > BATCH:
        batches.leave_unnotified(session, in_turn[BATCH:], now)
        wake_after_commit(session, LEFT)
    notify(session, [Notice(facts.EXPECTED, one.order_id, one.reservation_id) for one in in_turn[:BATCH]], now)


def notify(session: Session, notices: Collection[Notice], now: datetime) -> None:
    """Emit where each order stands, read once its counter is locked: newer facts never know less than older ones."""
    in_order = sorted(notices, key=lambda notice: notice.order_id)

    def details() -> dict[str, Mapping[str, object]]:
        standings = _standings(session, [notice.order_id for notice in in_order])
        return {
            notice.order_id: document(fact_wire.standing_fact(notice.kind, standings[notice.order_id]))
            for notice in in_order
        }

    emit_each(session, in_order, details, now)


def _standings(session: Session, order_ids: Sequence[str]) -> dict[str, StockStanding]:
    allocated = reservations.allocated_by_line(session, order_ids)
    waiting: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    due: defaultdict[str, dict[str, Due]] = defaultdict(dict)
    for one, supply in backorders.lines_of_orders(session, order_ids):
        waiting[one.order_id][one.line_id] += one.quantity
        days = due[one.order_id]
        if supply:
            days[one.line_id] = (supply.expected_on, one.lead_days_from(supply.warehouse_id), supply.reference)
    return {
        order_id: _standing(allocated.get(order_id, {}), waiting[order_id], due[order_id]) for order_id in order_ids
    }


def _standing(allocated: Mapping[str, int], waiting: Mapping[str, int], due: Mapping[str, Due]) -> StockStanding:
    lines = sorted({*allocated, *waiting})
    return StockStanding(
        tuple(
            LineStanding(line, allocated.get(line, 0), waiting.get(line, 0), *due.get(line, NOT_DUE)) for line in lines
        )
    )


@dataclass(frozen=True, slots=True)
class Left:
    """What earlier batches have left: SKUs whose queues go on, and orders that are to hear of other days."""

    skus: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()

    def singly(self) -> list[Left]:
        """The same in batches of one."""
        return [Left(skus=(sku,)) for sku in self.skus] + [Left(order_ids=(order_id,)) for order_id in self.order_ids]


def next_left(session: Session, passed_over: Collection[Left] = ()) -> Left:
    """The next batch, queues before news; empty when nothing is left. Batches of one that are `passed_over` are not in it."""
    most = BATCH + len(passed_over)
    skus = [sku for sku in batches.next_left(session, most) if Left(skus=(sku,)) not in passed_over]
    if skus:
        return Left(skus=tuple(skus[:BATCH]))
    news = batches.next_unnotified(session, most)
    return Left(order_ids=tuple([one for one in news if Left(order_ids=(one,)) not in passed_over][:BATCH]))


def fill_left(session: Session, left: Left, now: datetime) -> None:
    """Go on with these queues, and tell these orders of their days, as far as nobody else has since."""
    if left.skus:
        stock.take_turns(session, left.skus)
        # fill_queues() leaves again what it does not reach
        batches.done(session, left.skus)
        notify_filled(session, fill_queues(session, left.skus, now), now)
    if left.order_ids:
        moved = batches.take_unnotified(session, left.order_ids)
        notify(session, [Notice(facts.EXPECTED, order_id, kept_by) for order_id, kept_by in moved.items()], now)
