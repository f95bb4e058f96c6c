"""A shipment's way through the warehouse and on the road, each step inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from services.fulfillment import recall_units, wire
from services.fulfillment.domain import facts
from services.fulfillment.domain import shipment as steps
from services.fulfillment.domain.carrier_event import (
    CarrierEvent,
    check_repeat,
    delivers,
    is_exception,
    package_of,
    problem_of,
)
from services.fulfillment.domain.packages import Package, check_no_numbers
from services.fulfillment.domain.rates import chosen
from services.fulfillment.domain.shipment import Consignment, Counted, Shipment, State, Verb
from services.fulfillment.number_packages import PackingRules, label, track
from services.fulfillment.shipment_facts import emit_fact
from services.fulfillment.store import carrier_events, orders, shipments
from services.fulfillment.store.rates import RateBook


def pick(session: Session, shipment_id: str, counted: Sequence[Counted], picker: str, now: datetime) -> Shipment:
    """Released → picked."""
    return _step(session, shipment_id, lambda shipment: steps.pick(shipment, counted, picker, now), now)


def pack(session: Session, rules: PackingRules, shipment_id: str, given: Sequence[Package], now: datetime) -> Shipment:
    """Picked → packed, in the packages `given` or one with everything, each under a code of its own."""
    return _step(session, shipment_id, lambda shipment: label(session, rules, steps.pack(shipment, now, given)), now)


@dataclass(frozen=True, slots=True)
class Handover:
    """Who is to carry a shipment, empty for the cheapest, and the numbers it has given to its packages, empty for those they have."""

    carrier: str = ""
    tracking_numbers: tuple[str, ...] = ()


def ship(
    session: Session, rate_book: RateBook, rules: PackingRules, shipment_id: str, handover: Handover, now: datetime
) -> Shipment:
    """Packed → shipped; a service: released → shipped and delivered, two facts."""
    shipped = _step(
        session, shipment_id, lambda shipment: _handed_over(session, rate_book, rules, shipment, handover, now), now
    )
    if shipped.is_service:
        return _step(session, shipment_id, lambda visit: steps.deliver(visit, now, now), now)
    return shipped


def record_carrier_event(session: Session, event: CarrierEvent, now: datetime) -> tuple[Shipment, bool]:
    """The event's parcel, and whether the event is new; one that was kept before changes nothing.

    Refused WEBHOOK_ID_REUSED when the carrier said something else under the event's id before.
    """
    order_id = orders.claim_of_parcel(session, event.carrier, event.tracking_number)
    if carrier_events.keep(session, event, now):
        return _after_event(session, shipments.of_order(session, order_id), event, now), True
    check_repeat(carrier_events.kept(session, event.carrier, event.event_id), event, order_id)
    return shipments.by_tracking(session, event.carrier, event.tracking_number), False


def _after_event(session: Session, siblings: Sequence[Shipment], event: CarrierEvent, now: datetime) -> Shipment:
    """The parcel's shipment after what its carrier said of it; `siblings` are all shipments of its order."""
    parcel, package = next((each, found) for each in siblings if (found := package_of(event, each)) is not None)
    if is_exception(event, parcel, package):
        after = steps.note_exception(parcel, package, event.occurred_at, now, problem_of(event).value)
        shipments.save(session, parcel, after)
        fact = wire.shipment_fact(facts.EXCEPTION, facts.one_shipment(siblings, after))
        emit_fact(session, fact, after, now)
        return after
    if not delivers(event, parcel, package):
        return parcel
    after = steps.deliver_package(parcel, package, event.occurred_at, now)
    if after.state is State.DELIVERED:
        return _advance(session, siblings, parcel, after, now)
    shipments.save(session, parcel, after)
    return after


def _handed_over(
    session: Session, rate_book: RateBook, rules: PackingRules, shipment: Shipment, handover: Handover, now: datetime
) -> Shipment:
    """The shipment handed over: its carrier chosen, its freight fixed, its packages numbered."""
    if shipment.is_service:
        check_no_numbers(shipment, handover.tracking_numbers)
        return steps.perform(shipment, handover.carrier, now)
    steps.moved(shipment, Verb.SHIP)  # out of turn is said before anything about rates
    into = rate_book.rates_into(session, shipment.ship_to)
    offers = [rate for rate in into if rate.warehouse_id == shipment.warehouse_id]
    offer = chosen(offers, shipment.load, handover.carrier)
    tracked = track(session, rules, shipment, offer.carrier, handover.tracking_numbers)
    return steps.ship(shipment, Consignment(offer.carrier, tracked, offer.cost), now)


def _step(session: Session, shipment_id: str, take: Callable[[Shipment], Shipment], now: datetime) -> Shipment:
    """Claim the shipment's order, take one step of the shipment's life and store it."""
    siblings = shipments.of_order(session, orders.claim_of_shipment(session, shipment_id))
    before = next(each for each in siblings if each.shipment_id == shipment_id)
    return _advance(session, siblings, before, replace(take(before), recall_id=""), now)


def _advance(
    session: Session, siblings: Sequence[Shipment], before: Shipment, after: Shipment, now: datetime
) -> Shipment:
    """Store a step and its fact; `siblings` are the shipments of its order before it, and the order is claimed."""
    shipments.save(session, before, after)
    fact = wire.shipment_fact(facts.milestone_kind(after.state), facts.one_shipment(siblings, after))
    emit_fact(session, fact, after, now)
    if after.state is State.DELIVERED:
        emit_fact(session, wire.delivered_fact(after), after, now)
    if before.recall_id:
        recall_units.answer_by_action(session, before, after.state.value, now)
    return after
