"""Segregation of duties: who may decide a step, by whose right, and the sentence for everybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from services.kernel.errors import DomainError, NotPermitted, Refused
from services.kernel.money import Money
from services.orders.domain.cases import Attempt, Authority, Case, Decider, Parties
from services.orders.domain.changes import AWAITING_CUSTOMER, IN_REVIEW
from services.orders.domain.holds import Hold, check_release
from services.orders.domain.matrix import ALWAYS_CHECKED, FINAL
from services.orders.domain.order import IN_REVIEW as ORDER_IN_REVIEW
from services.orders.domain.owners import SPOKEN_BY, fallbacks
from services.orders.domain.people import STRANGER, Delegation, Person, called, could_hold
from services.orders.domain.review_plan import has_last_word, is_candidate, stands_above
from services.orders.domain.reviews import (
    APPROVE,
    APPROVED,
    BUYER,
    CHANGES_REQUESTED,
    REJECTED,
    VOID,
    Decision,
)

NO_NAMES: Mapping[str, str] = {}
_DECIDED = {APPROVED: "approved it", REJECTED: "rejected it", CHANGES_REQUESTED: "asked for changes"}


def authority(case: Case, decider: Decider, decision: str, seen_version: int | None = None) -> Authority:
    """The right that a decision is taken by: one's own before a delegator's, the oldest delegation first.

    Refused (with the state as it is) for a step that is no longer to be decided; NotPermitted for the wrong person, for the
    reason that comes closest to being allowed.
    """
    _check_state(case, seen_version)
    if decider.person is not None and not decider.person.is_active:
        raise NotPermitted("PERSON_INACTIVE", "you are no longer active in the directory: ask an administrator")
    refusals: list[tuple[int, DomainError]] = []
    for right in _rights(case, decider):
        found = _first_refusal(Attempt(case, decider, right, decision))
        if found is None:
            return right
        refusals.append(found)
    raise max(refusals, key=lambda refusal: refusal[0])[1]


def check_releaser(
    hold: Hold,
    owners: Sequence[str],
    decider: Decider,
    parties: Parties,
    delegations: Iterable[Delegation],
    now: datetime,
    names: Mapping[str, str],
) -> None:
    """Refuse a release by anybody but the owner role, by who left or lost the role, or by a party where authority is asked for.

    `owners` are the roles that act for the owner now; `names` is subject → name of whom a refusal may name.
    """
    check_release(hold, decider.roles, owners, called(hold.released_by, names))
    person = decider.person
    if person is not None and not person.is_active:
        raise NotPermitted("PERSON_INACTIVE", "you are no longer active in the directory: ask an administrator")
    if person is not None and set(owners).isdisjoint(decider.roles & set(person.roles)):
        sentence = f"the directory does not name you as {' or '.join(owners)}: ask somebody with that role"
        raise NotPermitted("NOT_HOLD_OWNER", sentence, owner_role=hold.owner_role)
    out = barred(parties.of_hold(hold), delegations, now, names)
    if decider.sub in out:
        sentence = f"you may not: {_own_name(decider)} {out[decider.sub]}; somebody else releases this hold"
        raise NotPermitted("OWN_ORDER", sentence)
    giver = given_since(person, hold.placed_at)
    if giver in out:
        sentence = f"your right was given by {called(giver, names)} while this waits, who {out[giver]}"
        raise NotPermitted("OWN_ORDER", sentence)


def obstacle(case: Case, decider: Decider) -> DomainError | None:
    """Why somebody may not approve a step now; None when they may."""
    try:
        authority(case, decider, APPROVE)
    except DomainError as refusal:
        return refusal
    return None


def may_approve(attempt: Attempt) -> bool:
    """Whether somebody could approve a step by a right, whatever else they have decided in its review."""
    return all(check(attempt) is None for check in _CHECKS if check is not _is_second)


def _own_name(decider: Decider) -> str:
    return (decider.person.name if decider.person else "") or "your login"


def barred(
    parties: Mapping[str, str], delegations: Iterable[Delegation], now: datetime, names: Mapping[str, str] = NO_NAMES
) -> dict[str, str]:
    """Subject → why, for the parties and for everybody who stands in for one of them, directly or through others."""
    found = dict(parties)
    in_force = [one for one in delegations if one.is_in_force(now)]
    front = list(parties)
    while front:
        sub = front.pop()
        for delegation in in_force:
            if delegation.from_sub == sub and delegation.to_sub not in found:
                found[delegation.to_sub] = f"stands in for {called(sub, names)}, who {found[sub].split(', who ')[-1]}"
                front.append(delegation.to_sub)
    return found


def _check_state(case: Case, seen_version: int | None) -> None:
    order, change = case.order, case.change
    if seen_version is not None and seen_version != order.version:
        sentence = f"the order is at version {order.version}, you decided on {seen_version}: reload it and decide again"
        raise Refused("VERSION_STALE", sentence, version=str(order.version))
    if order.has_ended:
        raise Refused("ORDER_HAS_ENDED", f"the order is {order.phase}: there is nothing left to decide")
    if not case.step.is_open or not case.review.is_open:
        raise Refused("STEP_NOT_OPEN", _state_sentence(case), state=case.step.state)
    if change is not None and change.state == AWAITING_CUSTOMER:
        raise Refused("CHANGE_AWAITS_CUSTOMER", "a change waits for the customer's answer: decide when it is there")
    is_about_change = bool(case.review.change_id)
    is_current = (
        change is not None
        and change.change_id == case.review.change_id
        and change.state == IN_REVIEW
        and case.step.order_version == change.to_version
        if is_about_change
        else order.phase == ORDER_IN_REVIEW and case.step.order_version == order.version
    )
    if not is_current:
        sentence = f"this step is about version {case.step.order_version}, the order is at {order.version}: reload it"
        raise Refused("VERSION_STALE", sentence, version=str(order.version))


def _state_sentence(case: Case) -> str:
    step = case.step
    state = case.review.state if step.is_open else step.state
    last = next((one for one in reversed(step.decisions) if not one.is_void), None)
    who = _who(last, case.names) if last else ""
    if state == VOID:
        asked = "the customer is asked about a change first" if case.change else "it was changed or asked again"
        return f"this step is void, because {asked}: reload the order, which is at version {case.order.version}"
    if state == "waiting":
        sentence = "this step waits for an earlier level"
    elif state in _DECIDED and who:
        sentence = f"this step was decided already: {who} {_DECIDED[state]}"
    else:
        sentence = f"this step is {state.replace('_', ' ')}, so nothing is left to decide in it"
    return f"{sentence}; the order is {case.order.phase.replace('_', ' ')}: reload it"


def _who(one: Decision, names: Mapping[str, str]) -> str:
    """Who decided, and for whom."""
    return " for ".join(called(sub, names) for sub in (one.decided_by, one.acting_for) if sub)


def _rights(case: Case, decider: Decider) -> Sequence[Authority]:
    own = Authority(decider.sub, decider.person)
    delegated = [Authority(one.from_sub, decider.delegators.get(one.from_sub), one) for one in decider.delegated]
    return (
        own,
        *sorted(delegated, key=lambda right: not right.delegation or not right.delegation.is_in_force(case.now)),
    )


def _first_refusal(attempt: Attempt) -> tuple[int, DomainError] | None:
    for rank, check in enumerate(_CHECKS):
        refusal = check(attempt)
        if refusal is not None:
            return rank, refusal
    return None


def _is_asked(attempt: Attempt) -> DomainError | None:
    case, decider, right = attempt.case, attempt.decider, attempt.right
    step = case.step
    person, delegation = right.person, right.delegation
    if delegation is not None:
        is_asked = (
            decider.person is not None
            and person is not None
            and person.company == decider.person.company
            and delegation.covers(step.position)
            and could_hold(step.taken_by, decider.roles & set(decider.person.roles))
            and _is_candidate(case, person)
        )
    elif person is not None:
        is_above = person.sub in step.escalated_to and stands_above(decider.roles, step)
        is_asked = (step.taken_by in decider.roles or is_above) and _is_candidate(case, person)
        is_asked = is_asked or _is_substitute(case, decider, person)
    else:  # knowledge may be asked of whom the directory does not know; authority never
        is_asked = not step.is_approval and not step.position and step.chain != BUYER and step.taken_by in decider.roles
    if is_asked:
        return None
    whose = "a person of the customer" if step.chain == BUYER else "somebody"
    return NotPermitted("NOT_ASKED", f"this step asks {step.asks}: {whose} with that position decides", asks=step.asks)


def _is_substitute(case: Case, decider: Decider, person: Person) -> bool:
    step = case.step
    for_them = (SPOKEN_BY,) if step.chain == BUYER else fallbacks(step.taken_by)
    held = decider.roles & set(person.roles)
    return person.sub in case.substitutes and not held.isdisjoint((step.taken_by, *for_them))


def _is_candidate(case: Case, person: Person) -> bool:
    step, company, sales_rep = case.step, case.order.customer_id, case.parties.sales_rep
    is_escalated = person.sub in step.escalated_to and person.is_active and stands_above(person.roles, step)
    return is_escalated or is_candidate(person, step, company, sales_rep)


def _is_in_force(attempt: Attempt) -> DomainError | None:
    delegation, giver = attempt.right.delegation, attempt.right.person
    if delegation is None or delegation.is_in_force(attempt.case.now):
        return None
    whose = (giver.name if giver else "") or STRANGER
    sentence = f"the delegation of {whose} to you is not in force now: ask {whose} for a new one"
    return NotPermitted("DELEGATION_NOT_IN_FORCE", sentence)


def _is_barred(attempt: Attempt) -> DomainError | None:
    case, decider, right = attempt.case, attempt.decider, attempt.right
    found = barred(case.parties.of(case.step), case.delegations, case.now, case.names)
    own, whose = _own_name(decider), (right.person.name if right.person else "") or STRANGER
    for sub, subject in ((decider.sub, f"you may not: {own}"), (right.sub, f"you may not for {whose}: {whose}")):
        if sub in found:
            return NotPermitted("OWN_ORDER", f"{subject} {found[sub]}; somebody else decides")
    return None


def _is_second(attempt: Attempt) -> DomainError | None:
    """Distinct people and distinct authority in one review, where authority is asked for; once a step everywhere."""
    case, names = attempt.case, {attempt.decider.sub, attempt.right.sub}
    for step in case.review.steps:
        is_same = step.step_id == case.step.step_id
        if not is_same and not (step.is_approval and case.step.is_approval):
            continue
        for one in step.decisions:
            if not one.is_void and not names.isdisjoint({one.decided_by, one.acting_for} - {""}):
                sentence = f"{_who(one, case.names)} decided the {step.asks} step of this review: another person decides this one"
                return NotPermitted("DECIDED_BEFORE", sentence)
    return None


def _is_over_limit(attempt: Attempt) -> DomainError | None:
    if attempt.decision != APPROVE:
        return None
    case, right = attempt.case, attempt.right
    review, delegation = case.review, right.delegation
    amount = review.cumulative_minor
    limit = right.person.limit(review.currency) if right.person is not None else 0
    if delegation is not None:
        limit = delegation.cap(limit, review.currency)
    has_maximum = delegation is not None and delegation.max_minor is not None
    maximum = delegation.cap(amount, review.currency) if delegation is not None and has_maximum else amount
    if (not needs_limit(case, right) or limit >= amount) and maximum >= amount:
        return None
    whose = (right.person.name if right.person else "") or STRANGER
    said = f"{Money(min(limit, maximum), review.currency)}, and this comes to {Money(amount, review.currency)}"
    return NotPermitted("OVER_LIMIT", f"the limit of {whose} is {said}: somebody with a higher one decides")


def needs_limit(case: Case, right: Authority) -> bool:
    """Whether the decider's limit must cover what the review comes to: an escalated approval always asks for it."""
    step = case.step
    if step.chain == BUYER and right.person is not None and not right.person.company:
        return False  # the customer's spoken word, which has the limit that the customer gives it
    if right.sub in step.escalated_to and step.is_approval:
        return True
    if step.limit != FINAL:
        return step.limit == ALWAYS_CHECKED
    return has_last_word(step, case.review.steps)


def given_since(person: Person | None, at: datetime) -> str:
    """Who gave somebody a right that decides since an instant; empty when nobody did."""
    is_new = person is not None and person.authority_at is not None and person.authority_at > at
    return person.authority_by if person is not None and is_new else ""


def handed_since(delegation: Delegation | None, at: datetime) -> str:
    """Who handed somebody else's decisions over since an instant; empty when nobody did, or the delegator themselves."""
    if delegation is None or delegation.created_at is None or delegation.created_at <= at:
        return ""
    return "" if delegation.created_by == delegation.from_sub else delegation.created_by


def _is_too_new(attempt: Attempt) -> DomainError | None:
    """A right given while the order waits approves it only where nobody else could, and never where a party gave it."""
    case, right = attempt.case, attempt.right
    if attempt.decision != APPROVE or not case.step.is_approval:
        return None
    since = case.review.opened_at
    people = (attempt.decider.person, right.person)
    givers = {*(given_since(person, since) for person in people), handed_since(right.delegation, since)} - {""}
    out = barred(case.parties.of(case.step), case.delegations, case.now, case.names)
    for giver in sorted(givers & set(out)):
        whose = called(giver, case.names)
        sentence = f"your right was given by {whose} while this waits, who {out[giver]}; somebody else decides"
        return NotPermitted("OWN_ORDER", sentence)
    others = _others_who_could(attempt) if givers else []
    if not others:
        return None
    by = ", ".join(sorted(called(giver, case.names) for giver in givers))
    sentence = f"your right was given by {by} while this waits: {' or '.join(others)} decides"
    return NotPermitted("AUTHORITY_TOO_NEW", sentence)


def _others_who_could(attempt: Attempt) -> list[str]:
    case, names = attempt.case, {attempt.decider.sub, attempt.right.sub}
    decided = {one.decided_by for step in case.review.steps for one in step.decisions if not one.is_void}
    return [
        person.name or STRANGER
        for person in case.asked
        if person.sub not in names | decided
        and not given_since(person, case.review.opened_at)
        and (
            not needs_limit(case, Authority(person.sub, person))
            or person.limit(case.review.currency) >= case.review.cumulative_minor
        )
    ]


_CHECKS: tuple[Callable[[Attempt], DomainError | None], ...] = (
    _is_asked,
    _is_in_force,
    _is_barred,
    _is_second,
    _is_over_limit,
    _is_too_new,
)
"""In this order: a refusal further down is closer to being allowed, and is the one that is told."""
