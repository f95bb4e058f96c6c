"""Proposing a change of an order: what it would come to, and one transaction that puts it on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from services.kernel.errors import Conflict, Refused
from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.approvals import plan_review
from services.orders.changes import amending
from services.orders.changes.next_version import NextVersion, next_version
from services.orders.domain import mails
from services.orders.domain.amendment import Obstacle
from services.orders.domain.changes import (
    AGREED,
    AWAITING_CUSTOMER,
    AWAITING_WAREHOUSE,
    IN_REVIEW,
    ChangeOrder,
    ChangeRequest,
    Difference,
    SpokenConsent,
    move,
)
from services.orders.domain.differences import MONEY_KINDS
from services.orders.domain.mails import Contacts
from services.orders.domain.order import ACCEPTED, RECEIVED, Order
from services.orders.domain.proposals import (
    CUSTOMER,
    Proposal,
    check_consent,
    check_request,
    consent_facts,
    proposal,
    refuse_obstacles,
)
from services.orders.domain.tax_engine import OWN, Quote
from services.orders.domain.withholding import withholds_until
from services.orders.order import outbox
from services.orders.order.acts import act_of
from services.orders.order.aggregate import (
    Actor,
    OrderAggregate,
    check_version,
    note_event,
    read,
    read_asked,
    read_for_change,
    restate,
)
from services.orders.policies import engine, evaluate
from services.orders.policies import versions as policy_versions
from services.orders.store import changes as store
from services.orders.store import holds as hold_store
from services.orders.store import masterdata as master_store
from services.orders.store import versions
from services.runtime import sessions

_UNDER_WAY = {
    AWAITING_CUSTOMER: "waits for the customer's answer",
    IN_REVIEW: "is in review",
    AGREED: "is agreed and being made",
    AWAITING_WAREHOUSE: "waits for the warehouse",
}
"""What a pending change waits for, in words."""

MAX_CHANGES = 200
"""Of one order in its life: whoever needs more than that places another order."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A stored change, what it comes to, and the outbox row that shows it to the workflow if the caller cannot."""

    change: ChangeOrder
    proposal: Proposal
    intent_id: str


def preview(
    session: Session, order_id: str, request: ChangeRequest, caller: Caller, now: datetime, quote: Quote = OWN
) -> Proposal:
    """What the change would come to now, with everything that stands against it; nothing changes. `quote` is as in propose()."""
    aggregate = read(session, order_id, caller.scope)
    request = amending.as_catalogd(session, request)
    given, _ = _proposal(session, aggregate, request, actor_of(caller).role, now, quote)
    try:
        check_changeable(session, aggregate)
    except (Refused, Conflict) as refusal:
        return replace(given, obstacles=(Obstacle(refusal.reason, refusal.message),))
    return given


def actor_of(caller: Caller) -> Actor:
    """Who changes an order, in the role that lets them: one who also approves does not propose as an approver."""
    roles = caller.principal.roles
    role = next((role for role in ("support", "sales_rep", CUSTOMER) if role in roles), caller.role)
    return Actor(caller.principal.sub, role)


def propose(
    session: Session,
    order_id: str,
    request: ChangeRequest,
    caller: Caller,
    contacts: Contacts,
    now: datetime,
    expected_version: int | None = None,
    quote: Quote = OWN,
) -> Proposed:
    """Put a change on its way: to the customer when its consent is needed, else it is agreed or goes to review.

    `quote` is what amending.quote_change() gave outside any transaction: what the tax engine says of it, where there is one.

    Refused ORDER_HAS_ENDED, CHANGE_PENDING, CANCELLATION_PENDING, VERSION_STALE, or by what is picked, shipped or not allowed
    by a rule; NotPermitted AMOUNT_NOT_PERMITTED for a customer that names a price; Conflict while the order is validated. A
    material change of an order in review voids what was approved of it, at once.
    """
    aggregate = read_for_change(session, order_id, caller.scope)
    check_version(aggregate, expected_version)
    actor = actor_of(caller)
    request = amending.as_catalogd(session, request)
    given, following = _proposal(session, aggregate, request, actor.role, now, quote)
    check_changeable(session, aggregate)
    refuse_obstacles(given.obstacles)
    return _put_on_its_way(session, aggregate, request, given, following, actor, contacts, now)


def propose_date(
    session: Session,
    aggregate: OrderAggregate,
    ready_on: date,
    reason: str,
    actor: Actor,
    contacts: Contacts,
    now: datetime,
) -> OrderAggregate:
    """Ask the customer whether a later day will do, because the plant cannot make the one that was asked for.

    The order is locked already, and the caller restates it and tells the workflow. The review that stands goes on standing.
    Refused as in propose().
    """
    check_changeable(session, aggregate)
    request = ChangeRequest(reason=reason, requested_on=ready_on)
    given, _ = _proposal(session, aggregate, request, actor.role, now)
    given = replace(given, needs_consent=True)
    refuse_obstacles(given.obstacles)
    change = change_of(aggregate, request, given, actor, _consent_span(session), now)
    store.add(session, change, given.before, given.after, "")
    after = replace(aggregate, asked=read_asked(session, aggregate.order_id))
    _note(session, aggregate, after, change, actor, "change_proposed", now)
    _ask_customer(session, aggregate.order, change, contacts, now)
    return after


def check_changeable(session: Session, aggregate: OrderAggregate) -> None:
    """Refuse while something else has the order: its validation, its end, another change, a cancellation."""
    order, pending = aggregate.order, aggregate.asked.change
    if order.has_ended:
        raise Refused(
            "ORDER_HAS_ENDED", f"the order is {order.phase} already, so nothing of it changes: place another one"
        )
    if order.is_exchange:
        raise Refused(
            "EXCHANGE_ORDER", "it brings what replaces goods of a return, no more and no less: change the return"
        )
    if order.phase == RECEIVED:
        raise Conflict("ORDER_BEING_VALIDATED", "the order is being validated: try again in a moment")
    if hold_store.open_cancellation(session, order.order_id):
        raise Refused("CANCELLATION_PENDING", "a cancellation is being carried out: wait for its outcome")
    if pending is not None:
        sentence = f"another change {_UNDER_WAY[pending.state]}: wait for its outcome, or withdraw it"
        raise Refused("CHANGE_PENDING", sentence, change_id=pending.change_id, state=pending.state)
    if store.count(session, order.order_id) >= MAX_CHANGES:
        raise Refused("TOO_MANY_CHANGES", f"an order takes at most {MAX_CHANGES} changes: place another one")


def _proposal(
    session: Session,
    aggregate: OrderAggregate,
    request: ChangeRequest,
    role: str,
    now: datetime,
    quote: Quote = OWN,
) -> tuple[Proposal, NextVersion | None]:
    """The proposal, and its one evaluation unless something stands against it before rules are asked."""
    check_request(request, role)
    check_consent(request, role, aggregate.order.placed_at, now)
    order = aggregate.order
    amendment = amending.amended(session, aggregate, request, sessions.business_day(session, now), quote)
    given = proposal(order, amendment, aggregate.progress)
    given = replace(given, needs_consent=request.consent is None and _needs_consent(session, given, role, now))
    if given.obstacles:
        return given, None
    following = next_version(session, order, given.after, now)
    found = tuple(following.obstacles(is_material=given.is_material))
    is_reviewed = order.phase == ACCEPTED and following.is_reviewed(is_material=given.is_material)
    return replace(given, obstacles=found, is_reviewed=is_reviewed), following


def _needs_consent(session: Session, given: Proposal, role: str, now: datetime) -> bool:
    """A customer agrees by asking; what we propose needs its consent unless it can only gain, or the policy knows better.

    Amounts that cannot be compared with the policy's ask the customer.
    """
    if role == CUSTOMER:
        return False
    policy = policy_versions.policy_in_force(session)
    if policy.consent.when:
        amounts = evaluate.amounts_of(session, policy, given.after.currency, now)
        if amounts is None and "_minor" in policy.consent.when:
            return True
        return engine.is_consent_needed(policy, _in_policy_currency(consent_facts(given, role), amounts))
    return not given.is_favorable


def _in_policy_currency(facts: Mapping[str, object], amounts: engine.Amounts | None) -> dict[str, object]:
    return {
        name: amounts.minor(value) if amounts and name.endswith("_minor") and isinstance(value, int) else value
        for name, value in facts.items()
    }


def _consent_span(session: Session) -> timedelta:
    return timedelta(hours=policy_versions.policy_in_force(session).consent.expires_after_hours)


def _put_on_its_way(
    session: Session,
    aggregate: OrderAggregate,
    request: ChangeRequest,
    given: Proposal,
    following: NextVersion | None,
    actor: Actor,
    contacts: Contacts,
    now: datetime,
) -> Proposed:
    change = _withholding(
        session, aggregate, change_of(aggregate, request, given, actor, _consent_span(session), now), now
    )
    act = act_of(session, actor, aggregate.order, "proposed a change")
    intent_id = outbox.refresh(session, aggregate.order_id, "amend", change.change_id, act, now)
    store.add(session, change, given.before, given.after, intent_id)
    after = replace(aggregate, asked=read_asked(session, aggregate.order_id))
    _note(session, aggregate, after, change, actor, "change_proposed", now)
    if given.voids_approvals:
        after = plan_review.void_review(session, after, now, f"a change to version {change.to_version} was proposed")
    if change.request.consent:
        _note_consent(session, after, change, change.request.consent, actor, now)
    if change.needs_consent:
        _ask_customer(session, aggregate.order, change, contacts, now)
    else:
        after = agree(session, after, change, actor, contacts, now, following)
    after = restate(session, after, now)
    return Proposed(after.asked.change or change, given, intent_id)


def _withholding(session: Session, aggregate: OrderAggregate, change: ChangeOrder, now: datetime) -> ChangeOrder:
    """The change with the instant until which it holds back the lines it touches, by the policy in force."""
    span = timedelta(hours=policy_versions.policy_in_force(session).changes.hold_release_hours)
    until = withholds_until(aggregate.order, aggregate.progress, change, span, now)
    return replace(change, withholds_until=until)


def _note_consent(
    session: Session,
    aggregate: OrderAggregate,
    change: ChangeOrder,
    consent: SpokenConsent,
    actor: Actor,
    now: datetime,
) -> None:
    more = {**logged(change), "on_behalf_of": aggregate.order.customer_name, "given_at": consent.given_at.isoformat()}
    why = f"{consent.given_by}: {consent.how}"
    note_event(session, aggregate, aggregate, actor, "change_consented", now, why=why, more=more)


def change_of(
    aggregate: OrderAggregate, request: ChangeRequest, given: Proposal, actor: Actor, span: timedelta, now: datetime
) -> ChangeOrder:
    """The change that a proposal is; `span` is how long a consent is waited for."""
    return ChangeOrder(
        change_id=new_id("chg"),
        order_id=aggregate.order_id,
        from_version=given.before.version,
        to_version=given.after.version,
        state=AWAITING_CUSTOMER if given.needs_consent else AGREED,
        proposed_by=actor.who,
        proposed_role=actor.role,
        proposed_at=now,
        request=request,
        difference=given.difference,
        total_before=given.before.totals.total,
        total_after=given.after.totals.total,
        is_material=given.is_material,
        needs_consent=given.needs_consent,
        consent_expires_at=now + span if given.needs_consent else None,
        consented_by=actor.who if request.consent else "",
        consented_at=request.consent.given_at if request.consent else None,
        kinds=given.kinds,
    )


def agree(
    session: Session,
    aggregate: OrderAggregate,
    change: ChangeOrder,
    actor: Actor,
    contacts: Contacts,
    now: datetime,
    following: NextVersion | None = None,
) -> OrderAggregate:
    """The change is agreed; of an accepted order the matrix may ask people first, and they see the version to come.

    `following` is its evaluation of this moment, where there is one; without it the rules are asked here.
    """
    review = None
    if aggregate.order.phase == ACCEPTED:
        seen = following or _next_version(session, aggregate.order, change, now)
        if seen.is_reviewed(is_material=change.is_material):
            review = plan_review.plan(
                session, seen.order, seen.evaluation, now, change_id=change.change_id, holds=seen.holds
            )
    if review is None:
        after = replace(aggregate, asked=read_asked(session, aggregate.order_id))
        _note(session, aggregate, after, change, actor, "change_agreed", now)
        return after
    store.alter(session, change.change_id, {"state": move(AGREED, "review")})
    return plan_review.open_review(session, aggregate, review, contacts, now)


def _next_version(session: Session, order: Order, change: ChangeOrder, now: datetime) -> NextVersion:
    return next_version(session, order, versions.becomes(session, order, change.change_id), now)


def _ask_customer(session: Session, order: Order, change: ChangeOrder, contacts: Contacts, now: datetime) -> None:
    assert change.consent_expires_at is not None
    mail = mails.consent_requested(
        order,
        master_store.customer(session, order.customer_id),
        contacts,
        mailed(change.difference),
        total_after=change.total_after,
        reason=change.request.reason,
        respond_by=change.consent_expires_at,
    )
    outbox.mail(session, order, mail, now)


def mailed(rows: Sequence[Difference]) -> list[mails.Change]:
    """The rows as a mail shows them; it names the totals itself."""
    return [
        mails.Change(row.what, row.before, row.after, is_money=row.kind in MONEY_KINDS)
        for row in rows
        if row.kind != "total"
    ]


def _note(
    session: Session,
    before: OrderAggregate,
    after: OrderAggregate,
    change: ChangeOrder,
    actor: Actor,
    what: str,
    now: datetime,
) -> None:
    note_event(session, before, after, actor, what, now, why=change.request.reason, more=logged(change))


def logged(change: ChangeOrder) -> dict[str, object]:
    """What the event log keeps of a change."""
    return {
        "change_id": change.change_id,
        "from_version": change.from_version,
        "to_version": change.to_version,
        "total_before": str(change.total_before),
        "total_after": str(change.total_after),
        "difference": [f"{row.what}: {row.before or '-'} → {row.after or '-'}" for row in change.difference],
    }
