"""Placing a hold, telling whom it waits for, and its release: by the owner role alone, once; the last lets the order go on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlmodel import Session

from services.kernel.errors import Refused
from services.kernel.ids import new_id
from services.kernel.money import Money
from services.orders.access.matrix import Caller
from services.orders.approvals import assignees, deciders, plan_review
from services.orders.approvals.clearance import clear_if_unblocked, is_unblocked
from services.orders.domain import mails
from services.orders.domain.holds import (
    NO_ALLOWANCE,
    RELEASE_EXPIRED,
    TAX_UNDETERMINED,
    Allowance,
    CodedType,
    Hold,
    asks_for_cash,
    expired_release,
    find_hold,
    is_for_tax,
    remaining,
    rule_of,
)
from services.orders.domain.mails import NOBODY, Contacts
from services.orders.domain.order import ACCEPTED, IN_REVIEW, Order
from services.orders.domain.owners import SALES, owner_of
from services.orders.domain.policies import BLOCK, EXCHANGE_RATE_MISSING, HOLD, PlannedHold, Violation, planned_holds
from services.orders.domain.verdicts import held_codes, key_of
from services.orders.order import exceptions, outbox
from services.orders.order.aggregate import Actor, OrderAggregate, check_version, note_event, read_for_change, restate
from services.orders.policies import evaluate, recheck, versions
from services.orders.policies.engine import CREDIT_NOT_ASKED
from services.orders.policies.evaluate import Evaluation
from services.orders.policies.recheck import ChangedFacts
from services.orders.store import holds as store
from services.orders.store import masterdata, people
from services.runtime import sessions

HOLDS_RELEASED = "holds_released"
REVIEW_EXPIRED: Final = "review_expired"
"""The type of the hold that keeps an order whose review nobody decided; its release asks the review again."""

FACTS_CHANGED: Final = "facts_changed"
"""The type of the hold of an order that a rule blocks today and did not block when it was validated."""
VALIDATOR = Actor("validation", "service")


def release(
    session: Session,
    order_id: str,
    hold_id: str,
    caller: Caller,
    note: str,
    now: datetime,
    expected_version: int | None = None,
    contacts: Contacts = NOBODY,
    allowance: Allowance = NO_ALLOWANCE,
) -> OrderAggregate:
    """Release one hold and give the order as it stands then.

    NotPermitted NOT_HOLD_OWNER for any other role than the hold's owner, admin included, and OWN_ORDER for a party where authority
    is asked for; Refused HOLD_ALREADY_RELEASED for a second release, FACTS_STILL_WRONG while a rule still blocks, EXCHANGE_RATE_MISSING
    while there is none, TAX_UNDETERMINED while nobody knows the tax, VERSION_STALE when the caller has seen another version; for an `allowance` that does not hold, its reasons. With the last hold an order in review is accepted,
    unless a review or a change still keeps it, and its workflow is told; an accepted one goes on to its warehouses. An expired review is asked again; what waited for an
    exchange rate is evaluated with it, which may hold it for other reasons.
    """
    before = read_for_change(session, order_id, caller.scope)
    hold = find_hold(before.holds, hold_id)
    deciders.check_may_release(session, before, hold, caller, now)
    check_version(before, expected_version)
    if before.order.taxation.is_pending and is_for_tax(hold):
        raise Refused(TAX_UNDETERMINED, f"nobody knows the tax of the order yet, so nobody lets it go. {hold.reason}")
    allowance.check(hold, before.order.totals.total, sessions.business_day(session, now))
    evaluation = _checked(session, before.order, hold, now)
    actor = Actor(caller.principal.sub, caller.acting_as(hold.owner_role))
    store.release(
        session, [hold_id], released_by=actor.who, released_role=actor.role, note=note, now=now, allowance=allowance
    )
    after = replace(before, holds=store.of_order(session, order_id))
    is_asked_again = hold.hold_type == REVIEW_EXPIRED
    if is_asked_again:
        after = plan_review.reopen_review(session, after, contacts, now)
    if hold.code == EXCHANGE_RATE_MISSING and after.order.phase == IN_REVIEW:
        after = _with_amounts(session, after, contacts, now, evaluation)
    if after.order.phase == ACCEPTED:
        after = hold_if_changed(session, after, contacts, now, evaluation)
    after = restate(session, clear_if_still_right(session, after, actor, contacts, now, evaluation), now)
    is_last = not remaining(after.holds)
    more = {
        "hold": hold.code,
        "hold_type": hold.hold_type,
        "holds_left": len(remaining(after.holds)),
        **_logged(allowance),
    }
    note_event(session, before, after, actor, "hold_released", now, why=note, more=more)
    exceptions.resolve_of_holds(session, [hold_id], note, now)
    if is_last or is_asked_again:
        outbox.signal(session, order_id, HOLDS_RELEASED, now, subject_id=hold_id)
    return after


def _logged(allowance: Allowance) -> dict[str, str]:
    up_to = {"up_to": str(allowance.up_to)} if allowance.up_to is not None else {}
    return up_to | ({"until": allowance.until.isoformat()} if allowance.until is not None else {})


def _checked(session: Session, order: Order, hold: Hold, now: datetime) -> Evaluation | None:
    """The evaluation of now where the hold's release rests on one: what a rule blocks, or what waits for a rate, nobody lets pass."""
    if hold.hold_type != FACTS_CHANGED and hold.code != EXCHANGE_RATE_MISSING:
        return None
    _check_has_rate(session, order, hold, now)
    evaluation = evaluate.evaluate(session, order, CREDIT_NOT_ASKED, now)
    why = recheck.still_blocks(evaluation, hold.code) if hold.hold_type == FACTS_CHANGED else ""
    if why:
        raise Refused("FACTS_STILL_WRONG", f"{why} Correct that, change the order, or cancel it", rule=hold.code)
    return evaluation


def clear_if_still_right(
    session: Session,
    aggregate: OrderAggregate,
    actor: Actor,
    contacts: Contacts,
    now: datetime,
    evaluation: Evaluation | None = None,
) -> OrderAggregate:
    """clear_if_unblocked() after the rules were asked again: what changed while people decided holds the order instead, as does a
    release on money whose time is over by then.

    What had been said of this version before was decided upon, and is not asked twice. `evaluation` is that of now where the
    caller has it. The caller restates.
    """
    if not is_unblocked(aggregate):
        return aggregate
    changed = recheck.changed_facts(session, aggregate.order, now, evaluation)
    if not changed.violations:
        return clear_if_unblocked(session, expire(session, aggregate, contacts, now), actor, now)
    return hold_for(session, aggregate, changed, contacts, now)


def expire(session: Session, before: OrderAggregate, contacts: Contacts, now: datetime) -> OrderAggregate:
    """Hold an order again whose release on money was for a time that is over, unless it is paid by now. The caller saves nothing."""
    over = expired_release(before.holds, sessions.business_day(session, now))
    if over is None or remaining(before.holds) or before.progress.received_minor >= before.order.totals.total.minor:
        return before
    reason = (
        f"The release until {over.valid_until} is over, and goods are still to leave: decide again whether they may."
    )
    after = place(session, before, RELEASE_EXPIRED, "payment", over.owner_role, reason, now)
    after = restate(session, after, now)
    note_event(session, before, after, VALIDATOR, "hold_placed", now, why=reason)
    notify_owners(session, after, [hold for hold in after.holds if hold not in before.holds], contacts, now)
    return after


def hold_if_changed(
    session: Session,
    aggregate: OrderAggregate,
    contacts: Contacts,
    now: datetime,
    evaluation: Evaluation | None = None,
) -> OrderAggregate:
    """An accepted order, held by what the rules say of it today and nobody has decided; without that it stays as it is.

    `evaluation` is that of now where the caller has it.
    """
    return hold_for(session, aggregate, recheck.changed_facts(session, aggregate.order, now, evaluation), contacts, now)


def lift_idle(session: Session, aggregate: OrderAggregate, now: datetime) -> OrderAggregate:
    """An accepted order without its holds once a change has left nothing that would still go to a warehouse: they keep nothing."""
    standing = [hold.hold_id for hold in remaining(aggregate.holds)]
    is_anything_to_come = any(line.released < line.wanted for line in aggregate.lines().values())
    if not standing or aggregate.order.phase != ACCEPTED or is_anything_to_come:
        return aggregate
    note = "nothing is left to release"
    store.release(session, standing, released_by=VALIDATOR.who, released_role=VALIDATOR.role, note=note, now=now)
    exceptions.resolve_of_holds(session, standing, note, now)
    return replace(aggregate, holds=store.of_order(session, aggregate.order_id))


def hold_for(
    session: Session, aggregate: OrderAggregate, changed: ChangedFacts, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """A hold of its owner for each rule that holds, and one of support for each that blocks.

    One that stands already names what its rule speaks of by now.
    """
    order, policy = aggregate.order, changed.evaluation.policy
    rules = [rule.code for rule in policy.rules]
    held = held_codes(aggregate.holds, rules)
    said = [one for one in changed.violations if one.code not in held]
    more = {one.code for one in changed.violations if one.severity == HOLD} & held
    grown = [one for one in changed.evaluation.violations if one.code in more]
    aggregate = replace(aggregate, holds=rephrase(session, aggregate.holds, grown, rules))
    new = [one for one in changed.violations if one.severity == HOLD or key_of(one) not in changed.kept]
    store.add_violations(session, order.order_id, order.version, policy.version, new)
    if not said:
        return aggregate
    blocked = {one.code: one.message for one in said if one.severity == BLOCK}
    plans = [
        *planned_holds(said),
        *(
            PlannedHold(code, FACTS_CHANGED, "support", f"{message} Correct that, change the order, or cancel it.")
            for code, message in blocked.items()
        ),
    ]
    placed = planned(session, order, [replace(plan, code=_free(aggregate, plan.code)) for plan in plans], now)
    store.add(session, placed)
    notify_owners(session, aggregate, placed, contacts, now)
    after = restate(session, replace(aggregate, holds=store.of_order(session, order.order_id)), now)
    why = " ".join(dict.fromkeys(one.message for one in said))
    note_event(session, aggregate, after, VALIDATOR, "facts_changed", now, why=why)
    return after


def rephrase(
    session: Session, holds: Sequence[Hold], said: Sequence[Violation], rules: Collection[str]
) -> tuple[Hold, ...]:
    """The holds, of which those that stand name every line that their rule speaks of by now; `said` is what the rules say."""
    reasons = {plan.code: plan.reason for plan in planned_holds(said)}
    after = []
    for hold in holds:
        reason = reasons.get(rule_of(hold.code, rules), hold.reason) if hold.is_open else hold.reason
        if reason != hold.reason:
            store.rephrase(session, hold.hold_id, reason)
        after.append(replace(hold, reason=reason))
    return tuple(after)


def _check_has_rate(session: Session, order: Order, hold: Hold, now: datetime) -> None:
    """What waits for an exchange rate does not go on without one: its amounts were compared with nothing."""
    if hold.code != EXCHANGE_RATE_MISSING:
        return
    if evaluate.amounts_of(session, versions.policy_in_force(session), order.currency, now) is None:
        raise Refused(EXCHANGE_RATE_MISSING, f"no exchange rate of {order.currency} is known yet: enter it first")


def _with_amounts(
    session: Session, aggregate: OrderAggregate, contacts: Contacts, now: datetime, evaluation: Evaluation | None
) -> OrderAggregate:
    """What the rules that read amounts say, now that these can be compared: their holds and their review."""
    changed = recheck.changed_facts(session, aggregate.order, now, evaluation)
    after = hold_for(session, aggregate, changed, contacts, now) if changed.violations else aggregate
    review = plan_review.plan(session, after.order, changed.evaluation, now)
    return plan_review.rebind_review(session, after, review, contacts, now)


def place(
    session: Session,
    aggregate: OrderAggregate,
    code: str,
    hold_type: CodedType,
    owner_role: str,
    reason: str,
    now: datetime,
) -> OrderAggregate:
    """Place a hold on the order's version; a code that this version has had already is numbered on."""
    plan = PlannedHold(_free(aggregate, code), hold_type, owner_role, reason)
    store.add(session, planned(session, aggregate.order, [plan], now))
    return replace(aggregate, holds=store.of_order(session, aggregate.order_id))


def _free(aggregate: OrderAggregate, code: str) -> str:
    had = {hold.code for hold in aggregate.holds if hold.order_version == aggregate.order.version}
    names = (f"{code}_{number}" if number > 1 else code for number in range(1, len(had) + 2))
    return next(name for name in names if name not in had)


def planned(session: Session, order: Order, plans: Sequence[PlannedHold], now: datetime) -> tuple[Hold, ...]:
    """Planned holds as those of the order's version in force; what nobody sells to is its fallback's to release."""
    sales_rep = assignees.sales_rep_of(session, order) if any(plan.owner_role == SALES for plan in plans) else ""
    return tuple(
        Hold(
            hold_id=new_id("hold"),
            order_id=order.order_id,
            order_version=order.version,
            code=plan.code,
            hold_type=plan.hold_type,
            owner_role=owner_of(plan.owner_role, sales_rep),
            reason=plan.reason,
            placed_at=now,
        )
        for plan in plans
    )


def notify_owners(
    session: Session, aggregate: OrderAggregate, placed: Sequence[Hold], contacts: Contacts, now: datetime
) -> None:
    """Tell the customer, who sells to it and whoever may release one of the holds that were placed; ask for what is to be paid."""
    order = aggregate.order
    customer = masterdata.customer(session, order.customer_id)
    owned = [(hold.owner_role, hold.reason) for hold in placed]
    mail = mails.order_on_hold(order, customer, contacts, owned, people.of_company(session, ""))
    outbox.mail(session, order, mail, now)
    if order.is_paid_ahead and any(asks_for_cash(hold) for hold in placed):
        received = Money(aggregate.progress.received_minor, order.currency)
        asked = mails.pro_forma(order, masterdata.customer(session, order.payer_id), received)
        if asked is not None:
            outbox.mail(session, order, asked, now)
