"""A person resolves a business exception, with a note."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.orders.access.matrix import Caller
from services.orders.approvals.deciders import named
from services.orders.domain.exceptions import (
    SYSTEM,
    BusinessException,
    ListedException,
    check_resolution,
    resolved_already,
)
from services.orders.domain.owners import acting_roles
from services.orders.order import exceptions
from services.orders.store import exceptions as store
from services.orders.store import orders, people


def owners_of(session: Session, found: BusinessException) -> tuple[str, ...]:
    """The roles that may resolve an exception now: its owner, and the fallbacks of one that resolves to nobody."""
    return acting_roles(found.owner_role, people.of_company(session, ""), "")


def resolve(session: Session, exception_id: str, caller: Caller, note: str, now: datetime) -> ListedException:
    """Resolve an exception with a note and give it as it is then.

    NotFound for one that the caller's scope hides; the refusals are those of check_resolution(). Of two who resolve it at once,
    the second is refused.
    """
    listed = store.find(session, exception_id, caller.scope)
    found, who = listed.found, caller.principal
    check_resolution(found, who.roles, note, owners_of(session, found), _resolver(session, found))
    orders.take(session, found.order_id, caller.scope)  # first, as everybody who changes something of an order does
    role = caller.acting_as(found.owner_role)
    if not store.resolve(session, exception_id, resolved_by=who.sub, resolved_role=role, note=note, now=now):
        raise resolved_already("somebody else")
    exceptions.note_event(session, found, exceptions.RESOLVED, who.sub, role, note, now)
    done = replace(found, resolved_at=now, resolved_by=who.sub, resolved_role=role, note=note)
    return replace(listed, found=done)


def _resolver(session: Session, found: BusinessException) -> str:
    """Who has resolved it, as a sentence calls them."""
    return "the system" if found.resolved_by == SYSTEM else named(session, found.resolved_by)
