"""Putting back what a shipment took off stock, inside the caller's transaction: its ship confirm was a mistake."""

from collections import defaultdict
from datetime import datetime

import structlog
from sqlmodel import Session

from services.inventory import fact_wire
from services.inventory.domain import facts
from services.inventory.domain.allocation import Allocation, LineDemand
from services.inventory.domain.costing import Layer
from services.inventory.domain.facts import StockChange
from services.inventory.domain.requests import Departure
from services.inventory.domain.reversing import check_same, unit_cost
from services.inventory.ranking import serve
from services.inventory.store import layers, reservations, reversals, stock
from services.inventory.store.layers import Occasion
from services.kernel.ids import new_id
from services.kernel.money import Money
from services.runtime.facts import emit_fact

log = structlog.get_logger()


def reverse(session: Session, departure: Departure, now: datetime) -> Money | None:
    """On hand, allocated and cost as before the shipment left; what its goods had cost, None where none had been taken off.

    The order's reservation holds the units again. Where that was let go meanwhile they are free, and serve who waits.
    """
    stock.take_turns(session, {line.sku for line in departure.lines})
    taken = reversals.issued(session, departure.shipment_id)
    issued_for = reversals.issued_for(session, departure.shipment_id)
    if issued_for is not None:
        check_same(departure, issued_for, taken)
    cost = Money.total((change.value for change in taken), taken[0].value.currency) if taken else None
    if not reversals.record(session, departure, cost, now) or cost is None:
        return cost
    for change in taken:
        stock.add(session, change.warehouse_id, change.sku, change.quantity)
    _hold_again(session, departure, now)
    for change in taken:
        _put_back(session, departure, change, now)
    log.info("stock.issue_reversed", order_id=departure.order_id, shipment_id=departure.shipment_id)
    return cost


def _hold_again(session: Session, departure: Departure, now: datetime) -> None:
    """Each unit goes back to the reservation that it was shipped from, or to the one that is active by now."""
    order_id, place = departure.order_id, departure.warehouse_id
    by_reservation: defaultdict[tuple[str, str], list[LineDemand]] = defaultdict(list)
    for line in departure.lines:
        by_reservation[reversals.shipped_from(session, order_id, place, line)].append(line)
    for (reservation_id, state), lines in sorted(by_reservation.items()):
        is_let_go = state == "released"
        reversals.unship(session, reservation_id, place, lines, is_let_go=is_let_go)
        if is_let_go:
            serve(session, sorted({line.sku for line in lines}), now)
            continue
        active = reservations.active_of(session, order_id)
        if active is None:
            reversals.reopen(session, reservation_id)
        held = [Allocation(line.line_id, line.sku, place, line.quantity) for line in lines]
        stock.hold(session, _by_pair(held))
        reservations.hold(session, active or reservation_id, held)


def _by_pair(parts: list[Allocation]) -> dict[tuple[str, str], int]:
    units: defaultdict[tuple[str, str], int] = defaultdict(int)
    for part in parts:
        units[part.sku, part.warehouse_id] += part.quantity
    return dict(sorted(units.items()))


def _put_back(session: Session, departure: Departure, change: StockChange, now: datetime) -> None:
    """The goods are the next to leave again, at the cost that they left with."""
    layer = Layer(new_id("mov"), change.quantity, change.value, change.quantity, change.value)
    back = StockChange(layer.layer_id, change.warehouse_id, change.sku, change.quantity, change.value)
    occasion = Occasion("reversed", now, order_id=departure.order_id, reference=departure.shipment_id)
    layers.record(session, [back], occasion)
    layers.add(session, layer, change.warehouse_id, change.sku, unit_cost(change), is_first=True)
    detail = fact_wire.movement_fact(facts.ISSUE_REVERSED, back)
    emit_fact(session, detail, order_id=departure.order_id, subject_id=back.movement_id, now=now)
