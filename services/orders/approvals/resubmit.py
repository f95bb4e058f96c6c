"""Answering a review that asked for changes when nothing of the order has to change: the same version is asked again."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import InvalidArgument, Refused
from services.orders.access.matrix import Caller
from services.orders.approvals.plan_review import reopen_review, void_review
from services.orders.domain.mails import Contacts
from services.orders.domain.reviews import CHANGES_REQUESTED
from services.orders.order import outbox
from services.orders.order.acts import act_of
from services.orders.order.aggregate import Actor, OrderAggregate, check_version, note_event, read_for_change, restate


def resubmit(
    session: Session,
    order_id: str,
    caller: Caller,
    note: str,
    contacts: Contacts,
    now: datetime,
    expected_version: int | None = None,
) -> tuple[OrderAggregate, str]:
    """Ask the review of the version in force again, with an answer for the reviewers; gives the order and its refresh intent.

    Nothing that was decided before counts. InvalidArgument NOTE_MISSING without an answer, Refused NOTHING_TO_ANSWER when no
    review has asked for changes or a change is on its way, VERSION_STALE when the caller has seen another version.
    """
    if not note.strip():
        raise InvalidArgument("NOTE_MISSING", "answer what the review asked: the reviewers read your note")
    before = read_for_change(session, order_id, caller.scope)
    check_version(before, expected_version)
    review = before.asked.review
    if review is None or review.state != CHANGES_REQUESTED or before.asked.change is not None:
        raise Refused(
            "NOTHING_TO_ANSWER", "no review of this order waits for changes: reload it and see what it waits for"
        )
    actor = Actor(caller.principal.sub, caller.role)
    after = void_review(session, before, now, "answered without a change")
    after = restate(session, reopen_review(session, after, contacts, now), now)
    note_event(session, before, after, actor, "review_answered", now, why=note, more={"version": after.order.version})
    act = act_of(session, actor, before.order, "answered the review without a change")
    return after, outbox.refresh(session, order_id, "decide", review.review_id, act, now)
