"""Changing a return: its order is taken, the order shows what came of it, and the event log says who did what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from services.orders.domain import mails, projection
from services.orders.domain.order import Order
from services.orders.domain.return_steps import finished
from services.orders.domain.returns import OPEN, Return, move, open_count, returned_units
from services.orders.order import outbox
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read_for_change, restate
from services.orders.store import masterdata
from services.orders.store import returns as store

WORKFLOW = Actor("workflow", "service")


@dataclass(frozen=True, slots=True)
class Taken:
    """A return and its order, which nobody else changes until this transaction ends, and all returns of that order."""

    aggregate: OrderAggregate
    found: Return
    others: tuple[Return, ...]


def take(session: Session, return_id: str) -> Taken:
    """Take a return by its id; NotFound RETURN_UNKNOWN."""
    order_id = store.get(session, return_id).order_id
    aggregate = read_for_change(session, order_id)
    returns = store.of_order(session, order_id)
    found = next(one for one in returns if one.return_id == return_id)
    return Taken(aggregate, found, tuple(one for one in returns if one is not found))


def save(
    session: Session,
    taken: Taken,
    after: Return,
    actor: Actor,
    what: str,
    contacts: mails.Contacts,
    now: datetime,
    *,
    why: str = "",
) -> Return:
    """Store what became of a return, its end included where nothing more is to come, note it, and notify people; one that is as it was is left alone."""
    verb = finished(after)
    if after == taken.found and not verb:
        return after
    if verb:
        after = replace(after, state=move(after, verb), ended_at=now, halted="")
    elif after.state not in OPEN and after.ended_at is None:
        after = replace(after, ended_at=now)
    store.save(session, taken.found, after)
    shown = show(taken.aggregate, [*taken.others, after])
    shown = restate(session, shown, now)
    if what:
        note_event(session, taken.aggregate, shown, actor, what, now, why=why, more=logged(after))
    if verb:
        note_event(session, shown, shown, actor, "return_ended", now, why=after.state, more=logged(after))
    notify(session, shown.order, taken.found, after, contacts, now)
    return after


def notify(
    session: Session, order: Order, before: Return | None, after: Return, contacts: mails.Contacts, now: datetime
) -> None:
    """Mail what happened to a return to those whom it concerns; `before` is None for one that is new."""
    customer = masterdata.customer(session, order.customer_id)
    for mail in mails.return_mails(before, after, customer, contacts):
        outbox.mail(session, order, mail, now)


def label_sent_at(session: Session, order: Order, now: datetime) -> datetime | None:
    """When the label of a return that is authorized now leaves: with the mail to the customer, who may have no mailbox."""
    return now if mails.buyer(masterdata.customer(session, order.customer_id)) else None


def show(aggregate: OrderAggregate, returns: Sequence[Return]) -> OrderAggregate:
    """The order with what its returns come to."""
    progress = projection.with_returns(aggregate.progress, returned_units(returns), open_count(returns))
    return replace(aggregate, progress=progress)


def logged(one: Return) -> Mapping[str, Any]:
    """What the event log keeps of a return."""
    return {
        "return_id": one.return_id,
        "return": one.number,
        "state": one.state,
        "lines": {line.line_id: [line.quantity, line.received, line.inspected] for line in one.lines},
    }
