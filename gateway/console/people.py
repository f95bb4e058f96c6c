"""Who somebody is on a page: a person by name, a login only where the directory knows no name, a machine as what it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlmodel import Session

from services.orders.masterdata import people
from services.runtime.db import Database

MACHINE = "service"
_MACHINES = {"fulfillment": "Warehouse", "inventory": "Inventory", "billing": "Billing", "tax engine": "Tax engine"}
_SYSTEM = "System"


@dataclass(frozen=True, slots=True)
class People:
    """Login → name, for those of a page whom the directory knows."""

    names: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, login: str, role: str = "") -> str:
        """What somebody who acted in a role is called."""
        if role == MACHINE:
            return _MACHINES.get(login, _SYSTEM)
        return self.names.get(login) or login


def owners(session: Session, roles: Collection[str]) -> dict[str, str]:
    """Role → the names of our active people who have it; a role that nobody has is missing. No query without roles."""
    staff = people.staff(session) if roles else ()
    found = {role: ", ".join(each.name or each.sub for each in staff if role in each.roles) for role in roles}
    return {role: names for role, names in found.items() if names}


def people_of(database: Database, logins: Iterable[str]) -> People:
    """The people of a page, read at once."""
    with database.reading() as session:
        return People(people.names_of(session, set(logins)))
