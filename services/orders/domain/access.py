"""Whose orders a caller may know of; every query passes through a Scope."""

from __future__ import annotations

from dataclasses import dataclass

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


def acting_role(roles: frozenset[str]) -> str:
    """The one role named in the event log for a caller with several: the strongest."""
    return next((role for role in _PRECEDENCE if role in roles), "none")
