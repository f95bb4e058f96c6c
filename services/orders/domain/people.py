"""The people directory: who somebody is, what they may decide up to which amount, and who stands in for whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.kernel.errors import InvalidArgument, NotPermitted, Refused
from services.runtime.roles import AUTHORITY_ROLES, SELLER_DECIDERS, fallback, role_of


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who decides or is told, by the subject of their token.

    `positions` are the words that an approval matrix names ("manager", "finance_director"); `limits` is currency → minor units
    up to which they may decide, a currency that is missing is a limit of nothing. `company` is the customer account of a
    buyer's own approver, empty for our staff; `manager` is the subject that an escalation goes to; `calendar` names the
    policy's calendar of their business hours, empty for the policy's own. `version` counts what was stored of them.
    `email_by` is who changed their address, where that was not themselves and nobody has vouched for it since; `authority_by` and
    `authority_at` say who last gave them a right that decides, and when.
    """

    sub: str
    name: str
    email: str
    roles: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()
    company: str = ""
    manager: str = ""
    calendar: str = ""
    is_active: bool = True
    limits: Mapping[str, int] = field(default_factory=dict)
    version: int = field(default=0, compare=False)
    email_by: str = field(default="", compare=False)
    authority_by: str = field(default="", compare=False)
    authority_at: datetime | None = field(default=None, compare=False)

    def limit(self, currency: str) -> int:
        """Minor units of a currency up to which this person may decide; 0 where no limit is kept."""
        return self.limits.get(currency, 0)


@dataclass(frozen=True, slots=True)
class Delegation:
    """Somebody hands their decisions over from an instant until another (exclusive).

    No `positions` means all of them; without `max_minor` the delegator's own limit holds, else the lower of the two in
    `currency` and nothing in any other currency. `created_by` made it at `created_at`: the delegator, or an administrator.
    """

    delegation_id: str
    from_sub: str
    to_sub: str
    valid_from: datetime
    valid_to: datetime
    positions: tuple[str, ...] = ()
    max_minor: int | None = None
    currency: str = ""
    note: str = ""
    revoked_at: datetime | None = None
    created_by: str = field(default="", compare=False)
    created_at: datetime | None = field(default=None, compare=False)

    def is_in_force(self, now: datetime) -> bool:
        """Whether it counts at an instant."""
        return self.revoked_at is None and self.valid_from <= now < self.valid_to

    def covers(self, position: str) -> bool:
        """Whether decisions of a position were handed over; a step that names no position is covered by a delegation of all."""
        return not self.positions or position in self.positions

    def cap(self, limit: int, currency: str) -> int:
        """The delegator's limit, held down to what was handed over."""
        if self.max_minor is None:
            return limit
        return min(limit, self.max_minor) if currency == self.currency else 0


STRANGER = "somebody who is not in the directory"


def called(sub: str, names: Mapping[str, str], otherwise: str = STRANGER) -> str:
    """What a sentence calls somebody: by name, never by a login."""
    return names.get(sub) or otherwise


@dataclass(frozen=True, slots=True)
class AccessChange:
    """Who did what to whose access: `what` is entry_changed, delegated, password_link_sent or password_chosen.

    `detail` is member → [before, after] of an entry; there is no name, address or secret in it.
    """

    change_id: str
    occurred_at: datetime
    who: str
    sub: str
    what: str
    detail: Mapping[str, Any]


def both_names(who: str, acting_for: str, known: Mapping[str, Person]) -> str:
    """Who decided and for whom, by name where the directory has one: "Dan for Max"."""
    named = [known[sub].name if sub in known and known[sub].name else sub for sub in (who, acting_for) if sub]
    return " for ".join(named)


def could_hold(role: str, roles: Collection[str]) -> bool:
    """Whether somebody with these roles could be asked what a role is asked: they have it, or the role that acts for it.

    Authority has no substitute: an approver's or a buyer's decision is taken by another of them.
    """
    return role in roles or (role not in AUTHORITY_ROLES and fallback(role) in roles)


def has_decisions(person: Person) -> bool:
    """Whether somebody has decisions to hand over."""
    return any(_takes_steps(role) for role in person.roles)


def could_stand_in(giver: Person, taker: Person) -> bool:
    """Whether somebody may be handed another's decisions: all of the authority, else at least one of the roles."""
    if giver.company != taker.company or not taker.is_active:
        return False
    authority = AUTHORITY_ROLES & set(giver.roles)
    if authority:
        return authority <= set(taker.roles)
    return any(could_hold(role, taker.roles) for role in giver.roles if _takes_steps(role))


def _takes_steps(name: str) -> bool:
    role = role_of(name)
    return role.decides or role.owns_holds


def gains_authority(before: Person | None, after: Person) -> bool:
    """Whether an entry gives somebody what decides: a role, a position, a higher limit, or their rights back."""
    if not has_decisions(after) or not after.is_active:
        return False
    known = before if before is not None and before.is_active else Person(after.sub, "", "")
    gained = {role for role in after.roles if _takes_steps(role)} - set(known.roles)
    positions = set(after.positions) - set(known.positions)
    raised = [currency for currency, minor in after.limits.items() if minor > known.limit(currency)]
    return bool(gained or positions or raised or known.company != after.company)


def traced(before: Person | None, after: Person, who: str, now: datetime) -> Person:
    """The entry with who gave its rights and changed its address; what nobody touched keeps its trace."""
    known = before or Person(after.sub, "", after.email)
    is_moved = before is not None and known.email != after.email and who != after.sub
    gains = gains_authority(before, after)
    return replace(
        after,
        email_by=who if is_moved else known.email_by,
        authority_by=who if gains else known.authority_by,
        authority_at=now if gains else known.authority_at,
    )


def rights_changed(before: Person | None, after: Person) -> dict[str, list[object]]:
    """Member → [before, after], of what an entry changes of somebody's rights; of an address only that it changed."""
    known = before or Person(after.sub, "", "", is_active=False)
    found: dict[str, list[object]] = {}
    for name in ("roles", "positions", "limits", "company", "manager", "is_active"):
        if getattr(known, name) != getattr(after, name):
            found[name] = [getattr(known, name), getattr(after, name)]
    if before is not None and known.email != after.email:
        found["email"] = ["changed", "changed"]
    return found


def check_own_entry(before: Person | None, after: Person) -> None:
    """Refuse that somebody gives themselves what decides: a role, a position or a higher limit."""
    if gains_authority(before, after):
        raise NotPermitted(
            "OWN_AUTHORITY",
            "nobody gives themselves a role that decides, a position or a limit: ask another administrator",
        )


def check_person(person: Person) -> None:
    """InvalidArgument for somebody of a customer with a role of our staff, or of our staff with a customer's role."""
    if person.company and set(person.roles) != {"customer"}:
        raise InvalidArgument(
            "PERSON_OF_A_COMPANY", "a person of a customer account has the role customer and no other"
        )
    if not person.company and "customer" in person.roles:
        raise InvalidArgument("PERSON_WITHOUT_COMPANY", "a person with the role customer belongs to a customer account")
    if person.manager == person.sub:
        raise InvalidArgument("MANAGER_OF_ONESELF", "nobody is their own manager: name somebody else, or nobody")


def check_delegation(wanted: Delegation, giver: Person, taker: Person, others: Iterable[Delegation]) -> None:
    """InvalidArgument for one to oneself, of no time, or of positions the giver lacks; Refused DELEGATION_CYCLE when it closes a ring.

    NotPermitted DELEGATE_CANNOT_HOLD for somebody who could not hold the position themselves.

    `others` are all that are not revoked. A ring counts as one only where all its members overlap in time with the new one.
    """
    if wanted.from_sub == wanted.to_sub:
        raise InvalidArgument("DELEGATION_TO_SELF", "hand your decisions to somebody else")
    if wanted.valid_to <= wanted.valid_from:
        raise InvalidArgument(
            "DELEGATION_ENDS_BEFORE_IT_BEGINS", "it would end before it begins: choose a later last day"
        )
    if not could_stand_in(giver, taker):
        theirs = ", ".join(giver.positions or giver.roles) or "what is handed over"
        sentence = (
            f"{taker.name or STRANGER} could not hold {theirs}: hand it to somebody with the role {_wanted(giver)}"
        )
        raise NotPermitted("DELEGATE_CANNOT_HOLD", sentence.replace("_", " "))
    if foreign := set(wanted.positions) - set(giver.positions):
        theirs = ", ".join(giver.positions) or "none"
        raise InvalidArgument(
            "POSITION_NOT_HELD",
            f"{giver.name or STRANGER} does not hold {', '.join(sorted(foreign))} (positions held: {theirs}): choose among those, or name none for all",
        )
    at_once = [one for one in others if one.revoked_at is None and _overlap(one, wanted)]
    if wanted.from_sub in _reached(wanted.to_sub, at_once):
        raise Refused(
            "DELEGATION_CYCLE",
            f"{taker.name or STRANGER} already hands decisions over that end at {giver.name or STRANGER}: end that first",
        )


def _wanted(giver: Person) -> str:
    deciding = sorted(AUTHORITY_ROLES & set(giver.roles)) or [role for role in giver.roles if _takes_steps(role)]
    return " and ".join(deciding) or " or ".join(SELLER_DECIDERS)


def _overlap(one: Delegation, other: Delegation) -> bool:
    return one.valid_from < other.valid_to and other.valid_from < one.valid_to


def _reached(start: str, delegations: Sequence[Delegation]) -> set[str]:
    """Everybody who stands in for `start`, directly or through others."""
    found: set[str] = set()
    front = [start]
    while front:
        sub = front.pop()
        following = [one.to_sub for one in delegations if one.from_sub == sub and one.to_sub not in found]
        found.update(following)
        front.extend(following)
    return found
