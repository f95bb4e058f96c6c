"""The people directory and the delegations: administrators keep people, everybody hands over their own decisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlmodel import Session

from services.kernel.errors import InvalidArgument, NotFound, NotPermitted, Refused
from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.domain.people import (
    AccessChange,
    Delegation,
    Person,
    check_delegation,
    check_own_entry,
    check_person,
    could_stand_in,
    has_decisions,
    rights_changed,
    traced,
)
from services.orders.store import access_changes, masterdata
from services.orders.store import people as store
from services.runtime.versioned import is_unchanged


def put_person(session: Session, person: Person, who: str, now: datetime, expected: int | None = None) -> Person:
    """Keep a person; the same subject replaces the earlier entry, and is_active False takes every right at once.

    The same entry again changes nothing; Refused VERSION_STALE for another version than the `expected` one.
    NotPermitted OWN_AUTHORITY for who gives themselves what decides, NotFound for a company that is not there, InvalidArgument MANAGER_UNKNOWN for a manager who is not.
    """
    check_person(person)
    known = store.find(session, person.sub)
    if person.sub == who:
        check_own_entry(known, person)
    if person.company:
        masterdata.customer(session, person.company)
    if person.manager and store.find(session, person.manager) is None:
        raise InvalidArgument("MANAGER_UNKNOWN", "the manager is not in the directory: enter them first")
    if known is not None and is_unchanged(known, person, expected):
        return known
    stored = store.put(session, traced(known, person, who, now), who, now, expected)
    if changes := rights_changed(known, person):
        note_access(session, "entry_changed", person.sub, who, now, changes)
    return stored


def note_access(
    session: Session, what: str, sub: str, who: str, now: datetime, detail: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Keep who did what to whose access."""
    access_changes.add(session, AccessChange(new_id("acc"), now, who, sub, what, dict(detail)))


def list_access_changes(session: Session, *, sub: str = "", after: str = "", limit: int = 100) -> list[AccessChange]:
    """What was done to people's rights and passwords, oldest first, behind `after`; of or by one person when named."""
    return access_changes.page(session, sub=sub, after=after, limit=limit)


def find_person(session: Session, sub: str) -> Person | None:
    """Somebody of the directory; None for whom it does not know."""
    return store.find(session, sub)


def list_people(session: Session, *, after: str = "", limit: int = 100) -> list[Person]:
    """The directory by subject, behind `after`."""
    return store.page(session, after=after, limit=limit)


def staff(session: Session) -> tuple[Person, ...]:
    """Everybody active of our own company."""
    return store.of_company(session, "")


def givers(session: Session, company: str) -> tuple[Person, ...]:
    """The active people of a company who have decisions to hand over, by subject; an empty one is ours."""
    return tuple(person for person in store.of_company(session, company) if has_decisions(person))


def takers(session: Session, company: str) -> tuple[Person, ...]:
    """Who could stand in for somebody of a company, by subject."""
    everybody = store.of_company(session, company)
    return tuple(
        taker
        for taker in everybody
        if any(giver.sub != taker.sub and could_stand_in(giver, taker) for giver in everybody)
    )


def delegates_of(session: Session, sub: str) -> tuple[Person, ...]:
    """Who may stand in for somebody, by subject; nobody for who is not in the directory."""
    giver = store.find(session, sub)
    if giver is None:
        return ()
    found = store.of_company(session, giver.company)
    return tuple(person for person in found if person.sub != sub and could_stand_in(giver, person))


def names_of(session: Session, subs: Collection[str]) -> dict[str, str]:
    """Subject → name, of those whom the directory knows by one; inactive people keep theirs."""
    return {sub: person.name for sub, person in store.of_subs(session, subs).items() if person.name}


def delegate(session: Session, wanted: Delegation, caller: Caller, now: datetime) -> Delegation:
    """Hand decisions over; the id is given here. An administrator may do so for others, and is named as who did.

    NotPermitted for somebody else's decisions, to oneself, to another company or to who could not hold them, NotFound for people who are not in the directory,
    Refused DELEGATION_CYCLE and PERSON_INACTIVE.
    """
    _check_own(wanted, caller)
    store.lock_delegations(session, [wanted.from_sub, wanted.to_sub])
    known = store.of_subs(session, [wanted.from_sub, wanted.to_sub])
    for sub in (wanted.from_sub, wanted.to_sub):
        if sub not in known:
            raise NotFound("PERSON_UNKNOWN", "there is no such person in the directory: check the name")
        if not known[sub].is_active:
            raise Refused("PERSON_INACTIVE", "an inactive person neither gives nor takes a delegation")
    if known[wanted.from_sub].company != known[wanted.to_sub].company:
        raise NotPermitted("DELEGATION_ABROAD", "decisions are handed over within one company only")
    giver, taker = known[wanted.from_sub], known[wanted.to_sub]
    check_delegation(wanted, giver, taker, store.standing_delegations(session, now))
    by = caller.principal.sub
    made = replace(wanted, delegation_id=new_id("del"), revoked_at=None, created_by=by, created_at=now)
    store.add_delegation(session, made, by, now)
    if by != wanted.from_sub:
        note_access(session, "delegated", wanted.to_sub, by, now, {"acting_for": ["", wanted.from_sub]})
    return made


def revoke(session: Session, delegation_id: str, caller: Caller, now: datetime) -> Delegation:
    """End a delegation now; a second time changes nothing. Somebody else's is not found, but for an administrator."""
    found = store.delegation(session, delegation_id)
    if caller.reach != "all" and caller.principal.sub != found.from_sub:
        raise NotFound("DELEGATION_UNKNOWN", "there is no such delegation of yours: list yours")
    store.revoke(session, delegation_id, now)
    return store.delegation(session, delegation_id)


def list_delegations(session: Session, caller: Caller, *, after: str = "", limit: int = 100) -> list[Delegation]:
    """Delegations by id, behind `after`: all for who sees all, else those that one gave or was given."""
    sub = "" if caller.reach == "all" else caller.principal.sub
    return store.delegation_page(session, sub=sub, after=after, limit=limit)


def _check_own(wanted: Delegation, caller: Caller) -> None:
    sub = caller.principal.sub
    if sub != wanted.from_sub and caller.reach != "all":
        raise NotPermitted("NOT_YOUR_DECISIONS", "only your own decisions are yours to hand over: ask an administrator")
    if sub == wanted.to_sub != wanted.from_sub:
        raise NotPermitted("DELEGATION_TAKEN", "nobody takes another's decisions for themselves: ask who holds them")
