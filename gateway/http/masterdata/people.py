"""The people directory, and handing decisions over to somebody else for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import Session

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.editing import ETAG, SeenVersion, StoredVersion, merged, on_newest, partial, tag
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import (
    SUBJECT,
    Input,
    Instant,
    MoneyInput,
    Name,
    OptionalEmail,
    Subject,
    Switch,
    Text,
    example,
)
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from gateway.http.plumbing.parameters import path_id
from gateway.http.plumbing.shapes import MoneyShape, rfc3339
from services.kernel.errors import NotFound
from services.kernel.money import Money
from services.orders.access.matrix import Caller
from services.orders.approvals import enough_people
from services.orders.domain.people import AccessChange, Delegation, Person
from services.orders.masterdata import people
from services.runtime.roles import DIRECTORY_ROLES

router = APIRouter(tags=["people"])

Position = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$", max_length=40)]
OptionalSubject = Annotated[str, StringConstraints(pattern=f"^$|{SUBJECT}", max_length=128)]
OptionalWord = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]{0,39})?$", max_length=40)]
if TYPE_CHECKING:
    Role = str
else:
    Role = Literal[DIRECTORY_ROLES]


class PersonInput(Input):
    """Somebody who decides or is told; the same subject replaces it, and what is left out is taken away."""

    sub: Subject = Field(description="The subject of their token.")
    name: Name
    email: OptionalEmail = ""
    roles: Annotated[list[Role], Field(min_length=1, max_length=9)]
    positions: Annotated[list[Position], Field(max_length=20)] = Field(
        default=[], description="Words of the approval matrix, such as manager or finance_director."
    )
    company: OptionalSubject = Field(default="", description="The customer account of a buyer's own approver.")
    manager: OptionalSubject = Field(default="", description="Whom an escalation goes to.")
    calendar: OptionalWord = Field(default="", description="Their business hours, by the name of a policy's calendar.")
    limits: Annotated[list[MoneyInput], Field(max_length=50)] = Field(
        default=[], description="Up to which amount they may decide; a currency that is missing is nothing."
    )
    is_active: Switch = True
    version: SeenVersion = None

    model_config = example(
        sub="chief.ortega",
        name="Ana Ortega",
        email="ana.ortega@northgate.example",
        roles=["approver"],
        positions=["sales_manager"],
        manager="helen.park",
        limits=[{"amount": "25000.00", "currency": "USD"}],
    )


if TYPE_CHECKING:
    PersonPatch = Input
else:
    PersonPatch = partial("PersonPatch", PersonInput, ("sub",), sub="chief.ortega", positions=["sales_manager"])


class PersonShape(BaseModel):
    """Somebody in the directory."""

    sub: str
    name: str
    email: str
    roles: list[str]
    positions: list[str]
    company: str
    manager: str
    calendar: str
    limits: list[MoneyShape]
    is_active: bool
    version: StoredVersion


class DelegationInput(Input):
    """Your decisions in somebody else's hands, from an instant until another; an administrator may name whose."""

    from_sub: Subject | None = Field(default=None, description="Whose decisions; yours, when left out.")
    to_sub: Subject
    valid_from: Instant
    valid_to: Instant = Field(description="Exclusive.")
    positions: Annotated[list[Position], Field(max_length=20)] = Field(
        default=[], description="Only decisions of these positions; all, when empty."
    )
    maximum: MoneyInput | None = Field(default=None, description="Up to this amount, if your own limit is not lower.")
    note: Text = ""

    model_config = example(
        to_sub="omar.reyes",
        valid_from="2026-12-21T00:00:00Z",
        valid_to="2027-01-04T00:00:00Z",
        maximum={"amount": "10000.00", "currency": "USD"},
        note="on leave",
    )


class DelegationShape(BaseModel):
    """Decisions handed over."""

    delegation_id: str
    from_sub: str
    to_sub: str
    valid_from: str
    valid_to: str
    positions: list[str]
    maximum: MoneyShape | None
    note: str
    revoked_at: str | None


@router.get("/v1/people")
def list_people(deps: DepsOf, _who: CallerOf, paging: PagingOf) -> Page[PersonShape]:
    """The directory by subject: who may decide what, up to which amount."""
    with deps.database.reading() as session:
        found = people.list_people(session, after=paging.after("people"), limit=paging.limit + 1)
    page, next_cursor = cut(found, paging.limit, lambda row: sealed("people", row.sub))
    return Page(rows=[_person_shape(row) for row in page], next_cursor=next_cursor)


@router.post("/v1/people", response_model=PersonShape)
def put_person(deps: DepsOf, who: CallerOf, body: PersonInput, once: OnceOf, if_match: IfMatch) -> Response:
    """Enter somebody, or replace their entry; is_active false takes every right at once."""

    def put(session: Session) -> PersonShape:
        expected = expected_version(body.version, if_match)
        kept = people.put_person(session, _person(body), who.principal.sub, deps.clock(), expected)
        enough_people.recheck(session, deps.contacts, deps.clock())
        return _person_shape(kept)

    return once.answer_here(body, put)


@router.patch("/v1/people", responses=ETAG)
def change_person(deps: DepsOf, who: CallerOf, body: PersonPatch, if_match: IfMatch, response: Response) -> PersonShape:
    """Change what is named of somebody's entry; everything else of it stays. A list that is named is the whole list."""
    sent = body.model_dump(exclude_unset=True)
    expected = expected_version(sent.get("version"), if_match)

    def edit() -> PersonShape:
        with deps.database.transaction() as session:
            stands = people.find_person(session, sent["sub"])
            if stands is None:
                raise NotFound("PERSON_UNKNOWN", "there is no such person in the directory: POST them first")
            whole = _person(merged(_person_shape(stands), body, PersonInput))
            seen = stands.version if expected is None else expected
            kept = people.put_person(session, whole, who.principal.sub, deps.clock(), seen)
            enough_people.recheck(session, deps.contacts, deps.clock())
            return _person_shape(kept)

    changed = on_newest(edit, expected)
    tag(response, changed.version)
    return changed


class AccessChangeShape(BaseModel):
    """Something that was done to somebody's rights or password."""

    change_id: str
    occurred_at: str
    who: str = Field(description="Who did it.")
    sub: str = Field(description="To whom.")
    what: str = Field(description="entry_changed, delegated, password_link_sent or password_chosen.")
    detail: dict[str, list[Any]] = Field(description="Member of the entry → before and after.")


@router.get("/v1/people/changes")
def list_access_changes(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    sub: Annotated[Subject | None, Query(description="Only what this person did, or what was done to them.")] = None,
) -> Page[AccessChangeShape]:
    """Who gave or took whose roles, positions and limits, and who asked for whose password, oldest first."""
    with deps.database.reading() as session:
        found = people.list_access_changes(session, sub=sub or "", after=paging.after("access"), limit=paging.limit + 1)
    page, next_cursor = cut(found, paging.limit, lambda row: sealed("access", row.change_id))
    return Page(rows=[_change_shape(row) for row in page], next_cursor=next_cursor)


def _change_shape(change: AccessChange) -> AccessChangeShape:
    return AccessChangeShape(
        change_id=change.change_id,
        occurred_at=rfc3339(change.occurred_at),
        who=change.who,
        sub=change.sub,
        what=change.what,
        detail={name: list(both) for name, both in change.detail.items()},
    )


@router.get("/v1/delegations")
def list_delegations(deps: DepsOf, who: CallerOf, paging: PagingOf) -> Page[DelegationShape]:
    """Delegations that you gave or were given; all of them for administrators and auditors."""
    with deps.database.reading() as session:
        found = people.list_delegations(session, who, after=paging.after("delegations"), limit=paging.limit + 1)
    page, next_cursor = cut(found, paging.limit, lambda row: sealed("delegations", row.delegation_id))
    return Page(rows=[_delegation_shape(row) for row in page], next_cursor=next_cursor)


@router.post("/v1/delegations", response_model=DelegationShape, status_code=201)
def delegate_approvals(deps: DepsOf, who: CallerOf, body: DelegationInput, once: OnceOf) -> Response:
    """Hand your decisions over. They are never passed on further, and both names stand in the log of each decision."""

    def hand_over(session: Session) -> DelegationShape:
        made = people.delegate(session, _delegation(body, who), who, deps.clock())
        enough_people.recheck(session, deps.contacts, deps.clock())
        return _delegation_shape(made)

    return once.answer_here(body, hand_over, 201)


@router.post("/v1/delegations/{delegation_id}/revoke", response_model=DelegationShape)
def revoke_delegation(
    deps: DepsOf,
    who: CallerOf,
    once: OnceOf,
    delegation_id: Annotated[str, path_id("The delegation's id.")],
) -> Response:
    """Take your decisions back now; a second time changes nothing."""

    def take_back(session: Session) -> DelegationShape:
        ended = people.revoke(session, delegation_id, who, deps.clock())
        enough_people.recheck(session, deps.contacts, deps.clock())
        return _delegation_shape(ended)

    return once.answer_here(None, take_back)


def _person(body: PersonInput) -> Person:
    limits = [Money.parse(limit.amount, limit.currency) for limit in body.limits]
    plain = body.model_dump(exclude={"version", "roles", "positions", "limits"})
    return Person(
        **plain,
        roles=tuple(dict.fromkeys(body.roles)),
        positions=tuple(dict.fromkeys(body.positions)),
        limits={limit.currency: limit.minor for limit in limits},
    )


def _person_shape(person: Person) -> PersonShape:
    return PersonShape(
        sub=person.sub,
        name=person.name,
        email=person.email,
        roles=list(person.roles),
        positions=list(person.positions),
        company=person.company,
        manager=person.manager,
        calendar=person.calendar,
        limits=[MoneyShape.of_minor(minor, currency) for currency, minor in sorted(person.limits.items())],
        is_active=person.is_active,
        version=person.version,
    )


def _delegation(body: DelegationInput, who: Caller) -> Delegation:
    maximum = Money.parse(body.maximum.amount, body.maximum.currency) if body.maximum else None
    return Delegation(
        delegation_id="",
        from_sub=body.from_sub or who.principal.sub,
        to_sub=body.to_sub,
        valid_from=body.valid_from,
        valid_to=body.valid_to,
        positions=tuple(dict.fromkeys(body.positions)),
        max_minor=maximum.minor if maximum else None,
        currency=maximum.currency if maximum else "",
        note=body.note,
    )


def _delegation_shape(delegation: Delegation) -> DelegationShape:
    maximum = None
    if delegation.max_minor is not None:
        maximum = MoneyShape.of_minor(delegation.max_minor, delegation.currency)
    return DelegationShape(
        delegation_id=delegation.delegation_id,
        from_sub=delegation.from_sub,
        to_sub=delegation.to_sub,
        valid_from=rfc3339(delegation.valid_from),
        valid_to=rfc3339(delegation.valid_to),
        positions=list(delegation.positions),
        maximum=maximum,
        note=delegation.note,
        revoked_at=rfc3339(delegation.revoked_at) if delegation.revoked_at else None,
    )
