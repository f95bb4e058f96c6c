"""Having a parcel stopped on its way, inside the caller's transactions: asked for once, and answered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.fulfillment import wire
from services.fulfillment.domain import facts
from services.fulfillment.domain import shipment as steps
from services.fulfillment.domain.carrier_event import CarrierStatus
from services.fulfillment.domain.interception import (
    ASKED,
    INTERCEPTED,
    Interception,
    answered,
    check_on_its_way,
    together,
)
from services.fulfillment.domain.shipment import Shipment, State
from services.fulfillment.shipment_facts import emit_fact
from services.fulfillment.store import interceptions, orders, shipments

log = structlog.get_logger()


def ask(session: Session, shipment_id: str, who: str, reason: str, now: datetime) -> Shipment:
    """The shipment whose carrier is to be asked, or was; refused NOT_ON_ITS_WAY where nothing can be stopped any more."""
    orders.claim_of_shipment(session, shipment_id)
    found = shipments.get(session, shipment_id)
    if found.interception is not None:
        return found
    check_on_its_way(found)
    asked = Interception(ASKED, reason, who, now)
    interceptions.add(session, shipment_id, asked)
    log.info("shipment.interception_asked", order_id=found.order_id, shipment_id=shipment_id)
    return replace(found, interception=asked)


def answer(session: Session, shipment_id: str, said: Sequence[str], now: datetime) -> Shipment:
    """The shipment with what came of it, told once; one that was delivered meanwhile was not stopped. `said` is of each package.

    Where only some are stopped, the shipment is not: those that come back alone are a problem for people.
    """
    order_id = orders.claim_of_shipment(session, shipment_id)
    siblings = shipments.of_order(session, order_id)
    before = next(each for each in siblings if each.shipment_id == shipment_id)
    assert before.interception is not None, "only what was asked is answered"
    found = answered(before, before.interception, together(said), now)
    if before.interception.state != ASKED or not interceptions.answer(session, shipment_id, found):
        return before
    log.info("shipment.interception_answered", order_id=order_id, shipment_id=shipment_id, state=found.state)
    after = replace(before, interception=found)
    if after.is_intercepted:
        after = steps.intercepted(after)
        shipments.save(session, before, after)
        emit_fact(session, wire.intercepted_fact(facts.one_shipment(siblings, after)), after, now)
        return after
    stopped = [
        each.number
        for each, what in zip(before.packages, said, strict=True)
        if what == INTERCEPTED and each.delivered_at is None
    ]
    if stopped and before.state is State.SHIPPED:
        return _part_comes_back(session, siblings, before, after, stopped, now)
    return after


def _part_comes_back(
    session: Session,
    siblings: Sequence[Shipment],
    before: Shipment,
    after: Shipment,
    stopped: Sequence[int],
    now: datetime,
) -> Shipment:
    for number in stopped:
        package = next(each for each in after.packages if each.number == number)
        after = steps.note_exception(after, package, now, now, CarrierStatus.RETURNED_TO_SENDER.value)
    shipments.save(session, before, after)
    emit_fact(session, wire.shipment_fact(facts.EXCEPTION, facts.one_shipment(siblings, after)), after, now)
    return after
