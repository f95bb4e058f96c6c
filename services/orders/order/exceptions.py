"""Business exceptions: opened once, resolved by a person with a note, or by the system when the cause is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.domain.access import Scope
from services.orders.domain.exceptions import (
    CARRIER_EXCEPTION,
    KINDS,
    SYSTEM,
    UNDELIVERABLE_ADDRESS,
    BusinessException,
    ExceptionFilter,
    ListedException,
    carrier_reason,
    check_resolution,
    resolved_already,
)
from services.orders.domain.facts import Fact
from services.orders.domain.projection import Progress
from services.orders.store import events, orders
from services.orders.store import exceptions as store

OPENED = "exception_opened"
RESOLVED = "exception_resolved"
SHIPMENT_EXCEPTION = "shipment_exception"
_OVER = ("delivered", "cancelled")


def open_exception(session: Session, order_id: str, kind: str, subject_id: str, reason: str, now: datetime) -> None:
    """Open an exception of a subject and note it in the order's events; one that is open already stays as it is."""
    about = KINDS[kind]
    opened = BusinessException(
        new_id("exc"), order_id, kind, subject_id, reason, about.owner_role, about.what_to_do, now
    )
    if store.add(session, opened):
        _note(session, opened, OPENED, SYSTEM, "service", reason, now)


def resolve(session: Session, exception_id: str, caller: Caller, note: str, now: datetime) -> ListedException:
    """Resolve an exception with a note and give it as it is then.

    NotFound for one that the caller's scope hides; the refusals are those of check_resolution(). Of two who resolve it at once,
    the second is refused.
    """
    listed = store.find(session, exception_id, caller.scope)
    found, who = listed.found, caller.principal
    check_resolution(found, who.roles, note)
    orders.take(session, found.order_id, caller.scope)  # first, as everybody who changes something of an order does
    role = found.owner_role if found.owner_role in who.roles else caller.role
    if not store.resolve(session, exception_id, resolved_by=who.sub, resolved_role=role, note=note, now=now):
        raise resolved_already("somebody")
    _note(session, found, RESOLVED, who.sub, role, note, now)
    done = replace(found, resolved_at=now, resolved_by=who.sub, resolved_role=role, note=note)
    return replace(listed, found=done)


def list_exceptions(
    session: Session, wanted: ExceptionFilter, scope: Scope, *, after: str, limit: int
) -> list[ListedException]:
    """Exceptions that a scope shows, oldest first, beginning behind the id `after`."""
    return store.listed(session, wanted, scope, after=after, limit=limit)


def read_exception(session: Session, exception_id: str, scope: Scope) -> ListedException:
    """One exception; NotFound when there is none or the scope hides its order."""
    return store.find(session, exception_id, scope)


def list_open(session: Session, order_id: str) -> list[BusinessException]:
    """The open exceptions of an order, oldest first."""
    return store.open_of(session, order_id)


def count_open(session: Session, scope: Scope) -> int:
    """How many open exceptions the orders of a scope have."""
    return store.count_open(session, scope)


def resolve_of_holds(session: Session, hold_ids: Sequence[str], note: str, now: datetime) -> None:
    """Resolve what stood for holds that were released; whoever releases a hold calls this in the same transaction."""
    said = f"The hold was released: {note}" if note else "The hold was released."
    resolve_by_system(session, UNDELIVERABLE_ADDRESS, hold_ids, said, now)


def follow_shipments(session: Session, before: Progress, after: Progress, fact: Fact, now: datetime) -> None:
    """Open a carrier exception when a carrier tells of a problem, and resolve those of shipments that arrived or were cancelled."""
    for shipment in after.shipments.values():
        if shipment.sequence != fact.sequence:
            continue
        if fact.kind == SHIPMENT_EXCEPTION and shipment.exception_at:
            reason = carrier_reason(shipment)
            open_exception(session, fact.order_id, CARRIER_EXCEPTION, shipment.shipment_id, reason, now)
        known = before.shipments.get(shipment.shipment_id)
        if known and known.exception_at and shipment.state in _OVER:
            note = f"{shipment.number} was {shipment.state}."
            resolve_by_system(session, CARRIER_EXCEPTION, [shipment.shipment_id], note, now)


def resolve_by_system(session: Session, kind: str, subject_ids: Sequence[str], note: str, now: datetime) -> None:
    """Resolve the open exceptions of these subjects, whose cause is gone as the note says."""
    gone = store.resolve_of(session, kind, subject_ids, resolved_by=SYSTEM, resolved_role="service", note=note, now=now)
    for each in gone:
        _note(session, each, RESOLVED, SYSTEM, "service", note, now)


def _note(session: Session, found: BusinessException, what: str, who: str, role: str, why: str, now: datetime) -> None:
    after = {"exception_id": found.exception_id, "kind": found.kind, "owner_role": found.owner_role}
    events.append(session, found.order_id, who=who, role=role, what=what, why=why, after=after, now=now)
