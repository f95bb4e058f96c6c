"""Evaluating an order as it is, or as a change will make it: the policy in force, its rules and its approval matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from sqlmodel import Session

from services.orders.domain.cancelled_units import as_asked
from services.orders.domain.exchange import NO_RATES
from services.orders.domain.matrix import Hit
from services.orders.domain.order import Order
from services.orders.domain.policies import Policy, Violation
from services.orders.domain.verdicts import key_of
from services.orders.policies import engine, versions
from services.orders.policies.engine import Amounts, Credit, CustomerHistory, Evidence
from services.orders.store import exchange, order_history
from services.orders.store import masterdata as master_store
from services.runtime import sessions


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the policy in force says of an order: violations of its rules, and what its matrix asks people."""

    policy: Policy
    violations: tuple[Violation, ...]
    hits: tuple[Hit, ...]


def evaluate(session: Session, order: Order, credit: Credit, now: datetime, policy: Policy | None = None) -> Evaluation:
    """The evaluation, under the policy in force unless another one is given; the order need not be stored as it is given.

    Of an order with cancelled units only that is said which is true of what was asked, too: no minimum is judged again, and no hold
    goes because less is wanted of it. Lines that are cancelled whole are not looked at.
    """
    policy = policy or versions.policy_in_force(session)
    if order.is_exchange:
        return _of_exchange(_evaluate(session, policy, order, credit, now))
    left = replace(order, lines=tuple(line for line in order.lines if line.quantity))
    found = _evaluate(session, policy, left, credit, now)
    if not any(line.cancelled for line in order.lines):
        return found
    said = {key_of(one) for one in _evaluate(session, policy, as_asked(order), credit, now).violations}
    return replace(found, violations=tuple(one for one in found.violations if key_of(one) in said))


def _of_exchange(found: Evaluation) -> Evaluation:
    """Whoever authorized the return let its replacement go: only its security is judged."""
    about_credit = {rule.code for rule in found.policy.rules if "credit." in rule.when}
    return Evaluation(found.policy, tuple(one for one in found.violations if one.code in about_credit), ())


def _evaluate(session: Session, policy: Policy, order: Order, credit: Credit, now: datetime) -> Evaluation:
    skus = [line.sku for line in order.lines]
    today = sessions.business_day(session, now)
    currency = policy.currency or sessions.currency(session)
    evidence = Evidence(
        order=order,
        customer=master_store.customer(session, order.customer_id),
        products=master_store.products_of(session, skus),
        agreements=master_store.agreements_of(session, order.customer_id, skus),
        credit=credit,
        duplicates=order_history.duplicates(session, order),
        today=today,
        time_zone=sessions.time_zone(session),
        history=_history(session, policy, order),
        sku_quantities=order.units_by_sku(),
        currency=currency,
        rates=exchange.rates_of(session, [order.currency], today) if order.currency != currency else NO_RATES,
    )
    verdicts = engine.evaluate(policy, evidence)
    return Evaluation(policy, verdicts.violations, verdicts.hits)


def amounts_of(session: Session, policy: Policy, currency: str, now: datetime) -> Amounts | None:
    """What amounts of a currency are in the policy's; None when no rate is known."""
    of_policy = policy.currency or sessions.currency(session)
    if currency == of_policy:
        return Amounts(currency, currency, Fraction(1))
    rates = exchange.rates_of(session, [currency], sessions.business_day(session, now))
    factor = rates.factor(currency, of_policy)
    return Amounts(currency, of_policy, factor) if factor is not None else None


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
