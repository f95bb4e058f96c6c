"""The intake of facts: keep each once, project it, log it, and tell the people and the workflow whom it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from sqlmodel import Session

from services.kernel.errors import InvalidArgument, NotFound
from services.orders import changing, intents
from services.orders.domain import mails, projection
from services.orders.domain.mails import Contacts
from services.orders.domain.projection import KNOWN_KINDS, Fact
from services.orders.dossier import Actor, Dossier, note_event, read_for_change, save, stated
from services.orders.recording import tell_backorders
from services.orders.store import facts as store
from services.orders.store import master

RECALL_ANSWERED = "recall_answered"

log = structlog.get_logger()


def take_all(session: Session, facts: Iterable[Fact], contacts: Contacts, now: datetime) -> None:
    """Keep and project facts of several orders. Orders are taken in sorted order, so that no two transactions wait for each other."""
    by_order: dict[str, list[Fact]] = {}
    for fact in facts:
        by_order.setdefault(fact.order_id, []).append(fact)
    for order_id in sorted(by_order):
        take(session, by_order[order_id], contacts, now)


def take(session: Session, facts: Sequence[Fact], contacts: Contacts, now: datetime) -> None:
    """Keep and project facts of one order, in the order given; a fact that is known already changes nothing.

    A kind that nobody here knows, an order that does not exist and a detail that cannot be read are kept and logged: the
    sender has done its part, and no order may fail by it.
    """
    found = _dossier(session, facts[0].order_id)
    after = found
    for fact in facts:
        after = _take(session, fact, after, contacts, now)
    if after is not None and after is not found:
        save(session, after)


def _dossier(session: Session, order_id: str) -> Dossier | None:
    try:
        return read_for_change(session, order_id)
    except NotFound:
        return None


def _take(session: Session, fact: Fact, before: Dossier | None, contacts: Contacts, now: datetime) -> Dossier | None:
    """The order's dossier behind the fact; the same one when the fact changes nothing."""
    state = "unknown" if fact.kind not in KNOWN_KINDS else "projected" if before else "orphaned"
    if not store.keep(session, fact, state, now):
        return before
    if before is None or state != "projected":
        log.warning("fact.not_projected", fact_id=fact.fact_id, kind=fact.kind, source=fact.source, state=state)
        return before
    try:
        progress = projection.apply(before.progress, fact)
    except InvalidArgument as unreadable:
        store.mark(session, fact.fact_id, "unreadable")
        log.warning("fact.not_projected", fact_id=fact.fact_id, kind=fact.kind, reason=unreadable.reason)
        return before
    return _act_on(session, fact, before, progress, contacts, now)


def _act_on(
    session: Session, fact: Fact, before: Dossier, progress: projection.Progress, contacts: Contacts, now: datetime
) -> Dossier:
    actor = Actor(fact.source, "service")
    after = replace(before, progress=progress)
    if fact.kind == RECALL_ANSWERED:
        after = changing.recall_answered(session, after, fact.detail, actor, contacts, now)
    after = stated(after, now)
    note_event(session, before, after, actor, fact.kind, now, why=_why(fact.detail), more={"fact_id": fact.fact_id})
    _tell_people(session, fact, before, after, contacts, now)
    after = tell_backorders(session, after, contacts, now)
    for name in projection.signals(before.order, before.progress, progress, fact):
        intents.signal(
            session,
            fact.order_id,
            name,
            now,
            fact_id=fact.fact_id,
            subject_id=fact.subject_id,
            is_complete=bool(fact.detail.get("is_complete", False)),
        )
    return after


def _tell_people(
    session: Session, fact: Fact, before: Dossier, after: Dossier, contacts: Contacts, now: datetime
) -> None:
    if fact.kind not in mails.TOLD_KINDS:
        return
    customer = master.customer(session, before.order.customer_id)
    is_last = projection.completes_delivery(before.order, before.progress, after.progress)
    letter = mails.told_by(fact, before.order, customer, contacts, is_last_delivery=is_last)
    if letter is not None:
        intents.mail(session, before.order, letter, now)


def _why(detail: Mapping[str, Any]) -> str:
    """What the fact is about, as people name it: shipment or invoice numbers."""
    one = detail.get("shipment") or detail.get("invoice")
    documents: Sequence[Mapping[str, Any]] = [one] if one else detail.get("shipments") or detail.get("invoices") or []
    return ", ".join(str(document["number"]) for document in documents)
