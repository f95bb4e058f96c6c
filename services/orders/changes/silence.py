"""A warehouse that leaves a recall unanswered: its manager is asked, reminded, and then support; a late answer still decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from services.orders.changes.propose import logged
from services.orders.domain import mails, silence
from services.orders.domain.changes import AWAITING_WAREHOUSE, ChangeOrder, move
from services.orders.domain.exceptions import RECALL_ESCALATED, RECALL_UNANSWERED
from services.orders.domain.mails import Contacts
from services.orders.order import exceptions, outbox
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read_asked
from services.orders.policies import versions
from services.orders.store import changes as store

CLOCK = Actor("clock", "service")
ANSWERED = "The warehouse has answered."
_OPENS = {silence.WAREHOUSE: RECALL_UNANSWERED, silence.SUPPORT: RECALL_ESCALATED}
_EVENTS = {
    silence.WAREHOUSE: "recall_unanswered",
    silence.REMINDER: "recall_reminded",
    silence.SUPPORT: "recall_escalated",
}


def begin(session: Session, change: ChangeOrder, now: datetime) -> None:
    """The warehouses have been asked: the change waits for their word, and the time to give it begins."""
    due_at = silence.due_at(now, _span(session), 0)
    asked = {"state": move(change.state, "recall"), "recall_asked_at": now, "answer_due_at": due_at}
    store.alter(session, change.change_id, asked)


def end(session: Session, change: ChangeOrder, why: str, now: datetime) -> None:
    """Nobody need ask the warehouse any more."""
    if change.silence_steps:
        exceptions.resolve_of_recall(session, change.change_id, why, now)


def escalate(
    session: Session, aggregate: OrderAggregate, change_id: str, at: datetime, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """Act on a silence that is due at this instant, unless the warehouse was quicker. The caller restates."""
    change = aggregate.asked.change
    is_due = change is not None and change.state == AWAITING_WAREHOUSE and change.answer_due_at == at
    if change is None or change.change_id != change_id or not is_due:
        return aggregate
    step, asked_at = silence.next_step(change.silence_steps), change.recall_asked_at or at
    done = change.silence_steps + 1
    due_at = silence.due_at(asked_at, _span(session), done)
    store.alter(session, change_id, {"silence_steps": done, "answer_due_at": max(due_at, now) if due_at else None})
    after = replace(aggregate, asked=read_asked(session, aggregate.order_id))
    waited = mails.span_text(now - asked_at)
    words = f"the warehouse has not answered the recall for {waited}"
    if kind := _OPENS.get(step, ""):
        reason = f"The warehouse has said neither yes nor no for {waited}: {change.request.reason}."
        exceptions.open_exception(session, aggregate.order_id, kind, change_id, reason, now)
    mail = mails.recall_unanswered(
        aggregate.order, contacts, waited, is_cancellation=change.is_cancellation, is_escalated=step == silence.SUPPORT
    )
    outbox.mail(session, aggregate.order, mail, now)
    note_event(session, aggregate, after, CLOCK, _EVENTS[step], now, why=words, more=logged(change))
    return after


def _span(session: Session) -> timedelta:
    return timedelta(hours=versions.policy_in_force(session).changes.recall_answer_hours)
