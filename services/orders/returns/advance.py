"""What the workflow of a return has done and what comes next: the database says, and a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.ids import new_id
from services.kernel.money import Money
from services.orders.domain.kept_returns import with_kept
from services.orders.domain.mails import Contacts
from services.orders.domain.return_steps import NextStep, after_deadline, next_step
from services.orders.domain.returns import Return, with_received
from services.orders.order import outbox
from services.orders.returns import lost
from services.orders.returns.changing import WORKFLOW, Taken, save, take
from services.orders.store import returns as store

ANNOUNCED, CREDITED, CLOSED, HALTED = "announced", "credited", "closed", "halted"
NETTED, SETTLED = "netted", "settled"
DONE = ("", ANNOUNCED, CREDITED, NETTED, SETTLED, CLOSED, HALTED)
"""What a workflow may say that it has done."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done for a return: of an inspection its credit notes (none where its units were credited before they came), of one that was closed what had come."""

    what: str = ""
    inspection_id: str = ""
    credit_notes: tuple[str, ...] = ()
    credited: Money | None = None
    fee: Money | None = None
    received: Mapping[str, int] = field(default_factory=dict)
    passed: datetime | None = None
    reason: str = ""


def advance(session: Session, return_id: str, done: Done, contacts: Contacts, now: datetime) -> tuple[Return, NextStep]:
    """Record what was done and say what comes next."""
    taken = take(session, return_id)
    if done.what != HALTED:
        lost.goes_on(session, return_id, now)
    after, event = _after(taken, done, now)
    if done.passed is not None:
        due = after_deadline(after, done.passed)
        event = event or ("return_expired" if due != after else "")
        after = due
    after = save(session, taken, after, WORKFLOW, event, contacts, now, why=_why(done))
    if done.what == HALTED and after.is_open:
        lost.note_halted(session, after, after.halted, now)
    return after, next_step(after)


def _after(taken: Taken, done: Done, now: datetime) -> tuple[Return, str]:
    """The return after what was done, and the event that the order's log keeps of it."""
    found = taken.found
    if done.what == ANNOUNCED:
        return replace(found, is_announced=True, halted=""), ""
    if done.what == CLOSED:
        closed = replace(with_received(found, done.received), is_closed=True, halted="")
        return with_kept(closed, new_id("insp"), now), ""
    if done.what == HALTED:
        return replace(found, halted=done.reason or "its workflow ended"), "return_halted"
    if done.what == NETTED:
        netted = tuple(
            replace(one, netted_at=one.netted_at or now) if one.inspection_id == done.inspection_id else one
            for one in found.inspections
        )
        return replace(found, inspections=netted, halted=""), ""
    if done.what != CREDITED:
        return replace(found, halted=""), ""
    nothing = Money.zero(found.currency)
    credited, fee = done.credited or nothing, done.fee or nothing
    inspections = tuple(
        replace(one, credited_at=now, credit_notes=done.credit_notes, credited=credited, fee=fee)
        if one.inspection_id == done.inspection_id and one.credited_at is None
        else one
        for one in found.inspections
    )
    return replace(found, inspections=inspections, halted=""), "return_credited"


def _why(done: Done) -> str:
    return done.reason or ", ".join(done.credit_notes)


def repair(session: Session, return_id: str, now: datetime) -> Return:
    """Have the workflow of a return that is open started again, unless it runs."""
    found = store.get(session, return_id)
    if found.is_open:
        outbox.start_return(session, found, now)
    return found
