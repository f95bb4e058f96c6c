"""What a count does inside its one transaction: the books follow what is there, and who is promised more than that waits again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlmodel import Session

from services.inventory.deallocating import give_up, notices
from services.inventory.domain import facts
from services.inventory.domain.counting import Count, Difference, ShortPick, difference, short_of
from services.inventory.domain.facts import StockChange
from services.inventory.domain.requests import Adjustment
from services.inventory.queues import Days, fill_queues, notify, notify_moved
from services.inventory.ranking import not_filled
from services.inventory.store import allocation, counts, returned, stock, warehouses
from services.inventory.transactions import book_difference, notify_change
from services.kernel.errors import Conflict
from services.kernel.ids import new_id

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Counted:
    """A count as it was kept: its id, its movement where it differed, and on hand afterwards."""

    count_id: str
    movement_id: str
    on_hand: int
    found: Difference


def preview(session: Session, count: Count) -> Difference:
    """What the count would come to as things are. Refused COUNT_BELOW_PICKED."""
    warehouses.require(session, count.warehouse_id)
    return _difference(session, count)


def record(session: Session, count: Count, currency: str, now: datetime) -> Counted:
    """Book what was counted. Who loses goes back to its place in the queue, which other warehouses may serve at once."""
    warehouses.require(session, count.warehouse_id)
    _take_turns(session, count.warehouse_id, count.sku)
    stock.open_row(session, count.warehouse_id, count.sku)
    return _keep(session, count, _difference(session, count), currency, now)[0]


def record_short(session: Session, short: ShortPick, currency: str, now: datetime) -> Counted:
    """Book what a picker did not find: a count by which that order loses. What its shipment has not heard of yet is not booked again."""
    warehouses.require(session, short.warehouse_id)
    _take_turns(session, short.warehouse_id, short.sku)
    on_hand, allocated = counts.level(session, short.warehouse_id, short.sku)
    if before := counts.open_short_pick(session, short.shipment_id, short.line_id):
        return Counted(before, "", on_hand, Difference(on_hand, 0, ()))
    holders = counts.holders(session, short.warehouse_id, short.sku, allocation.policy(session))
    found = short_of(short, on_hand, allocated, holders)
    left = on_hand + found.delta
    place, sku = short.warehouse_id, short.sku
    count = Count(place, sku, left, short.reason, short.picker, shipment_id=short.shipment_id)
    counted, change = _keep(session, count, found, currency, now)
    if short.is_damaged and change:
        _set_apart(session, short, counted.count_id, change, now)
    return counted


def _set_apart(session: Session, short: ShortPick, count_id: str, missing: StockChange, now: datetime) -> None:
    """What is damaged is there: in quarantine, at what left the books."""
    damaged = StockChange(new_id("mov"), short.warehouse_id, short.sku, -missing.quantity, -missing.value)
    returned.add_damaged(session, count_id, damaged, short.reason, now)
    notify_change(session, facts.DAMAGED, damaged, now)


def _keep(
    session: Session, count: Count, found: Difference, currency: str, now: datetime
) -> tuple[Counted, StockChange | None]:
    days = Days(session, [count.sku])
    give_up(session, found.losses, count.warehouse_id, now)
    change, on_hand = _book(session, count, found, currency, now)
    fills = fill_queues(session, [count.sku], now)
    notify(session, notices(found.losses, fills), now)
    lost = {one.holder.line.order_id for one in found.losses}
    notify_moved(session, [one for one in not_filled(days, fills) if one.order_id not in lost], now)
    counted = Counted(new_id("cnt"), change.movement_id if change else "", on_hand, found)
    counts.keep(session, counted.count_id, count, found, counted.movement_id, now)
    if change:
        notify_change(session, facts.ADJUSTED, change, now)
    log.info(
        "stock.counted", sku=count.sku, warehouse_id=count.warehouse_id, delta=found.delta, losing=len(found.losses)
    )
    return counted, change


def _take_turns(session: Session, warehouse_id: str, sku: str) -> None:
    """Keep others out of the SKU, and of all that an order wants which ships complete and may lose some of it."""
    turns = {sku} | counts.skus_beside(session, warehouse_id, sku)
    stock.take_turns(session, turns)
    if not counts.skus_beside(session, warehouse_id, sku) <= turns:
        raise Conflict("HOLDERS_CHANGED", f"{sku} was promised to another order just now: count it again")


def _book(
    session: Session, count: Count, found: Difference, currency: str, now: datetime
) -> tuple[StockChange | None, int]:
    """The movement of the difference, None where there is none, and on hand now."""
    if not found.delta:
        return None, found.on_hand
    place, sku, delta = count.warehouse_id, count.sku, found.delta
    adjustment = Adjustment(place, sku, delta, count.reason, count.unit_cost, count.standard_cost)
    return book_difference(session, adjustment, currency, now)


def _difference(session: Session, count: Count) -> Difference:
    on_hand, allocated = counts.level(session, count.warehouse_id, count.sku)
    holders = counts.holders(session, count.warehouse_id, count.sku, allocation.policy(session))
    found = difference(count, on_hand, allocated, holders)
    if found.losses and any(one.key not in count.carried for one in holders):
        raise Conflict("HOLDERS_CHANGED", f"{count.sku} was promised to another order just now: count it again")
    return found
