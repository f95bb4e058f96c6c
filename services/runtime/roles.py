"""The roles of callers and readers: each defined once; every list of roles derives from here. Standard library only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Role:
    """What a role is and may.

    `rank` says which one of several the event log names: the highest. `mail_role` is whose mail texts it reads, empty when no mail
    is for it. Who `decides` may be asked by an approval matrix; without `has_authority` it is asked for what it knows, so no limit
    counts. Who `answers_own` is asked whatever they had to do with the order. Who `owns_holds` may be named by a rule; who
    `keeps_policies` owns the hold of a rule that cannot be evaluated and approves nothing. `is_named` where a customer reads who
    acted. The `fallback` acts, and may stand in, where the role resolves to nobody; empty for nobody else.
    """

    name: str
    rank: int
    is_staff: bool = False
    owns_holds: bool = False
    keeps_policies: bool = False
    decides: bool = False
    has_authority: bool = False
    answers_own: bool = False
    mail_role: str = ""
    sees_prices: bool = True
    sees_margin: bool = False
    is_named: bool = False
    fallback: str = ""


_DECIDER = Role("", 0, is_staff=True, owns_holds=True, decides=True, fallback="support")

ROLES = (
    Role("customer", 2, decides=True, has_authority=True, mail_role="customer", is_named=True),
    replace(
        _DECIDER, name="sales_rep", rank=6, mail_role="sales_rep", answers_own=True, sees_margin=True, is_named=True
    ),
    replace(_DECIDER, name="support", rank=7, mail_role="support", is_named=True, fallback="approver"),
    replace(_DECIDER, name="approver", rank=9, mail_role="approver", has_authority=True, sees_margin=True, fallback=""),
    Role(
        "accounting", 8, is_staff=True, owns_holds=True, mail_role="accounting", sees_margin=True, fallback="approver"
    ),
    replace(_DECIDER, name="warehouse", rank=5, mail_role="warehouse_manager", sees_prices=False, is_named=True),
    replace(_DECIDER, name="manufacturing", rank=4, mail_role="manufacturing", answers_own=True, sees_prices=False),
    Role("admin", 10, is_staff=True, keeps_policies=True, mail_role="admin", sees_margin=True, fallback="approver"),
    Role("auditor", 1, is_staff=True, sees_margin=True),
    Role("channel", 3, is_named=True),
    Role("service", 11, is_named=True),
)
"""In the order in which lists show them."""

_BY_NAME = {role.name: role for role in ROLES}


def role_of(name: str) -> Role:
    """The role of this name; raises ValueError for any other word."""
    role = _BY_NAME.get(name)
    if role is None:
        raise ValueError(f"{name[:40]!r} is no role: use one of {', '.join(_BY_NAME)}")
    return role


def names(is_wanted: Callable[[Role], bool]) -> tuple[str, ...]:
    """The names of the roles for which this is true."""
    return tuple(role.name for role in ROLES if is_wanted(role))


def highest(held: frozenset[str]) -> str:
    """The role of the highest rank among these; "none" where there is no role."""
    known = [_BY_NAME[name] for name in held if name in _BY_NAME]
    return max(known, key=lambda role: role.rank).name if known else "none"


def mail_role(name: str) -> str:
    """Whose mail texts a role reads; raises ValueError for a role that no mail is for, so that it never reads another's."""
    found = role_of(name).mail_role
    if not found:
        raise ValueError(f"no mail is for the role {name}: address somebody else")
    return found


def fallback(name: str) -> str:
    """The role that acts where this one resolves to nobody; empty for none."""
    return _BY_NAME[name].fallback if name in _BY_NAME else ""


ROLE_NAMES = frozenset(_BY_NAME)
PEOPLE_ROLES = ROLE_NAMES - {"service"}
"""Roles that a token of a person, or of a channel, may carry; a machine of ours carries service alone."""
DIRECTORY_ROLES = names(lambda role: role.is_staff or role.name == "customer")
"""Roles that somebody of the people directory may have."""
HOLD_OWNERS = names(lambda role: role.owns_holds or role.keeps_policies)
RULE_OWNERS = names(lambda role: role.owns_holds)
"""Roles that a rule of a policy may name as the owner of its hold."""
SELLER_DECIDERS = names(lambda role: role.decides and role.is_staff)
AUTHORITY_ROLES = frozenset(names(lambda role: role.has_authority))
KNOWLEDGE_ROLES = frozenset(names(lambda role: role.decides and not role.has_authority))
ANSWERS_OWN = names(lambda role: role.answers_own)
SEES_PRICES = frozenset(names(lambda role: role.sees_prices))
SEES_MARGIN = frozenset(names(lambda role: role.sees_margin))
NAMED_TO_CUSTOMERS = frozenset(names(lambda role: role.is_named))
MAIL_ROLES = frozenset(role.mail_role for role in ROLES if role.mail_role)
MAIL_ROLES_WITHOUT_PRICES = frozenset(role.mail_role for role in ROLES if role.mail_role and not role.sees_prices)
