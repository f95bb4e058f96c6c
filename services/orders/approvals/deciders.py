"""Who decides: a step with everything that bounds a decision on it, and somebody as the directory knows them."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import DomainError
from services.orders.access.matrix import Caller
from services.orders.approvals import assignees
from services.orders.domain.cases import Case, Decider
from services.orders.domain.holds import Hold
from services.orders.domain.people import called
from services.orders.domain.reviews import Review, Step
from services.orders.domain.segregation_of_duties import check_releaser
from services.orders.order.aggregate import OrderAggregate
from services.orders.store import people


def case_of(session: Session, aggregate: OrderAggregate, review: Review, step: Step, now: datetime) -> Case:
    """A step of an order with everything that bounds a decision on it."""
    eligible = assignees.eligible_of(session, aggregate.order, now)
    return assignees.case_of(eligible, review, step, aggregate.asked.change, now)


def decider_of(session: Session, caller: Caller) -> Decider:
    """The caller, as the token and the directory know it at this moment."""
    principal = caller.principal
    delegated = people.delegations_to(session, principal.sub)
    known = people.of_subs(session, [principal.sub, *(one.from_sub for one in delegated)])
    return Decider(
        sub=principal.sub,
        roles=principal.roles,
        company=principal.company or "",
        person=known.get(principal.sub),
        delegated=delegated,
        delegators=known,
    )


def check_may_release(session: Session, aggregate: OrderAggregate, hold: Hold, caller: Caller, now: datetime) -> None:
    """Refuse a release by whom the token, the directory or their part in the order bars from it."""
    decider = decider_of(session, caller)
    parties = assignees.parties_of(session, aggregate.order)
    owners = assignees.owners_of(session, aggregate.order, hold)
    delegations = people.standing_delegations(session, now)
    subs = {hold.released_by, *parties.subs(), *(one.from_sub for one in delegations)} - {""}
    names = {sub: person.name for sub, person in people.of_subs(session, subs).items()}
    if hold.released_by and not names.get(hold.released_by):
        is_machine = hold.released_role == "service"
        names[hold.released_by] = "the system" if is_machine else f"somebody of {hold.released_role.replace('_', ' ')}"
    check_releaser(hold, owners, decider, parties, delegations, now, names)


def named(session: Session, sub: str) -> str:
    """Somebody as a sentence calls them: by name, never by a login."""
    person = people.find(session, sub)
    return called(sub, {sub: person.name} if person else {})


def release_obstacle(
    session: Session, aggregate: OrderAggregate, hold: Hold, caller: Caller, now: datetime
) -> DomainError | None:
    """Why the caller may not release a hold now; None when they may."""
    try:
        check_may_release(session, aggregate, hold, caller, now)
    except DomainError as refusal:
        return refusal
    return None
