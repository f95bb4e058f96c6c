"""Policy versions: the newest stored one is in force, the built-in one until then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlmodel import Session

from services.kernel.errors import Refused
from services.orders.domain.matrix import carried
from services.orders.domain.policies import Policy, StoredPolicy, parse_policy
from services.orders.policies import calendars, costs, dry_run, engine
from services.orders.store import masterdata as store
from services.orders.store import people


@lru_cache(maxsize=16)
def check(policy: Policy) -> None:
    """InvalidArgument POLICY_INVALID, by the rule's code: what does not compile, asks for what is not there, gives no true or false,
    costs more than is allowed, or cannot run on the largest order.

    Trying that takes its time: ask before a transaction begins; the answer is then known.
    """
    engine.check_compiles(policy)
    costs.check(policy)
    dry_run.check(policy)
    calendars.check_calendars(policy)
    costs.try_out(policy)


def put_policy(
    session: Session, document: Mapping[str, Any], who: str, now: datetime, expected: int | None = None
) -> StoredPolicy:
    """Add a policy version that is in force at once; Refused VERSION_STALE unless the `expected` one is in force until then.

    Who names that version and sends what it says adds none.

    Refused CALENDAR_IN_USE when somebody goes by a calendar that is gone. What does not parse or `check` refuses is not stored.
    """
    policy = parse_policy(document, version=0)
    check(policy)
    _check_calendars_in_use(session, policy)
    if expected is not None and _says_the_same(session, replace(policy, version=expected), document):
        return StoredPolicy(expected, document, now, who)
    return store.add_policy(session, document, who, now, expected)


def _check_calendars_in_use(session: Session, policy: Policy) -> None:
    """Refuse to take away a calendar that people's deadlines count by: another one would silently take its place."""
    gone = {rule.name for rule in policy_in_force(session).calendars if policy.calendar(rule.name) is None}
    using = people.subs_by_calendar(session, gone) if gone else {}
    if using:
        named = "; ".join(f"{name}: {', '.join(subs)}" for name, subs in using.items())
        raise Refused("CALENDAR_IN_USE", f"people go by calendars that this policy has not ({named}): give them others")


def _says_the_same(session: Session, policy: Policy, document: Mapping[str, Any]) -> bool:
    return policy == policy_in_force(session) and document.get("note", "") == note_in_force(session)


def list_policies(session: Session, *, below: int | None = None, limit: int = 100) -> list[StoredPolicy]:
    """Stored versions, newest first; the built-in one is `engine.built_in()`."""
    return store.policies(session, below=below, limit=limit)


def parsed(stored: StoredPolicy) -> Policy:
    """A stored version as it is read today."""
    return parse_policy(carried(stored.document), stored.version)


def note_in_force(session: Session) -> str:
    """What the author of the version in force wrote beside it."""
    newest = store.policies(session, limit=1)
    return str(newest[0].document.get("note", "")) if newest else ""


def policy_in_force(session: Session) -> Policy:
    """The newest stored version, else the built-in one, which is version 0."""
    stored = store.newest_policy(session)
    return _parsed(*stored) if stored else engine.built_in()


@lru_cache(maxsize=16)
def _parsed(version: int, document: str) -> Policy:
    """Reading a policy takes longer than everything else that evaluating an order does."""
    return parse_policy(carried(json.loads(document)), version)


def policy_of(session: Session, version: int) -> Policy:
    """The policy that something was decided under."""
    found = store.policies(session, below=version + 1, limit=1) if version else []
    return parsed(found[0]) if found else engine.built_in()


def policy_at(session: Session, then: datetime) -> Policy:
    """The policy that was in force at an instant."""
    found = store.policy_at(session, then)
    return parsed(found) if found else engine.built_in()
