"""Reversing a ship confirm, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlmodel import Session

from services.fulfillment import wire
from services.fulfillment.domain import facts
from services.fulfillment.domain.reversal import check_not_back, check_reversible, replacement, reverse
from services.fulfillment.domain.shipment import Shipment
from services.fulfillment.number_packages import PackingRules, label
from services.fulfillment.shipment_facts import emit_fact
from services.fulfillment.store import orders, returns, reversals, shipments
from services.fulfillment.store.counters import next_value
from services.kernel.ids import new_id

log = structlog.get_logger()


def reverse_ship(
    session: Session, shipment_id: str, rules: PackingRules, *, who: str, reason: str, now: datetime
) -> tuple[Shipment, Shipment]:
    """The shipment, which never left and is cancelled, and the packed one that has its goods; one fact for both."""
    order_id = orders.claim_of_shipment(session, shipment_id)
    siblings = shipments.of_order(session, order_id)
    before = next(each for each in siblings if each.shipment_id == shipment_id)
    _check(session, before, siblings)
    serial = next_value(session, "shipment")
    packed = label(session, rules, replacement(before, new_id("shp"), serial))
    after = reverse(before, serial, who, reason, now)
    assert after.reversal is not None, "it has just been reversed"
    shipments.save(session, before, after)
    reversals.add(session, shipment_id, after.reversal)
    shipments.add(session, packed)
    log.info("shipment.confirm_reversed", order_id=order_id, shipment_id=shipment_id, replaced_by=packed.number)
    current = [after if each is before else each for each in siblings]
    fact = wire.reversed_fact(facts.several_shipments([*current, packed], [after, packed]), reason)
    emit_fact(session, fact, after, now)
    return after, packed


def check(session: Session, shipment_id: str) -> Shipment:
    """The shipment, if its ship confirm can be reversed; refused as reverse_ship() is."""
    shipment = shipments.get(session, shipment_id)
    _check(session, shipment, shipments.of_order(session, shipment.order_id))
    return shipment


def _check(session: Session, shipment: Shipment, siblings: Sequence[Shipment]) -> None:
    has_carrier = bool(shipment.tracking_number)
    check_reversible(
        shipment,
        is_with_carrier=has_carrier and reversals.is_with_carrier(session, shipment.carrier, shipment.shipment_id),
        is_order_cancelled=orders.is_cancelled(session, shipment.order_id),
    )
    others = [each for each in siblings if each.shipment_id != shipment.shipment_id]
    check_not_back(shipment, others, returns.received_of(session, shipment.order_id))
