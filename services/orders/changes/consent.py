"""What becomes of a change that is on its way: the customer's answer, its silence, the reviewers' word, a withdrawal."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import InvalidArgument, NotPermitted, Refused
from services.orders.access.matrix import Caller
from services.orders.approvals import plan_review
from services.orders.approvals.holds import clear_if_still_right
from services.orders.changes import silence
from services.orders.changes.propose import actor_of, agree, logged
from services.orders.domain import mails
from services.orders.domain.cancellation import DECLINED
from services.orders.domain.changes import (
    AWAITING_CUSTOMER,
    ChangeOrder,
    move,
)
from services.orders.domain.mails import Contacts
from services.orders.domain.order import IN_REVIEW
from services.orders.domain.proposals import CUSTOMER
from services.orders.domain.reviews import OPEN, VOID, WAITING, WITHDRAWN
from services.orders.order import outbox
from services.orders.order.acts import act_of
from services.orders.order.aggregate import (
    Actor,
    OrderAggregate,
    advance,
    check_version,
    note_event,
    read_asked,
    read_for_change,
    restate,
)
from services.orders.order.change_orders import find_change
from services.orders.order.reviews import end_review
from services.orders.policies import versions
from services.orders.store import changes as store
from services.orders.store import holds as hold_store
from services.orders.store import masterdata as master_store
from services.orders.store import reviews

ACCEPT, DECLINE = "accept", "decline"
SILENCE = Actor("deadline", "service")
_EVENTS = {
    "call_off": "cancellation_withdrawn",
    "decline": "change_declined",
    "expire": "change_expired",
    "withdraw": "change_withdrawn",
    "reject": "change_rejected",
}
_HAVE_THEIR_OWN_MAIL = frozenset({"decline", "expire"})


def consent(
    session: Session,
    order_id: str,
    change_id: str,
    answer: str,
    note: str,
    caller: Caller,
    contacts: Contacts,
    now: datetime,
    expected_version: int | None = None,
) -> tuple[ChangeOrder, str]:
    """The customer's own answer, or support's on its behalf with a note; gives the change and the intent to show it.

    Refused CHANGE_NOT_WAITING when it is not the customer whom the change waits for (any more), VERSION_STALE, CONSENT_TOO_LATE.
    """
    before = read_for_change(session, order_id, caller.scope)
    change = _waiting(session, before, change_id)
    check_version(before, expected_version)
    _check_answerer(change, note, caller)
    if change.consent_expires_at is not None and now >= change.consent_expires_at:
        raise Refused("CONSENT_TOO_LATE", "the time to answer is over: ask your contact to propose it again")
    actor = actor_of(caller)
    if answer == DECLINE:
        after = _declined(session, before, change, actor, note, contacts, now)
    else:
        after = _accepted(session, before, change, actor, note, contacts, now)
    restate(session, after, now)
    said = "declined the proposed change" if answer == DECLINE else "accepted the proposed change"
    act = act_of(session, actor, before.order, said)
    intent_id = outbox.refresh(session, order_id, "consent", change_id, act, now)
    return find_change(session, order_id, change_id), intent_id


def _waiting(session: Session, aggregate: OrderAggregate, change_id: str) -> ChangeOrder:
    change = find_change(session, aggregate.order_id, change_id)
    if change.state != AWAITING_CUSTOMER:
        sentence = f"the change is {change.state.replace('_', ' ')}, so nothing is to be answered: reload the order"
        raise Refused("CHANGE_NOT_WAITING", sentence, state=change.state)
    return change


def _check_answerer(change: ChangeOrder, note: str, caller: Caller) -> None:
    """Staff answer for a customer with a note on how it was said, and never on their own proposal."""
    if actor_of(caller).role == CUSTOMER:
        return
    if caller.principal.sub == change.proposed_by:
        sentence = "you proposed this change: the customer, or a colleague who heard it, must answer"
        raise NotPermitted("PROPOSER_MAY_NOT_CONSENT", sentence)
    if not note.strip():
        raise InvalidArgument("NOTE_MISSING", "say in the note who of the customer answered, and how")


def _accepted(
    session: Session,
    before: OrderAggregate,
    change: ChangeOrder,
    actor: Actor,
    note: str,
    contacts: Contacts,
    now: datetime,
) -> OrderAggregate:
    answered = {"state": move(change.state, "accept"), "consented_by": actor.who, "consented_at": now}
    store.alter(session, change.change_id, answered)
    after = replace(before, asked=read_asked(session, before.order_id))
    more = {**logged(change), "on_behalf_of": "" if actor.role == CUSTOMER else before.order.customer_name}
    note_event(session, before, after, actor, "change_consented", now, why=note, more=more)
    return agree(session, after, change, actor, contacts, now)


def _declined(
    session: Session,
    before: OrderAggregate,
    change: ChangeOrder,
    actor: Actor,
    note: str,
    contacts: Contacts,
    now: datetime,
) -> OrderAggregate:
    more = {"consented_by": actor.who, "consented_at": now}
    after = end(session, before, change, "decline", note, actor, contacts, now, more=more)
    customer = master_store.customer(session, before.order.customer_id)
    outbox.mail(session, before.order, mails.consent_declined(before.order, customer, note), now)
    return after


def withdraw(
    session: Session, order_id: str, change_id: str, note: str, caller: Caller, contacts: Contacts, now: datetime
) -> tuple[ChangeOrder, str]:
    """A seller takes back what was proposed, while people still decide on it; gives the change and the intent to show it.

    Refused CHANGE_HAS_ENDED once it is agreed or ended.
    """
    before = read_for_change(session, order_id, caller.scope)
    change = find_change(session, order_id, change_id)
    actor = actor_of(caller)
    after = end(session, before, change, "withdraw", note, actor, contacts, now)
    restate(session, after, now)
    act = act_of(session, actor, before.order, "withdrew the proposed change")
    intent_id = outbox.refresh(session, order_id, "amend", change_id, act, now)
    return find_change(session, order_id, change_id), intent_id


def expire_consent(
    session: Session, aggregate: OrderAggregate, change: ChangeOrder, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """Nobody answered in time: the order goes back to its review, or is cancelled when the policy says so.

    An answer that came before leaves it as it is. The caller has seen that the instant has come, and restates.
    """
    if change.state != AWAITING_CUSTOMER:
        return aggregate
    why = "the customer did not answer in time"
    is_cancelled = (
        aggregate.order.phase == IN_REVIEW and versions.policy_in_force(session).consent.on_expiry == "cancel"
    )
    after = end(session, aggregate, change, "expire", why, SILENCE, contacts, now, is_reopened=not is_cancelled)
    order, customer = aggregate.order, master_store.customer(session, aggregate.order.customer_id)
    outbox.mail(session, order, mails.consent_expired(order, customer, change.request.reason), now)
    if is_cancelled:
        outbox.mail(session, order, mails.order_cancelled(customer, why), now)
        return advance(session, after, "cancel", SILENCE, now, why)
    return after


def approve_change(
    session: Session, aggregate: OrderAggregate, change: ChangeOrder, actor: Actor, now: datetime
) -> OrderAggregate:
    """Every reviewer of a change has approved: it is agreed. The caller restates and tells the workflow."""
    store.alter(session, change.change_id, {"state": move(change.state, "approve")})
    after = replace(aggregate, asked=read_asked(session, aggregate.order_id))
    note_event(session, aggregate, after, actor, "change_agreed", now, why=change.request.reason, more=logged(change))
    return after


def reject_change(
    session: Session,
    aggregate: OrderAggregate,
    change: ChangeOrder,
    actor: Actor,
    why: str,
    now: datetime,
    *,
    is_sales_notified: bool = True,
) -> OrderAggregate:
    """A reviewer does not want a change of an accepted order: the order stays as it is. The caller restates.

    Sales are not told where the caller tells them more.
    """
    ended = {"state": move(change.state, "reject"), "ended_at": now, "ended_reason": why}
    store.alter(session, change.change_id, ended)
    after = replace(aggregate, asked=read_asked(session, aggregate.order_id))
    note_event(session, aggregate, after, actor, "change_rejected", now, why=why, more=logged(change))
    _notify_end(session, after, change, why, now, is_sales_notified=is_sales_notified)
    return after


def _notify_end(
    session: Session,
    aggregate: OrderAggregate,
    change: ChangeOrder,
    why: str,
    now: datetime,
    *,
    customer_reason: str = "",
    is_sales_notified: bool = True,
) -> None:
    """Sales, and the customer who knows of the change, hear that it will not come about; the latter only what it may read of why."""
    order, customer = aggregate.order, master_store.customer(session, aggregate.order.customer_id)
    is_customer_notified = change.is_known_to_customer
    mail = mails.change_rejected(
        order,
        customer,
        why,
        customer_reason=customer_reason,
        is_customer_notified=is_customer_notified,
        is_sales_notified=is_sales_notified,
    )
    outbox.mail(session, order, mail, now)


def end(
    session: Session,
    before: OrderAggregate,
    change: ChangeOrder,
    verb: str,
    why: str,
    actor: Actor,
    contacts: Contacts,
    now: datetime,
    *,
    more: dict[str, object] | None = None,
    customer_reason: str = "",
    is_reopened: bool = True,
) -> OrderAggregate:
    """The change does not come about (decline, expire, withdraw, reject); an order in review is asked about again.

    The caller restates. `customer_reason` is what a customer who asked for it may read of `why`.
    """
    ended = {
        "state": move(change.state, verb),
        "ended_at": now,
        "ended_reason": why,
        "customer_reason": customer_reason,
        **(more or {}),
    }
    store.alter(session, change.change_id, ended)
    if change.is_cancellation:
        hold_store.settle_cancellation(session, before.order_id, DECLINED, customer_reason or why, now)
    silence.end(session, change, f"The change has ended: {why}" if why else "The change has ended.", now)
    after = _withdraw_review(session, before, change, now)
    note_event(session, before, after, actor, _EVENTS[verb], now, why=why, more=logged(change))
    if verb not in _HAVE_THEIR_OWN_MAIL:
        for_customer = customer_reason if change.proposed_role == CUSTOMER else ""
        _notify_end(session, after, change, why, now, customer_reason=for_customer)
    if after.order.phase != IN_REVIEW or not is_reopened:
        return after
    after = plan_review.void_review(
        session, after, now, f"the change to version {change.to_version} did not come about"
    )
    after = plan_review.reopen_review(session, after, contacts, now)
    return clear_if_still_right(session, after, actor, contacts, now)


def _withdraw_review(session: Session, aggregate: OrderAggregate, change: ChangeOrder, now: datetime) -> OrderAggregate:
    """Nobody need decide on a change that is gone."""
    review = aggregate.asked.review
    if review is not None and review.change_id == change.change_id:
        end_review(session, review.review_id, WITHDRAWN, now)
        unanswered = [step.step_id for step in review.steps if step.state in (OPEN, WAITING)]
        reviews.change_steps(session, unanswered, {"state": VOID, "decided_at": now})
    return replace(aggregate, asked=read_asked(session, aggregate.order_id))
