"""Who would get goods if they came: the same decision as when they do, and no row is touched."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from services.inventory.domain import backorders as queueing
from services.inventory.domain.backorders import Fill, Waiting
from services.inventory.domain.distribution import distribute
from services.inventory.store import allocation, backorders, expected, stock, warehouses


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a backorder would get and when its last unit is due, as things are and then; ISO dates or empty."""

    waiting: Waiting
    quantity: int
    expected_on: str
    then_expected_on: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What goods would come to: who gets them, in turn, what is given up for it, and what nobody waits for."""

    outlooks: tuple[Outlook, ...]
    fills: tuple[Fill, ...]
    left_quantity: int
    still_waiting_quantity: int
    is_open: bool


def ask(session: Session, sku: str, warehouse_id: str, quantity: int, now: datetime) -> WhatIf:
    """If so many units of a SKU came to a warehouse. NotFound WAREHOUSE_UNKNOWN."""
    warehouses.require(session, warehouse_id)
    is_open = any(one.warehouse_id == warehouse_id and one.is_active for one in warehouses.every(session))
    terms = allocation.policy(session)
    queue = backorders.whole_queue(session, sku)
    free = dict(stock.available(session, [sku]).get(sku, {}))
    if is_open:
        free[warehouse_id] = free.get(warehouse_id, 0) + quantity
    frozen = allocation.frozen(session, [sku], terms, now).get(sku, [])
    overdue = allocation.overdue_in_queue(session, sku, terms, now) if frozen else frozenset()
    fills = distribute(queue, free, frozen, overdue, is_fair_share=terms.is_fair_share)
    given: Counter[str] = Counter()
    for one in fills:
        given[one.backorder.backorder_id] += one.quantity
    outlooks = _outlooks(session, sku, queue, given, warehouse_id, quantity)
    moved = tuple(one for one in outlooks if one.quantity or one.expected_on != one.then_expected_on)
    taken = sum(one.quantity for one in fills if one.given_up)
    left = quantity - min(
        quantity, sum(one.quantity for one in fills if one.warehouse_id == warehouse_id and not one.given_up)
    )
    still = sum(one.quantity for one in queue) - sum(given.values()) + taken
    return WhatIf(moved, fills, left, still, is_open)


def _outlooks(
    session: Session, sku: str, queue: list[Waiting], given: Counter[str], warehouse_id: str, quantity: int
) -> list[Outlook]:
    """Of everybody in turn. What comes takes off what is announced there, the oldest first, as a receipt does."""
    supply = expected.open_supply(session, [sku]).get(sku, [])
    here = [one for one in supply if one.warehouse_id == warehouse_id]
    come = queueing.arrived(here, quantity)
    later = [replace(one, quantity=one.quantity - come.get(one.expected_receipt_id, 0)) for one in supply]
    rest = [replace(one, quantity=one.quantity - given[one.backorder_id]) for one in queue]
    before = queueing.days(queue, supply)
    after = queueing.days([one for one in rest if one.quantity], [one for one in later if one.quantity])
    return [
        Outlook(one, given[one.backorder_id], before[one.backorder_id], after.get(one.backorder_id, ""))
        for one in queue
    ]
