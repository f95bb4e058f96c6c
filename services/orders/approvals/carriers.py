"""Orders that no carrier could serve: their holds go by themselves once one does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.orders.approvals.holds import clear_if_still_right
from services.orders.domain.holds import Hold, remaining
from services.orders.domain.mails import Contacts
from services.orders.domain.order import Address
from services.orders.order import exceptions, outbox
from services.orders.order.aggregate import Actor, note_event, read_for_change, restate
from services.orders.store import holds as store
from services.orders.store import orders

MISSING = "CARRIER_MISSING"
HOLDS_RELEASED = "holds_released"
FULFILLMENT = Actor("fulfillment", "service")
_CAME = "a carrier serves the address now"


def undeliverable(session: Session) -> dict[str, Address]:
    """Order id → where to, of the orders that are held because no carrier goes there; the oldest hold first."""
    held = store.orders_held_by(session, "ship_to")
    return {
        order_id: orders.load(session, order_id).ship_to
        for order_id in held
        if any(map(_is_missing, remaining(store.of_order(session, order_id))))
    }


def _is_missing(hold: Hold) -> bool:
    return hold.code.startswith(MISSING)


def came(session: Session, order_id: str, contacts: Contacts, now: datetime) -> None:
    """Release the order's holds for a missing carrier; with the last one it goes on as after a release by hand."""
    before = read_for_change(session, order_id)
    freed = [hold for hold in remaining(before.holds) if _is_missing(hold)]
    if not freed:
        return
    ids = [hold.hold_id for hold in freed]
    store.release(session, ids, released_by=FULFILLMENT.who, released_role=FULFILLMENT.role, note=_CAME, now=now)
    after = replace(before, holds=store.of_order(session, order_id))
    after = restate(session, clear_if_still_right(session, after, FULFILLMENT, contacts, now), now)
    for hold in freed:
        more = {"hold": hold.code, "hold_type": hold.hold_type, "holds_left": len(remaining(after.holds))}
        note_event(session, before, after, FULFILLMENT, "hold_released", now, why=_CAME, more=more)
    exceptions.resolve_of_holds(session, ids, _CAME, now)
    if not remaining(after.holds):
        outbox.signal(session, order_id, HOLDS_RELEASED, now, subject_id=ids[-1])
