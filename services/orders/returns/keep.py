"""Credit that does not wait for goods: in advance, or because the customer keeps them; and goods that are given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.changes.propose import actor_of
from services.orders.domain import kept_returns as domain
from services.orders.domain.mails import Contacts
from services.orders.domain.returns import REQUESTED, Return
from services.orders.order import outbox
from services.orders.policies import versions
from services.orders.returns.ask import is_small
from services.orders.returns.changing import save, take


def keep(session: Session, return_id: str, caller: Caller, note: str, contacts: Contacts, now: datetime) -> Return:
    """Credit what has not come without awaiting it. Beyond what the policy authorizes by itself one person asks and another agrees.

    Refused RETURN_STATE, RETURN_INTERCEPTED, RETURN_REPLACED; NotPermitted SECOND_PERSON for whoever asked.
    """
    taken = take(session, return_id)
    found, actor = taken.found, actor_of(caller)
    domain.check_keep(found)
    rule = versions.policy_in_force(session).returns
    if not is_small(session, taken.aggregate.order, domain.awaited(found), rule, now):
        if not found.keep_asked_by:
            asked = replace(found, keep_asked_by=actor.who)
            return save(session, taken, asked, actor, "return_keep_asked", contacts, now, why=note)
        domain.check_second(found, actor.who)
    after = replace(domain.keep(found), keep_asked_by=found.keep_asked_by or actor.who)
    if found.state == REQUESTED:
        after = replace(after, decided_by=actor.who, decided_role=actor.role, decided_at=now, decision_note=note)
    after = save(session, taken, after, actor, "return_kept", contacts, now, why=note)
    outbox.signal_return(session, after, outbox.RETURN_DECIDED, now)
    return after


def credit_early(
    session: Session, return_id: str, caller: Caller, note: str, contacts: Contacts, now: datetime
) -> Return:
    """Credit what is awaited before it comes. Beyond what the policy authorizes by itself, who let the goods come may not do that too.

    Refused RETURN_STATE, RETURN_CREDITED, RETURN_REPLACED; NotPermitted SECOND_PERSON.
    """
    taken = take(session, return_id)
    found, actor = taken.found, actor_of(caller)
    after = domain.credit_early(found, new_id("insp"), actor.who, now)
    rule = versions.policy_in_force(session).returns
    if not is_small(session, taken.aggregate.order, domain.awaited(found), rule, now):
        domain.check_second(replace(found, keep_asked_by=found.decided_by), actor.who)
    after = save(session, taken, after, actor, "return_credited_early", contacts, now, why=note)
    outbox.signal_return(session, after, outbox.RETURN_DECIDED, now)
    return after


def give_up(session: Session, return_id: str, caller: Caller, note: str, contacts: Contacts, now: datetime) -> Return:
    """Await no more goods of a return of which some have come. Refused RETURN_STATE, NOTHING_RECEIVED."""
    taken = take(session, return_id)
    actor = actor_of(caller)
    after = save(session, taken, domain.give_up(taken.found), actor, "return_given_up", contacts, now, why=note)
    outbox.signal_return(session, after, outbox.RETURN_DECIDED, now)
    return after
