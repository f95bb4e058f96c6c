"""A change that people have not settled, and a warehouse that goes on: after a policy's time, or quicker than they decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from services.orders.changes.consent import SILENCE, end
from services.orders.changes.propose import logged
from services.orders.domain import mails
from services.orders.domain.changes import AWAITING_CUSTOMER, IN_REVIEW, ChangeOrder
from services.orders.domain.mails import Contacts, Recipient
from services.orders.domain.order import ACCEPTED
from services.orders.domain.withholding import overtaken_by
from services.orders.order import outbox
from services.orders.order.acts import Act
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read_asked
from services.orders.store import changes as store
from services.orders.store import masterdata, people, versions

_DECIDED_BY_PEOPLE = (AWAITING_CUSTOMER, IN_REVIEW)
_WRITES_TO_US = ("support", "sales_rep")


def resume_release(
    session: Session, aggregate: OrderAggregate, change: ChangeOrder, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """What the change holds back goes to the warehouses as the order stands; the change stays pending, and its asker is told.

    The caller has seen that the instant has come, and restates.
    """
    store.alter(session, change.change_id, {"resumed_at": now})
    after = replace(aggregate, asked=read_asked(session, aggregate.order_id))
    why = "nobody settled the change in time"
    note_event(session, aggregate, after, SILENCE, "release_resumed", now, why=why, more=logged(change))
    order, customer = aggregate.order, masterdata.customer(session, aggregate.order.customer_id)
    asker = _asker(session, change)
    is_customers = change.proposed_role == "customer"
    mail = mails.release_resumed(
        order, customer, contacts, change.request.reason, asker, is_customer_notified=is_customers
    )
    outbox.mail(session, order, mail, now)
    return after


def _asker(session: Session, change: ChangeOrder) -> tuple[Recipient, ...]:
    """Who of ours asked for the change, as far as the directory knows a mailbox."""
    if change.proposed_role not in _WRITES_TO_US:
        return ()
    person = people.find(session, change.proposed_by)
    return (mails.reader(person.email, person.name, change.proposed_role),) if person is not None else ()


def end_if_overtaken(
    session: Session, before: OrderAggregate, actor: Actor, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """Nobody is left deciding what the warehouse has already done: such a change ends, and who asked for it reads why.

    A change that is agreed finds out by itself when it is settled. The caller restates.
    """
    change, order = before.asked.change, before.order
    if change is None or order.phase != ACCEPTED or change.state not in _DECIDED_BY_PEOPLE:
        return before
    found = overtaken_by(order, versions.becomes(session, order, change.change_id), change, before.progress)
    if not found:
        return before
    why = "; ".join(dict.fromkeys(found))
    after = end(session, before, change, "reject", why, actor, contacts, now, customer_reason=why)
    act = Act("the warehouse", "was quicker than the change that was pending")
    outbox.refresh(session, order.order_id, "amend", change.change_id, act, now, rests=timedelta())
    return after
