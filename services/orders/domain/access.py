"""Whose orders a caller may know of; every query passes through a Scope."""

from __future__ import annotations

from dataclasses import dataclass

from services.kernel.errors import NotPermitted

STAFF_ROLES = ("support", "approver", "warehouse", "accounting", "manufacturing", "admin", "auditor", "service")
_PRECEDENCE = (
    "service",
    "admin",
    "approver",
    "accounting",
    "support",
    "sales_rep",
    "warehouse",
    "manufacturing",
    "channel",
    "customer",
    "auditor",
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Exactly one member is set: everything, one company, one sales representative's customers, or what one placed."""

    is_everything: bool = False
    company: str | None = None
    sales_rep: str | None = None
    placed_by: str | None = None


EVERYTHING = Scope(is_everything=True)


def scope_of(sub: str, roles: frozenset[str], company: str | None) -> Scope:
    """Staff see everything, a sales representative the assigned customers, a customer its own company, a channel its own.

    A caller with several roles gets the widest; a caller with none of them is NotPermitted.
    """
    if not roles.isdisjoint(STAFF_ROLES):
        return EVERYTHING
    if "sales_rep" in roles:
        return Scope(sales_rep=sub)
    if "customer" in roles and company:
        return Scope(company=company)
    if "channel" in roles:
        return Scope(placed_by=sub)
    raise NotPermitted("NO_ORDER_SCOPE", "your roles show you no orders: ask an administrator for one")


def acting_role(roles: frozenset[str]) -> str:
    """The one role named in the event log for a caller with several: the strongest."""
    return next((role for role in _PRECEDENCE if role in roles), "none")
