"""Business exceptions of an order: opened once, read, and resolved by the system when the cause is gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from services.kernel.ids import new_id
from services.orders.domain.access import Scope
from services.orders.domain.exceptions import (
    CARRIER_EXCEPTION,
    DEPOSIT_LEFT,
    DEPOSIT_LEFT_REASON,
    KINDS,
    RECALL_ESCALATED,
    RECALL_UNANSWERED,
    REVIEW_SHORT_OF_PEOPLE,
    SYSTEM,
    TAX_MISSING,
    UNDELIVERABLE_ADDRESS,
    UNREACHABLE_CUSTOMER,
    BusinessException,
    ExceptionFilter,
    ListedException,
    carrier_reason,
    short_of_people_reason,
    unreachable_reason,
)
from services.orders.domain.facts import Fact
from services.orders.domain.mails import buyer
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import Order
from services.orders.domain.projection import Progress
from services.orders.store import events
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
        note_event(session, opened, OPENED, SYSTEM, "service", reason, now)


def resolve_all_but(session: Session, kind: str, subject_ids: Collection[str], note: str, now: datetime) -> None:
    """Resolve every open exception of a kind but those of these subjects."""
    gone = [one for one in store.open_subjects(session, kind) if one not in subject_ids]
    resolve_by_system(session, kind, gone, note, now)


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


def count_open_by_kind(session: Session) -> dict[str, int]:
    """Kind → how many open exceptions it has, 0 too."""
    return {**dict.fromkeys(KINDS, 0), **store.count_open_by_kind(session)}


def resolve_of_holds(session: Session, hold_ids: Sequence[str], note: str, now: datetime) -> None:
    """Resolve what stood for holds that were released; whoever releases a hold calls this in the same transaction."""
    said = f"The hold was released: {note}" if note else "The hold was released."
    for kind in (UNDELIVERABLE_ADDRESS, TAX_MISSING):
        resolve_by_system(session, kind, hold_ids, said, now)


def note_short_of_people(
    session: Session, order_id: str, review_id: str, shortfall: str, standing: str, now: datetime
) -> None:
    """Open an exception for a review that the people there are cannot finish, in the words of today.

    `standing` is the reason of the one that stands, empty without one; that of today stays as it is.
    """
    reason = short_of_people_reason(shortfall)
    if standing == reason:
        return
    if standing:
        resolve_by_system(session, REVIEW_SHORT_OF_PEOPLE, [review_id], f"It is another one now: {shortfall}.", now)
    open_exception(session, order_id, REVIEW_SHORT_OF_PEOPLE, review_id, reason, now)


def short_of_people(session: Session, review_ids: Collection[str]) -> dict[str, str]:
    """Review → the reason of the exception that stands because nobody can finish it; other reviews are missing."""
    return store.open_reasons(session, REVIEW_SHORT_OF_PEOPLE, review_ids)


def resolve_short_of_people(session: Session, review_ids: Sequence[str], note: str, now: datetime) -> None:
    """Resolve what stood for reviews that ended, or that the people there are can finish now."""
    resolve_by_system(session, REVIEW_SHORT_OF_PEOPLE, review_ids, note, now)


def note_reused(
    session: Session, order_id: str, kind: str, key: str, body: Mapping[str, Any], refusal: str, now: datetime
) -> None:
    """Open an exception for a key that came again with another body: one a key and digest, whether or not it was resolved."""
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
    subject_id = f"{key}/{digest[:16]}"
    if order_id and not store.was_opened(session, kind, subject_id):
        open_exception(session, order_id, kind, subject_id, f"Refused: {refusal}.", now)


def note_reachable(session: Session, order: Order, customer: Customer, now: datetime) -> None:
    """Open an exception for an order of a customer without any mail address: it would hear nothing, and nobody would know."""
    if not buyer(customer):
        reason = unreachable_reason(customer.name)
        open_exception(session, order.order_id, UNREACHABLE_CUSTOMER, order.order_id, reason, now)


def resolve_reachable(session: Session, customer: Customer, now: datetime) -> None:
    """Resolve what stood for a customer's missing address, once it has one."""
    if buyer(customer):
        orders = store.open_orders(session, UNREACHABLE_CUSTOMER, customer.customer_id)
        resolve_by_system(session, UNREACHABLE_CUSTOMER, orders, "The customer has a mail address now.", now)


def follow_shipments(session: Session, before: Progress, after: Progress, fact: Fact, now: datetime) -> None:
    """Open a carrier exception when a carrier tells of a problem, and resolve those of shipments that arrived or were cancelled."""
    for shipment in after.shipments.values():
        if shipment.sequence != fact.sequence:
            continue
        if fact.kind == SHIPMENT_EXCEPTION and shipment.exception_at:
            reason = carrier_reason(shipment)
            _resolve_other(session, shipment.shipment_id, fact.order_id, reason, now)
            open_exception(session, fact.order_id, CARRIER_EXCEPTION, shipment.shipment_id, reason, now)
        known = before.shipments.get(shipment.shipment_id)
        is_over = shipment.state in _OVER or (shipment.intercepted_at and not shipment.exception_at)
        if known and known.exception_at and is_over:
            note = f"{shipment.number} was {'intercepted' if shipment.intercepted_at else shipment.state}."
            resolve_by_system(session, CARRIER_EXCEPTION, [shipment.shipment_id], note, now)


def _resolve_other(session: Session, shipment_id: str, order_id: str, reason: str, now: datetime) -> None:
    """What a carrier said of a shipment before is over when it says something else of it."""
    known = [
        one
        for one in store.open_of(session, order_id)
        if (one.kind, one.subject_id) == (CARRIER_EXCEPTION, shipment_id)
    ]
    if any(one.reason != reason for one in known):
        resolve_by_system(session, CARRIER_EXCEPTION, [shipment_id], f"Its carrier says more of it. {reason}", now)


def follow_deposit(session: Session, order: Order, held_minor: int, now: datetime) -> None:
    """Open an exception for cash that is held for an order that has ended, and resolve it once none is."""
    if order.has_ended and held_minor:
        open_exception(session, order.order_id, DEPOSIT_LEFT, order.order_id, DEPOSIT_LEFT_REASON, now)
    elif order.has_ended:
        resolve_by_system(session, DEPOSIT_LEFT, [order.order_id], "No cash is held for the order any more.", now)


def resolve_of_recall(session: Session, change_id: str, note: str, now: datetime) -> None:
    """Resolve what stood for a recall that its warehouse left unanswered."""
    for kind in (RECALL_UNANSWERED, RECALL_ESCALATED):
        resolve_by_system(session, kind, [change_id], note, now)


def resolve_by_system(session: Session, kind: str, subject_ids: Sequence[str], note: str, now: datetime) -> None:
    """Resolve the open exceptions of these subjects, whose cause is gone as the note says."""
    gone = store.resolve_of(session, kind, subject_ids, resolved_by=SYSTEM, resolved_role="service", note=note, now=now)
    for each in gone:
        note_event(session, each, RESOLVED, SYSTEM, "service", note, now)


def note_event(
    session: Session, found: BusinessException, what: str, who: str, role: str, why: str, now: datetime
) -> None:
    """Note in the order's events what became of an exception: OPENED or RESOLVED, and by whom."""
    after = {"exception_id": found.exception_id, "kind": found.kind, "owner_role": found.owner_role}
    events.append(session, found.order_id, who=who, role=role, what=what, why=why, after=after, now=now)
