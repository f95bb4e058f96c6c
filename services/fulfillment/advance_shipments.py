"""A shipment's way through the warehouse and on the road, each step inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.fulfillment import recall_units, wire
from services.fulfillment.domain import facts
from services.fulfillment.domain import shipment as steps
from services.fulfillment.domain.carrier_event import CarrierEvent, check_repeat, delivers, is_exception
from services.fulfillment.domain.rates import chosen
from services.fulfillment.domain.shipment import Consignment, Counted, Shipment, State, Verb
from services.fulfillment.shipment_facts import emit_fact
from services.fulfillment.store import carrier_events, orders, shipments
from services.fulfillment.store.counters import next_value
from services.fulfillment.store.rates import RateBook
from services.fulfillment.tracking import tracking_number


def pick(session: Session, shipment_id: str, counted: Sequence[Counted], picker: str, now: datetime) -> Shipment:
    """Released → picked."""
    return _step(session, shipment_id, lambda shipment: steps.pick(shipment, counted, picker, now), now)


def pack(session: Session, shipment_id: str, now: datetime) -> Shipment:
    """Picked → packed."""
    return _step(session, shipment_id, lambda shipment: steps.pack(shipment, now), now)


def ship(session: Session, rate_book: RateBook, shipment_id: str, carrier: str, now: datetime) -> Shipment:
    """Packed → shipped; a service: released → shipped and delivered, two facts."""
    shipped = _step(
        session, shipment_id, lambda shipment: _handed_over(session, rate_book, shipment, carrier, now), now
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
    """The parcel after what its carrier said of it; `siblings` are all shipments of its order."""
    number, carrier = event.tracking_number, event.carrier
    parcel = next(each for each in siblings if (each.tracking_number, each.carrier) == (number, carrier))
    if is_exception(event, parcel):
        after = steps.note_exception(parcel, event.occurred_at, now)
        shipments.save(session, parcel, after)
        fact = wire.shipment_fact(facts.EXCEPTION, facts.one_shipment(siblings, after))
        emit_fact(session, fact, after, now)
        return after
    if not delivers(event, parcel):
        return parcel
    return _advance(session, siblings, parcel, steps.deliver(parcel, event.occurred_at, now), now)


def _handed_over(session: Session, rate_book: RateBook, shipment: Shipment, carrier: str, now: datetime) -> Shipment:
    """The shipment handed over: its carrier chosen, its freight fixed, its parcel numbered."""
    if shipment.is_service:
        return steps.perform(shipment, carrier, now)
    steps.moved(shipment, Verb.SHIP)  # out of turn is said before anything about rates
    into = rate_book.rates_into(session, shipment.ship_to)
    offers = [rate for rate in into if rate.warehouse_id == shipment.warehouse_id]
    offer = chosen(offers, shipment.load, carrier)
    number = tracking_number(offer.carrier, next_value(session, "tracking"))
    return steps.ship(shipment, Consignment(offer.carrier, number, offer.cost), now)


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
