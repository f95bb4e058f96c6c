"""Queries over the sourcing policy and the plans that were made under it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, tuple_
from sqlmodel import Session

from services.inventory.domain.tariffs import CustomerTerms, NodeTerms, SourcingPolicy
from services.inventory.store.tables import sourcing_plan, sourcing_policy
from services.runtime import versioned
from services.runtime.db import UtcDateTime

MOST_PLANS = 20

_POLICY = select(sourcing_policy).where(sourcing_policy.c.policy_id == "company")
_KEEP = insert(sourcing_plan)
_OF_ORDER = (
    select(sourcing_plan)
    .where(sourcing_plan.c.order_id == bindparam("order"))
    .order_by(sourcing_plan.c.planned_at.desc(), sourcing_plan.c.plan_id.desc())
    .limit(MOST_PLANS)
)
_BETWEEN = (
    select(sourcing_plan.c.plan_id, sourcing_plan.c.order_id, sourcing_plan.c.planned_at, sourcing_plan.c.given)
    .where(
        tuple_(sourcing_plan.c.planned_at, sourcing_plan.c.plan_id)
        > tuple_(bindparam("after_at", type_=UtcDateTime()), bindparam("after_id")),
        sourcing_plan.c.planned_at < bindparam("until", type_=UtcDateTime()),
    )
    .order_by(sourcing_plan.c.planned_at, sourcing_plan.c.plan_id)
    .limit(bindparam("most"))
)


def policy(session: Session) -> SourcingPolicy:
    """The policy in force; the one of version 0, which asks for nothing, before one was put."""
    row = session.execute(_POLICY).first()
    if row is None:
        return SourcingPolicy()
    nodes = tuple(NodeTerms(**node) for node in row.nodes)
    customers = tuple(
        CustomerTerms(**{**one, "preferred": tuple(one["preferred"]), "excluded": tuple(one["excluded"])})
        for one in row.customers
    )
    return SourcingPolicy(
        row.split_penalty_minor, row.late_day_minor, row.maximum_splits, nodes, customers, row.version
    )


def put_policy(session: Session, wanted: SourcingPolicy, expected: int | None = None) -> SourcingPolicy:
    """Put it in place of the one before; gives it with its version. Refused VERSION_STALE where another one stands."""
    values: dict[str, Any] = {
        "split_penalty_minor": wanted.split_penalty_minor,
        "late_day_minor": wanted.late_day_minor,
        "maximum_splits": wanted.maximum_splits,
        "nodes": [asdict(node) for node in wanted.nodes],
        "customers": [asdict(one) for one in wanted.customers],
    }
    version = versioned.put(session, sourcing_policy, {"policy_id": "company"}, values, expected)
    return replace(wanted, version=version)


def keep(
    session: Session,
    plan_id: str,
    order_id: str,
    plan: Mapping[str, Any],
    given: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    """Keep a plan as it was made, and what it was made from."""
    values = {"plan_id": plan_id, "order_id": order_id, "planned_at": now, "plan": dict(plan), "given": given}
    session.execute(_KEEP, values)


def plans_between(
    session: Session, after: tuple[datetime, str], until: datetime, most: int
) -> list[tuple[str, str, datetime, Any]]:
    """(Plan id, order id, when, what it was made from) of plans behind `after` and before `until`, oldest first."""
    values = {"after_at": after[0], "after_id": after[1], "until": until, "most": most}
    return [(row.plan_id, row.order_id, row.planned_at, row.given) for row in session.execute(_BETWEEN, values)]


def plans_of(session: Session, order_id: str) -> list[tuple[str, datetime, Mapping[str, Any]]]:
    """(plan id, when, plan) of an order, the newest first, at most MOST_PLANS."""
    return [(row.plan_id, row.planned_at, row.plan) for row in session.execute(_OF_ORDER, {"order": order_id})]
