"""Serving who waits, and telling orders where they stand, so many at a time.

A transaction fills the head of a queue and leaves the rest to the next batch: thousands of backorders of one SKU then keep nobody
waiting for longer than a batch. Until the queue is served, what is free for it is free for nobody else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from services.inventory import fact_wire
from services.inventory.domain import backorders as queueing
from services.inventory.domain import facts
from services.inventory.domain.allocation_policy import ORDER_COMPLETE, AllocationPolicy
from services.inventory.domain.backorders import Fill, Waiting
from services.inventory.domain.distribution import distribute
from services.inventory.domain.facts import LineStanding, StockStanding
from services.inventory.domain.sourcing import Available
from services.inventory.store import allocation, backorders, batches, expected, reservations, stock
from services.runtime.facts import document
from services.runtime.outbox import Notice, emit_each
from services.runtime.sessions import wake_after_commit
from services.runtime.statements import slices

BATCH = 50
"""Backorders that a transaction fills, and orders that it tells, at most."""
MOST_SHARED = 200
"""Backorders of a SKU among which too few units are shared in proportion; those behind them wait for the next."""
Due = tuple[str, int, str]
"""What brings units that wait: the ISO date, the working days from then, the reference."""
NOT_DUE: Due = ("", 0, "")
LEFT = "batch_left"
"""What is called out, so that the next batch begins at once."""


def fill_queues(
    session: Session, skus: Collection[str], now: datetime, known: AllocationPolicy | None = None
) -> tuple[Fill, ...]:
    """Serve the queues of these SKUs, whose turns the caller has, from what is free: BATCH backorders, the rest is left.

    Batch after batch gives the same to the same as all at once would. What others hold is left to the next batch to take.
    The policy is read unless it is `known`.
    """
    terms = known or allocation.policy(session)
    done: list[Fill] = []
    for some in slices(skus):
        while fills := _next_fills(session, some, BATCH - len(done), terms):
            record_fills(session, fills, now)
            done += fills
            if len(done) >= BATCH:
                left = [sku for sku in skus if sku >= some[0]]
                leave(session, stock.available(session, left).keys(), now)
                return tuple(done)
    if terms.may_take:
        leave(session, what_may_be_taken(session, skus, terms, now).keys(), now)
    return tuple(done)


def leave(session: Session, skus: Collection[str], now: datetime) -> None:
    """The next batch goes on with these queues, at once."""
    if skus:
        batches.leave(session, skus, now)
        wake_after_commit(session, LEFT)


def what_may_be_taken(
    session: Session, skus: Collection[str], terms: AllocationPolicy, now: datetime
) -> dict[str, list[Fill]]:
    """SKU → what its queue gets, where some of it is given up by orders that hold it and wait for the rest."""
    found: dict[str, list[Fill]] = {}
    for sku, frozen in allocation.frozen(session, skus, terms, now).items():
        free = stock.available(session, [sku]).get(sku, {})
        overdue = allocation.overdue_in_queue(session, sku, terms, now)
        queue = backorders.whole_queue(session, sku)
        fills = distribute(queue, free, frozen, overdue, is_fair_share=terms.is_fair_share)
        if any(one.given_up for one in fills):
            found[sku] = list(fills)
    return found


def _next_fills(session: Session, skus: Collection[str], most: int, terms: AllocationPolicy) -> list[Fill]:
    """What the heads of these queues get of what is free; a statement each, however many SKUs there are.

    Fair shares are worked out over a whole queue, and given out at once.
    """
    free = stock.available(session, skus)
    if terms.is_fair_share:
        queues = {sku: backorders.whole_queue(session, sku, MOST_SHARED) for sku in free}
    else:
        units = sum(sum(places.values()) for places in free.values())
        queues = backorders.first_in_queues(session, free.keys(), min(units, most)) if free else {}
    return [
        one
        for sku, queue in sorted(queues.items())
        for one in distribute(queue, free[sku], is_fair_share=terms.is_fair_share)
    ]


def record_fills(session: Session, fills: Sequence[Fill], now: datetime) -> None:
    """Hold what backorders get; what others gave up for it is free by now."""
    taken: defaultdict[tuple[str, str], int] = defaultdict(int)
    for fill in fills:
        taken[fill.backorder.sku, fill.warehouse_id] += fill.quantity
    stock.hold(session, taken)
    backorders.fill(session, fills)
    reservations.fill(session, fills)
    gathering = {fill.backorder.reservation_id for fill in fills if fill.backorder.place.delivery == ORDER_COMPLETE}
    allocation.gather(session, gathering, now)


def free_for_newcomers(session: Session, skus: Collection[str], places: Collection[str]) -> Available:
    """What these warehouses have free of SKUs, whose turns the caller has, less what a queue that is being served will get."""
    free = stock.available(session, skus, places)
    for sku in batches.left_of(session, free.keys()):
        everywhere = stock.available(session, [sku]).get(sku, {})
        for fill in distribute(backorders.whole_queue(session, sku), everywhere):
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


class Days:
    """When who waits for these SKUs is due, before something moves them; SKUs of which nothing is announced have no days."""

    def __init__(self, session: Session, skus: Collection[str]) -> None:
        self._session = session
        self._supply = expected.open_supply(session, skus)
        self._before = self._read()

    def _read(self) -> dict[str, tuple[Waiting, str]]:
        found: dict[str, tuple[Waiting, str]] = {}
        for sku, supply in self._supply.items():
            queue = backorders.whole_queue(self._session, sku)
            days = queueing.days(queue, supply)
            found |= {one.backorder_id: (one, days[one.backorder_id]) for one in queue}
        return found

    def moved(self) -> list[Waiting]:
        """Those who waited before and have another day now."""
        now = self._read()
        return [
            one
            for backorder_id, (one, day) in self._before.items()
            if backorder_id in now and now[backorder_id][1] != day
        ]


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
