"""Giving feedback on an order: kept once, and support is told when it has to act."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import NotFound
from services.orders.access.matrix import Caller
from services.orders.domain import feedback as domain
from services.orders.domain import mails
from services.orders.domain.access import Scope
from services.orders.domain.feedback import Feedback, Opinion, SupportCase
from services.orders.order import outbox
from services.orders.order.aggregate import Actor, note_event, read, read_for_change
from services.orders.store import feedback as store


def give(
    session: Session, order_id: str, caller: Caller, opinion: Opinion, support_email: str, now: datetime
) -> Feedback:
    """Keep what the customer says of its order; a low rating or a wish for support opens a support case.

    Refused NOTHING_DELIVERED or FEEDBACK_GIVEN; InvalidArgument when the opinion says nothing.
    """
    aggregate = read_for_change(session, order_id, caller.scope)
    domain.check(opinion, aggregate.lines(), is_given=store.of_order(session, order_id) is not None)
    case_number = store.next_case_number(session) if opinion.opens_case else None
    given = Feedback(order_id, opinion, case_number, caller.principal.sub, caller.role, now)
    store.add(session, given)
    more = {"rating": opinion.rating, "wants_support": opinion.wants_support, "case_number": case_number}
    actor = Actor(given.given_by, given.given_role)
    note_event(session, aggregate, aggregate, actor, "feedback_given", now, why=opinion.comment, more=more)
    if case_number is not None:
        outbox.mail(session, aggregate.order, mails.support_case(aggregate.order, support_email, given), now)
    return given


def of_order(session: Session, order_id: str, scope: Scope) -> Feedback:
    """The feedback on an order; NotFound when there is none or the scope hides the order."""
    read(session, order_id, scope)
    given = store.of_order(session, order_id)
    if given is None:
        raise NotFound("FEEDBACK_UNKNOWN", "no feedback has been given on this order")
    return given


def find(session: Session, order_id: str) -> Feedback | None:
    """The feedback on an order that the caller has read already; None when there is none."""
    return store.of_order(session, order_id)


def list_cases(session: Session, scope: Scope, *, before: str = "", limit: int) -> list[SupportCase]:
    """Support cases of the orders that a scope shows, newest first; `before` is the number that the last page ended with."""
    return store.cases(session, scope, before=before, limit=limit)


def count_cases(session: Session, scope: Scope) -> int:
    """How many support cases the orders of a scope have."""
    return store.count_cases(session, scope)
