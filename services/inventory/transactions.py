"""What each change does inside its one transaction: take turns, read, decide, record, tell.

Rows are locked in one order everywhere, so two transactions wait for each other but never in a circle: the turns of all SKUs
first (sorted), then stock, then what is left to the next batch or taken up from it, then the outbox counter of each affected
order (sorted), movements of no order last.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain

import structlog
from sqlmodel import Session

from services.inventory import fact_wire, sourcing
from services.inventory.deallocating import cover
from services.inventory.domain import facts
from services.inventory.domain.allocation import LineDemand, Plan, Shortage
from services.inventory.domain.allocation_policy import LINE_COMPLETE, AllocationPolicy
from services.inventory.domain.backorders import Fill, Place, Waiting
from services.inventory.domain.costing import cost_of, counted_cost, draw, opened
from services.inventory.domain.facts import StockChange
from services.inventory.domain.requests import Adjustment, Demand, Departure, Receipt
from services.inventory.domain.warehouses import Warehouse
from services.inventory.queues import (
    Days,
    fill_queues,
    filled,
    leave,
    notify,
    notify_filled,
    notify_moved,
    what_may_be_taken,
)
from services.inventory.ranking import not_filled, serve
from services.inventory.sourcing import Planned
from services.inventory.store import (
    allocation,
    backorders,
    layers,
    outages,
    reservations,
    reversals,
    stock,
    warehouses,
)
from services.inventory.store.layers import Occasion
from services.inventory.store.reservations import NewReservation
from services.inventory.supplying import Arrival
from services.kernel.errors import Refused
from services.kernel.ids import new_id
from services.kernel.money import Money, UnitPrice
from services.runtime.facts import emit_fact
from services.runtime.outbox import Notice, write_emitted
from services.runtime.versioned import is_unchanged

log = structlog.get_logger()


def put_warehouse(session: Session, place: Warehouse, now: datetime, seen: int | None = None) -> Warehouse:
    """Store the warehouse; one that opens again ends its outage and serves who waits. The same again changes nothing. Refused VERSION_STALE."""
    known = warehouses.find(session, place.warehouse_id)
    if known is not None and is_unchanged(known, place, seen):
        return known
    stored = warehouses.put(session, place, seen)
    if known is not None and place.is_active and not known.is_active:
        outages.end(session, place.warehouse_id, now)
        _serve_waiting(session, place, now)
    return stored


def _serve_waiting(session: Session, place: Warehouse, now: datetime) -> None:
    skus = warehouses.skus_of(session, place.warehouse_id)
    stock.take_turns(session, skus)
    serve(session, skus, now)


def reserve(session: Session, demand: Demand, now: datetime) -> tuple[str, Planned]:
    """Hold what stock allows, queue what it does not, and give the reservation's id; nothing asked, nothing stored."""
    if not demand.lines:
        return "", Planned(Plan((), ()), ())
    skus = {line.sku for line in demand.lines}
    stock.take_turns(session, skus)
    terms = allocation.policy(session)
    is_whole = demand.claim.delivery(terms) == LINE_COMPLETE
    planned = sourcing.plan(session, demand, demand.lines, demand.candidates, is_whole=is_whole)
    plan = planned.plan
    new = NewReservation(
        new_id("res"),
        demand.order_id,
        demand.placed_at_micros,
        demand.lease_seconds,
        planned.fillers,
        demand.claim,
        demand.destination,
    )
    reservations.create(session, new, now)
    sourcing.keep(session, demand.order_id, planned, now)
    stock.hold(session, plan.taken())
    reservations.hold(session, new.reservation_id, plan.allocations)
    moved = _queue(session, new, plan, terms, now) if plan.shortages else []
    notify(session, [Notice(facts.RESERVED, demand.order_id, new.reservation_id)], now)
    notify_moved(session, moved, now)
    log.info(
        "reservation.created",
        order_id=demand.order_id,
        allocated=sum(part.quantity for part in plan.allocations),
        short=sum(shortage.quantity for shortage in plan.shortages),
    )
    return new.reservation_id, planned


def _queue(session: Session, new: NewReservation, plan: Plan, terms: AllocationPolicy, now: datetime) -> list[Waiting]:
    """Let the order wait for what it is short of, and have that taken where others must give it up; whose days that moves."""
    skus = {shortage.sku for shortage in plan.shortages}
    days = Days(session, skus)
    place = allocation.place_of(session, terms, new.claim, new.placed_at_micros)
    backorders.add(session, [_waiting(new, shortage, place) for shortage in plan.shortages], terms.version, now)
    if new.claim.is_order_complete:
        allocation.set_gathering(session, new.reservation_id, is_gathering=True)
        if plan.allocations:
            allocation.gather(session, [new.reservation_id], now)
    if terms.may_take:
        leave(session, what_may_be_taken(session, skus, terms, now).keys(), now)
    return days.moved()


def _waiting(new: NewReservation, shortage: Shortage, place: Place) -> Waiting:
    return Waiting(
        new_id("bo"),
        new.reservation_id,
        new.order_id,
        shortage.line_id,
        shortage.sku,
        shortage.quantity,
        new.placed_at_micros,
        new.candidates,
        place,
    )


def release(session: Session, order_id: str, now: datetime) -> tuple[int, int]:
    """Free what the order holds, end its waiting, serve others from it; units freed and units no longer waited for."""
    reservation_id = reservations.active_of(session, order_id)
    if reservation_id is None:
        return 0, 0
    skus = reservations.skus_of(session, reservation_id)
    stock.take_turns(session, skus)
    freed = reservations.release(session, reservation_id)
    if freed is None:
        return 0, 0
    days = Days(session, skus)
    stock.free(session, freed)
    cancelled = backorders.cancel(session, reservation_id)
    fills = fill_queues(session, {sku for sku, _ in freed}, now)
    notify(session, {Notice(facts.RELEASED, order_id, reservation_id), *filled(fills)}, now)
    notify_moved(session, not_filled(days, fills, order_id), now)
    log.info("reservation.released", order_id=order_id, released=sum(freed.values()), cancelled=cancelled)
    return sum(freed.values()), cancelled


def receive(session: Session, receipt: Receipt, now: datetime) -> tuple[StockChange, int, tuple[Fill, ...]]:
    """Book goods in and serve who waits for them; the movement, on hand there now, and what was filled."""
    warehouses.require(session, receipt.warehouse_id)
    stock.take_turns(session, [receipt.sku])
    arrival = Arrival(session, receipt, now)
    warehouses.settle_currency(session, receipt.warehouse_id, receipt.unit_cost.currency)
    stock.open_row(session, receipt.warehouse_id, receipt.sku)
    on_hand = stock.add(session, receipt.warehouse_id, receipt.sku, receipt.quantity)
    occasion = Occasion("received", now, reference=receipt.reference)
    change = _add_layer(session, receipt.warehouse_id, receipt.sku, receipt.quantity, receipt.unit_cost, occasion)
    arrival.take_off()
    free = stock.available(session, [receipt.sku]).get(receipt.sku, {})
    fills = fill_queues(session, [receipt.sku], now)
    notify_filled(session, fills, now)
    arrival.notify_others(free, {fill.backorder.order_id for fill in fills})
    notify_change(session, facts.RECEIVED, change, now)
    log.info("stock.received", sku=receipt.sku, warehouse_id=receipt.warehouse_id, quantity=receipt.quantity)
    return change, on_hand, fills


def adjust(session: Session, adjustment: Adjustment, currency: str, now: datetime) -> tuple[StockChange, int]:
    """Book a count difference; the movement and on hand there now. Found units serve who waits."""
    warehouses.require(session, adjustment.warehouse_id)
    stock.take_turns(session, [adjustment.sku])
    change, on_hand = book_difference(session, adjustment, currency, now)
    if adjustment.delta > 0:
        serve(session, [adjustment.sku], now)
    notify_change(session, facts.ADJUSTED, change, now)
    log.info("stock.adjusted", sku=adjustment.sku, warehouse_id=adjustment.warehouse_id, delta=adjustment.delta)
    return change, on_hand


def book_difference(session: Session, adjustment: Adjustment, currency: str, now: datetime) -> tuple[StockChange, int]:
    """Units more or fewer on hand and in the cost layers; the caller has the turn, and tells billing of the movement.

    `currency` values a warehouse that never received anything, where no cost says another one.
    """
    place, sku = adjustment.warehouse_id, adjustment.sku
    stock.open_row(session, place, sku)
    on_hand = stock.add(session, place, sku, adjustment.delta)
    costs = [cost.currency for cost in (adjustment.unit_cost, adjustment.standard_cost) if cost]
    valued_in = warehouses.currency_of(session, place) or next(iter(costs), currency)
    occasion = Occasion("adjusted", now, reference=adjustment.reason)
    if adjustment.delta > 0:
        unit_cost = _counted_cost(session, adjustment, valued_in)
        warehouses.settle_currency(session, place, unit_cost.currency)
        return _add_layer(session, place, sku, adjustment.delta, unit_cost, occasion), on_hand
    [change] = _take_layers(session, place, {sku: -adjustment.delta}, valued_in, occasion)
    return change, on_hand


def _counted_cost(session: Session, adjustment: Adjustment, currency: str) -> UnitPrice:
    last = layers.last_unit_cost(session, adjustment.warehouse_id, adjustment.sku, currency)
    return counted_cost(
        adjustment.sku, currency, given=adjustment.unit_cost, last=last, standard=adjustment.standard_cost
    )


def ship(session: Session, departure: Departure, now: datetime) -> Money | None:
    """Take what left off allocated, on hand and the cost layers; what it had cost, None when it carried no stock.

    Nothing of a shipment whose ship confirm was reversed before.
    """
    order_id, place = departure.order_id, departure.warehouse_id
    stock.take_turns(session, {line.sku for line in departure.lines})
    if reversals.is_reversed(session, departure.shipment_id):
        return None
    layers.record_issue(session, departure.shipment_id, order_id, place, now)
    if not departure.lines:
        return None
    reservation_id = reservations.active_of(session, order_id)
    try:
        reservations.ship(session, reservation_id, place, departure.lines)
    except Refused:
        if not cover(session, order_id, place, departure.lines, now):
            raise
        reservations.ship(session, reservation_id, place, departure.lines)
    allocation.begin(session, reservation_id or "")
    currency = warehouses.currency_of(session, place)
    occasion = Occasion("issued", now, order_id=order_id, shipment_id=departure.shipment_id)
    units = _by_sku(departure.lines)
    stock.issue(session, place, units)
    changes = _take_layers(session, place, units, currency, occasion)
    cost = -Money.total((change.value for change in changes), currency)
    layers.cost_issue(session, departure.shipment_id, cost)
    for change in changes:
        left = StockChange(change.movement_id, place, change.sku, -change.quantity, -change.value)
        notify_change(session, facts.ISSUED, left, now, order_id)
    # locks the order's counter, so of two shipments leaving at once the later one sees both
    write_emitted(session)
    reservations.close_when_shipped(session, reservation_id or "")
    log.info("stock.issued", order_id=order_id, shipment_id=departure.shipment_id, warehouse_id=place)
    return cost


def _by_sku(lines: Sequence[LineDemand]) -> dict[str, int]:
    """SKU → units, by SKU."""
    units: defaultdict[str, int] = defaultdict(int)
    for line in sorted(lines, key=lambda each: each.sku):
        units[line.sku] += line.quantity
    return units


def _add_layer(
    session: Session, place: str, sku: str, units: int, unit_cost: UnitPrice, occasion: Occasion
) -> StockChange:
    layer = opened(new_id("mov"), units, unit_cost)
    change = StockChange(layer.layer_id, place, sku, units, layer.value)
    layers.record(session, [change], occasion)
    layers.add(session, layer, place, sku, unit_cost)
    return change


def _take_layers(
    session: Session, place: str, units: Mapping[str, int], currency: str, occasion: Occasion
) -> list[StockChange]:
    """Take units, SKU → how many, off their oldest layers and book a movement each."""
    stored = layers.left(session, place, units)
    draws = {sku: draw(stored[sku], count) for sku, count in units.items()}
    layers.take(session, chain.from_iterable(draws.values()))
    changes = [
        StockChange(new_id("mov"), place, sku, -units[sku], -cost_of(drawn, currency)) for sku, drawn in draws.items()
    ]
    layers.record(session, changes, occasion)
    return changes


def notify_change(session: Session, kind: str, change: StockChange, now: datetime, order_id: str = "") -> None:
    """Tell billing of a movement."""
    movement = fact_wire.movement_fact(kind, change)
    emit_fact(session, movement, order_id=order_id, subject_id=change.movement_id, now=now)
