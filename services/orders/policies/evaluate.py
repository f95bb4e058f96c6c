"""Evaluating an order as it is, or as a change will make it: the policy in force, its rules and its approval matrix."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.orders.domain.matrix import Hit
from services.orders.domain.order import Order
from services.orders.domain.policies import Policy, Violation
from services.orders.policies import engine, versions
from services.orders.policies.engine import Credit, CustomerHistory, Evidence
from services.orders.store import masterdata as master_store
from services.orders.store import order_history, orders


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the policy in force says of an order: violations of its rules, and what its matrix asks people."""

    policy: Policy
    violations: tuple[Violation, ...]
    hits: tuple[Hit, ...]


def evaluate(session: Session, order: Order, credit: Credit, now: datetime) -> Evaluation:
    """The evaluation; the order need not be stored as it is given."""
    policy = versions.policy_in_force(session)
    skus = [line.sku for line in order.lines]
    evidence = Evidence(
        order=order,
        customer=master_store.customer(session, order.customer_id),
        products=master_store.products_of(session, skus),
        agreements=master_store.agreements_of(session, order.customer_id, skus),
        credit=credit,
        duplicates=orders.duplicates(session, order),
        today=now.date(),
        history=_history(session, policy, order),
        sku_quantities=order.units_by_sku(),
    )
    verdicts = engine.evaluate(policy, evidence)
    return Evaluation(policy, verdicts.violations, verdicts.hits)


def _history(session: Session, policy: Policy, order: Order) -> CustomerHistory:
    """Only what a predicate of the policy looks at is asked of the database."""
    reads = engine.reads
    skus = [line.sku for line in order.lines]
    return CustomerHistory(
        window_minor=window_minor(session, policy, order) if reads(policy, "cumulative") else 0,
        order_count=order_history.order_count(session, order) if reads(policy, "order_count") else 0,
        usual_quantities=(
            order_history.usual_quantities(session, order, skus) if reads(policy, "usual_quantity") else {}
        ),
    )


def window_minor(session: Session, policy: Policy, order: Order) -> int:
    """What else of the customer counts together with the order, in minor units of its currency."""
    return order_history.window_minor(session, order, policy.window_hours)
