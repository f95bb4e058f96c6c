"""The people directory and the delegations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, true, update
from sqlmodel import Session, col

from services.kernel.errors import NotFound
from services.orders.domain.people import Delegation, Person
from services.orders.models import DelegationRow, PersonRow
from services.runtime import versioned
from services.runtime.db import table_of

_PLAIN = ("name", "email", "company", "manager", "calendar", "is_active", "email_by", "authority_by", "authority_at")
_DELEGATION = (
    "delegation_id",
    "from_sub",
    "to_sub",
    "valid_from",
    "valid_to",
    "max_minor",
    "currency",
    "note",
    "revoked_at",
    "created_by",
    "created_at",
)
_FRESH = {"populate_existing": True}
_people = table_of(PersonRow)


def put(session: Session, person: Person, who: str, now: datetime, expected: int | None = None) -> Person:
    """Keep a person, replacing an earlier entry of the same subject; gives them with their version. Refused VERSION_STALE."""
    values: dict[str, Any] = {
        **{name: getattr(person, name) for name in _PLAIN},
        "roles": list(person.roles),
        "positions": list(person.positions),
        "limits": dict(person.limits),
        "changed_at": now,
        "changed_by": who,
    }
    return replace(person, version=versioned.put(session, _people, {"sub": person.sub}, values, expected))


def confirm_address(session: Session, sub: str) -> None:
    """Somebody has vouched for a person's address: from now on it is as if they had given it themselves."""
    confirmed = update(PersonRow).where(col(PersonRow.sub) == sub).values(email_by="")
    session.execute(confirmed, execution_options={"synchronize_session": False})


def find(session: Session, sub: str) -> Person | None:
    """The person of this subject; None when the directory does not know it."""
    return of_subs(session, [sub]).get(sub)


def of_subs(session: Session, subs: Collection[str]) -> dict[str, Person]:
    """Subject → person, for those in the directory."""
    if not subs:
        return {}
    query = select(PersonRow).where(col(PersonRow.sub).in_(sorted(set(subs))))
    return {row.sub: _person(row) for row in session.scalars(query, execution_options=_FRESH)}


def of_company(session: Session, company: str) -> tuple[Person, ...]:
    """Everybody active of a customer account, or of our staff when it is empty, by subject."""
    return of_companies(session, [company]).get(company, ())


def of_companies(session: Session, companies: Collection[str]) -> dict[str, tuple[Person, ...]]:
    """Company → its active people as of_company() gives them; companies without any are missing."""
    query = select(PersonRow).where(col(PersonRow.company).in_(sorted(companies)), col(PersonRow.is_active) == true())
    found: dict[str, tuple[Person, ...]] = {}
    for row in session.scalars(query.order_by(col(PersonRow.sub)), execution_options=_FRESH):
        found[row.company] = (*found.get(row.company, ()), _person(row))
    return found


def staff_of(session: Session, subs: Collection[str], emails: Collection[str]) -> tuple[Person, ...]:
    """Our people, active or not, who have one of these subjects or mail addresses (in any case)."""
    wanted = col(PersonRow.sub).in_(sorted(set(subs) - {""})) | func.lower(col(PersonRow.email)).in_(
        sorted({email.lower() for email in emails})
    )
    query = select(PersonRow).where(col(PersonRow.company) == "", wanted).order_by(col(PersonRow.sub))
    return tuple(_person(row) for row in session.scalars(query, execution_options=_FRESH))


def subs_by_calendar(session: Session, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Calendar → the active people who go by it, by subject; calendars that nobody goes by are missing."""
    query = select(col(PersonRow.calendar), col(PersonRow.sub)).where(
        col(PersonRow.calendar).in_(sorted(names)), col(PersonRow.is_active) == true()
    )
    found: dict[str, tuple[str, ...]] = {}
    for calendar, sub in session.execute(query.order_by(col(PersonRow.calendar), col(PersonRow.sub))):
        found[calendar] = (*found.get(calendar, ()), sub)
    return found


def page(session: Session, *, after: str = "", limit: int = 100) -> list[Person]:
    """The directory by subject, behind `after`."""
    query = select(PersonRow).where(col(PersonRow.sub) > after).order_by(col(PersonRow.sub)).limit(limit)
    return [_person(row) for row in session.scalars(query)]


def _person(row: PersonRow) -> Person:
    return Person(
        sub=row.sub,
        version=row.version,
        **{name: getattr(row, name) for name in _PLAIN},
        roles=tuple(row.roles),
        positions=tuple(row.positions),
        limits=dict(row.limits),
    )


def add_delegation(session: Session, delegation: Delegation, who: str, now: datetime) -> None:
    """Keep a delegation; `who` made it."""
    values = {name: getattr(delegation, name) for name in _DELEGATION}
    values |= {"positions": list(delegation.positions), "created_at": now, "created_by": who}
    session.execute(insert(DelegationRow).values(**values))


def lock_delegations(session: Session, subs: Sequence[str]) -> None:
    """Take these people's rows, so that no two delegations that would close a ring are made at once."""
    for sub in sorted(
        subs
    ):  # one after the other, always in this order: two who wait for each other would wait for ever
        taken = update(PersonRow).where(col(PersonRow.sub) == sub).values(sub=PersonRow.sub)
        session.execute(taken, execution_options={"synchronize_session": False})


def standing_delegations(session: Session, now: datetime) -> tuple[Delegation, ...]:
    """Every delegation that is in force or will be: neither over nor revoked, oldest first."""
    return _delegations(session, col(DelegationRow.revoked_at).is_(None), col(DelegationRow.valid_to) > now)


def delegations_to(session: Session, sub: str) -> tuple[Delegation, ...]:
    """Every delegation that somebody was ever given, over and revoked ones too, oldest first."""
    return _delegations(session, col(DelegationRow.to_sub) == sub)


def delegation_page(session: Session, *, sub: str = "", after: str = "", limit: int = 100) -> list[Delegation]:
    """Delegations by id, behind `after`; of or for one person when a subject is given."""
    concerns = (col(DelegationRow.from_sub) == sub) | (col(DelegationRow.to_sub) == sub)
    query = select(DelegationRow).where(col(DelegationRow.delegation_id) > after)
    query = query.where(concerns) if sub else query
    ordered = query.order_by(col(DelegationRow.delegation_id)).limit(limit)
    return [_delegation(row) for row in session.scalars(ordered, execution_options=_FRESH)]


def delegation(session: Session, delegation_id: str) -> Delegation:
    """The delegation; NotFound when there is none of this id."""
    found = _delegations(session, col(DelegationRow.delegation_id) == delegation_id)
    if not found:
        raise NotFound("DELEGATION_UNKNOWN", "there is no such delegation: list yours")
    return found[0]


def revoke(session: Session, delegation_id: str, now: datetime) -> None:
    """End a delegation now; one that was revoked before keeps its instant."""
    statement = update(DelegationRow).where(
        col(DelegationRow.delegation_id) == delegation_id, col(DelegationRow.revoked_at).is_(None)
    )
    session.execute(statement.values(revoked_at=now), execution_options={"synchronize_session": False})


def _delegations(session: Session, *conditions: ColumnElement[bool]) -> tuple[Delegation, ...]:
    query = select(DelegationRow).where(*conditions)
    ordered = query.order_by(col(DelegationRow.created_at), col(DelegationRow.delegation_id))
    return tuple(_delegation(row) for row in session.scalars(ordered, execution_options=_FRESH))


def _delegation(row: DelegationRow) -> Delegation:
    return Delegation(**{name: getattr(row, name) for name in _DELEGATION}, positions=tuple(row.positions))
