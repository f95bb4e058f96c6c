"""Master data: what administrators keep and everybody's orders are checked against."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlmodel import Session

from services.kernel.errors import InvalidArgument
from services.orders import calendars, rules, trial
from services.orders.domain.access import Scope
from services.orders.domain.master import Customer, PriceAgreement, Product
from services.orders.domain.policies import Policy, parse_policy
from services.orders.store import master as store
from services.orders.store.master import StoredPolicy


def put_customer(session: Session, customer: Customer, who: str, now: datetime) -> Customer:
    """Keep a customer account; an earlier one of the same id is replaced, placed orders keep their snapshot."""
    store.put_customer(session, customer, who, now)
    return customer


def get_customer(session: Session, customer_id: str, scope: Scope) -> Customer:
    """The customer; NotFound when it does not exist or the scope hides it."""
    return store.customer(session, customer_id, scope)


def list_customers(session: Session, scope: Scope, *, after: str = "", limit: int = 100) -> list[Customer]:
    """Customers by id, behind `after`."""
    return store.customers(session, scope, after=after, limit=limit)


def put_product(session: Session, product: Product, who: str, now: datetime) -> Product:
    """Keep a SKU; list price and standard cost must be of one currency."""
    price, cost = product.list_price, product.standard_cost
    if price and cost and price.currency != cost.currency:
        raise InvalidArgument("CURRENCY_MIXED", "list price and standard cost must be in one currency")
    store.put_product(session, product, who, now)
    return product


def list_products(session: Session, *, after: str = "", limit: int = 100) -> list[Product]:
    """The catalogue by SKU, behind `after`."""
    return store.products(session, after=after, limit=limit)


def put_agreement(session: Session, agreement: PriceAgreement, who: str, now: datetime) -> PriceAgreement:
    """Keep a price agreement in the customer's currency; NotFound for an unknown customer."""
    customer = store.customer(session, agreement.customer_id)
    if agreement.price.currency != customer.currency:
        raise InvalidArgument("CURRENCY_NOT_AGREED", f"prices of {customer.customer_id} are in {customer.currency}")
    store.put_agreement(session, agreement, who, now)
    return agreement


def list_agreements(
    session: Session,
    scope: Scope,
    *,
    customer_id: str = "",
    after: tuple[str, str, str] = ("", "", ""),
    limit: int = 100,
) -> list[PriceAgreement]:
    """Agreements by customer, SKU and first day, behind `after` (customer id, SKU, ISO day)."""
    return store.agreements(session, scope, customer_id=customer_id, after=after, limit=limit)


def put_policy(session: Session, document: Mapping[str, Any], who: str, now: datetime) -> StoredPolicy:
    """Add a policy version that is in force at once.

    A rule that does not parse or compile, asks for what is not there or gives no true or false is refused by its code.
    """
    policy = parse_policy(document, version=0)
    rules.check_compiles(policy)
    trial.check(policy)
    calendars.check_calendars(policy)
    return store.add_policy(session, document, who, now)


def list_policies(session: Session, *, below: int | None = None, limit: int = 100) -> list[StoredPolicy]:
    """Stored versions, newest first; the built-in one is `rules.built_in()`."""
    return store.policies(session, below=below, limit=limit)


def policy_in_force(session: Session) -> Policy:
    """The newest stored version, else the built-in one, which is version 0."""
    stored = store.newest_policy(session)
    return _parsed(*stored) if stored else rules.built_in()


@lru_cache(maxsize=16)
def _parsed(version: int, document: str) -> Policy:
    """Reading a policy takes longer than everything else that judging an order does."""
    return parse_policy(json.loads(document), version)


def policy_of(session: Session, version: int) -> Policy:
    """The policy that something was decided under."""
    found = store.policies(session, below=version + 1, limit=1) if version else []
    return parse_policy(found[0].document, found[0].version) if found else rules.built_in()
