"""Cancelling what an order has at the warehouses, inside the caller's transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.fulfillment import recall_units, wire
from services.fulfillment.domain import facts
from services.fulfillment.domain import shipment as steps
from services.fulfillment.domain.shipment import LEFT, Shipment
from services.fulfillment.shipment_facts import emit_fact
from services.fulfillment.store import orders, shipments


def cancel(session: Session, order_id: str, *, reason: str, unless_shipped: bool, now: datetime) -> list[Shipment]:
    """The order's shipments after it: what has not left is cancelled, and nothing more is ever released.

    With `unless_shipped` nothing changes where one has left.
    """
    orders.claim(session, order_id)
    before = shipments.of_order(session, order_id)
    if unless_shipped and any(each.state in LEFT for each in before):
        return before
    orders.mark_cancelled(session, order_id, reason, now)
    _cancel_open(session, before, now)
    recall_units.answer_by_cancellation(session, order_id, now)
    return shipments.of_order(session, order_id)


def _cancel_open(session: Session, before: list[Shipment], now: datetime) -> None:
    """Cancel every shipment that has not left; one fact for all, when there is one."""
    stopped = {
        each.shipment_id: replace(steps.cancel(each, now), recall_id="") for each in before if steps.can_cancel(each)
    }
    for each in before:
        if each.shipment_id in stopped:
            shipments.save(session, each, stopped[each.shipment_id])
    if stopped:
        after = [stopped.get(each.shipment_id, each) for each in before]
        changed = list(stopped.values())
        fact = wire.shipments_fact(facts.CANCELLED, facts.several_shipments(after, changed))
        emit_fact(session, fact, changed[0], now)
