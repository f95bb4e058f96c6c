"""Customers: the accounts that orders are placed for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.orders.domain.access import Scope
from services.orders.domain.masterdata import Customer
from services.orders.order import exceptions
from services.orders.store import masterdata as store


def put_customer(session: Session, customer: Customer, who: str, now: datetime) -> Customer:
    """Keep a customer account; an earlier one of the same id is replaced, placed orders keep their snapshot."""
    known = store.known_skus(session, customer.free_multiple_skus) if customer.free_multiple_skus else {}
    kept = replace(customer, free_multiple_skus=tuple(known[sku] for sku in customer.free_multiple_skus))
    store.put_customer(session, kept, who, now)
    exceptions.resolve_reachable(session, kept, now)
    return kept


def get_customer(session: Session, customer_id: str, scope: Scope) -> Customer:
    """The customer; NotFound when it does not exist or the scope hides it."""
    return store.customer(session, customer_id, scope)


def list_customers(session: Session, scope: Scope, *, after: str = "", limit: int = 100) -> list[Customer]:
    """Customers by id, behind `after`."""
    return store.customers(session, scope, after=after, limit=limit)
