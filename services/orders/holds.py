"""Releasing a hold: the owner role alone, once; the last one lets the order go on by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import Refused
from services.orders import intents
from services.orders.access import Caller
from services.orders.domain.holds import check_release, remaining
from services.orders.domain.order import IN_REVIEW
from services.orders.dossier import Actor, Dossier, advance, note_event, read_for_change, restate
from services.orders.store import holds as store

HOLDS_RELEASED = "holds_released"


def release(
    session: Session,
    order_id: str,
    hold_id: str,
    caller: Caller,
    note: str,
    now: datetime,
    expected_version: int | None = None,
) -> Dossier:
    """Release one hold and give the order as it stands then.

    NotPermitted NOT_HOLD_OWNER for any other role than the hold's owner, admin included; Refused HOLD_ALREADY_RELEASED for a
    second release, VERSION_STALE when the caller has seen another version. With the last hold an order in review is accepted
    and its workflow is told.
    """
    before = read_for_change(session, order_id, caller.scope)
    hold = store.one(before.holds, hold_id)
    check_release(hold, caller.principal.roles, has_order_ended=before.order.has_ended)
    check_version(before, expected_version)
    actor = Actor(caller.principal.sub, hold.owner_role)
    store.release(session, [hold_id], released_by=actor.who, released_role=actor.role, note=note, now=now)
    after = replace(before, holds=store.of_order(session, order_id))
    is_last = not remaining(after.holds)
    if is_last and after.order.phase == IN_REVIEW:
        after = advance(session, after, "clear", actor, now)
    after = restate(session, after, now)
    more = {"hold": hold.code, "hold_type": hold.hold_type, "holds_left": len(remaining(after.holds))}
    note_event(session, before, after, actor, "hold_released", now, why=note, more=more)
    if is_last:
        intents.signal(session, order_id, HOLDS_RELEASED, now, subject_id=hold_id)
    return after


def check_version(dossier: Dossier, expected: int | None) -> None:
    """Refuse to act on an order that has changed since the caller saw it."""
    if expected is not None and expected != dossier.order.version:
        raise Refused(
            "VERSION_STALE",
            f"the order is at version {dossier.order.version}, not {expected}: reload it and decide again",
            version=str(dossier.order.version),
        )
