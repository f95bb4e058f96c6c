"""Support authorizes a return or denies it, and whoever asked for it may call it off while nothing has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from services.orders.access.matrix import Caller
from services.orders.changes.propose import actor_of
from services.orders.domain.mails import Contacts
from services.orders.domain.returns import AUTHORIZED, CANCELLED, DENIED, REQUESTED, FeeRule, Return, check_cancel, move
from services.orders.order import outbox
from services.orders.policies import versions
from services.orders.returns.changing import label_sent_at, save, take


def authorize(
    session: Session,
    return_id: str,
    caller: Caller,
    note: str,
    contacts: Contacts,
    now: datetime,
    fee: FeeRule | None = None,
) -> Return:
    """Let goods come, with another fee than the policy's where one is given. Refused RETURN_STATE for what was decided."""
    taken = take(session, return_id)
    found, actor = taken.found, actor_of(caller)
    valid = now + timedelta(days=versions.policy_in_force(session).returns.valid_days)
    after = replace(
        found, state=move(found, "authorize"), decided_by=actor.who, decided_role=actor.role, decided_at=now,
        decision_note=note, valid_until=valid, fee=fee or found.fee,
    )  # fmt: skip
    after = replace(after, label_sent_at=label_sent_at(session, taken.aggregate.order, now))
    after = save(session, taken, after, actor, "return_authorized", contacts, now, why=note)
    outbox.signal_return(session, after, outbox.RETURN_DECIDED, now)
    return after


def deny(session: Session, return_id: str, caller: Caller, note: str, contacts: Contacts, now: datetime) -> Return:
    """Let no goods come. Refused RETURN_STATE for what was decided."""
    taken = take(session, return_id)
    found, actor = taken.found, actor_of(caller)
    after = replace(
        found, state=move(found, "deny"), decided_by=actor.who, decided_role=actor.role, decided_at=now, decision_note=note,
    )  # fmt: skip
    after = save(session, taken, after, actor, "return_denied", contacts, now, why=note)
    outbox.signal_return(session, after, outbox.RETURN_DECIDED, now)
    return after


def cancel(session: Session, return_id: str, caller: Caller, note: str, contacts: Contacts, now: datetime) -> Return:
    """Call a return off. One that was authorized ends when the warehouse has agreed to take nothing; refused as `check_cancel` says."""
    taken = take(session, return_id)
    found, actor = taken.found, actor_of(caller)
    check_cancel(found, is_customer=caller.reach == "own")
    if found.closing:
        return found
    after = replace(found, state=CANCELLED) if found.state == REQUESTED else replace(found, closing=CANCELLED)
    after = save(session, taken, after, actor, "return_cancelled", contacts, now, why=note)
    outbox.signal_return(session, after, outbox.RETURN_CANCELLED, now)
    return after


DECIDED = (AUTHORIZED, DENIED)
"""States that support's decision gives."""
