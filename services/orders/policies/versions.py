"""Policy versions: the newest stored one is in force, the built-in one until then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlmodel import Session

from services.orders.domain.matrix import carried
from services.orders.domain.policies import Policy, StoredPolicy, parse_policy
from services.orders.policies import calendars, costs, dry_run, engine
from services.orders.store import masterdata as store


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


def put_policy(session: Session, document: Mapping[str, Any], who: str, now: datetime) -> StoredPolicy:
    """Add a policy version that is in force at once; one that does not parse or that `check` refuses is not stored."""
    check(parse_policy(document, version=0))
    return store.add_policy(session, document, who, now)


def list_policies(session: Session, *, below: int | None = None, limit: int = 100) -> list[StoredPolicy]:
    """Stored versions, newest first; the built-in one is `engine.built_in()`."""
    return store.policies(session, below=below, limit=limit)


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
    return parse_policy(carried(found[0].document), found[0].version) if found else engine.built_in()
