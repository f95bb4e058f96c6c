"""Customers: the accounts that orders are placed for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import InvalidArgument, Refused
from services.orders.domain.access import Scope
from services.orders.domain.masterdata import Customer
from services.orders.masterdata import taxes
from services.orders.order import exceptions
from services.orders.store import masterdata as store
from services.orders.store import orders_of_customer
from services.runtime.business_days import check_place
from services.runtime.versioned import is_unchanged


def put_customer(
    session: Session,
    customer: Customer,
    who: str,
    now: datetime,
    expected: int | None = None,
    *,
    has_new_limit: bool = False,
) -> Customer:
    """Keep a customer account; an earlier one of the same id is replaced, placed orders keep their snapshot.

    The same account again changes nothing, unless its credit limit is a new one: that is billing's, and counts as a version
    here. Refused VERSION_STALE for another version than the `expected` one, InvalidArgument CALENDAR_UNKNOWN.
    """
    check_place(customer.calendar)
    taxes.check_tax_id(session, customer.tax_id)
    known = store.known_skus(session, customer.free_multiple_skus) if customer.free_multiple_skus else {}
    kept = replace(customer, free_multiple_skus=tuple(known[sku] for sku in customer.free_multiple_skus))
    stored = store.find_customer(session, kept.customer_id)
    if stored is not None and not has_new_limit and is_unchanged(stored, kept, expected):
        return stored
    kept = store.put_customer(session, kept, who, now, expected)
    exceptions.resolve_reachable(session, kept, now)
    return kept


def check_bill_to(session: Session, wanted: Customer) -> None:
    """Refuse to bill to nobody, in another currency, or to an account that is itself billed elsewhere."""
    if not wanted.bill_to_id:
        return
    payer = store.find_customer(session, wanted.bill_to_id)
    if payer is None or payer.currency != wanted.currency:
        raise InvalidArgument(
            "BILL_TO_UNKNOWN",
            f"there is no customer {wanted.bill_to_id} that pays in {wanted.currency}: check bill_to_id",
        )
    if payer.bill_to_id:
        raise InvalidArgument(
            "BILL_TO_BILLED_ELSEWHERE", f"{payer.customer_id} is itself billed to {payer.bill_to_id}: name that account"
        )
    if store.billed_to(session, wanted.customer_id):
        raise InvalidArgument(
            "BILL_TO_BILLED_ELSEWHERE",
            f"others are billed to {wanted.customer_id}, which so cannot be billed elsewhere",
        )


def find_customer(session: Session, customer_id: str) -> Customer | None:
    """The customer; None when it does not exist."""
    return store.find_customer(session, customer_id)


def other_currency(session: Session, wanted: Customer) -> Customer | None:
    """The customer as it stands, when it would get another currency; None when it stays, or is new.

    Refused CURRENCY_IN_USE while it has an order that lives, and while others are billed to it, who order in its currency.
    """
    known = store.find_customer(session, wanted.customer_id)
    if known is None or known.currency == wanted.currency:
        return None
    if open_orders := orders_of_customer.living(session, known.customer_id):
        raise currency_in_use(known, f"has open orders in {known.currency} ({', '.join(open_orders)})")
    if others := store.billed_to(session, known.customer_id):
        raise currency_in_use(known, f"is billed for {', '.join(others)} in {known.currency}")
    return known


def currency_in_use(known: Customer, why: str = "") -> Refused:
    """The refusal of another currency, with what is counted in this one; without that it owes in it."""
    why = why or f"owes {known.currency}"
    return Refused("CURRENCY_IN_USE", f"{known.customer_id} {why}: settle that first, or open another account")


def get_customer(session: Session, customer_id: str, scope: Scope) -> Customer:
    """The customer; NotFound when it does not exist or the scope hides it."""
    return store.customer(session, customer_id, scope)


def find_named(session: Session, typed: str) -> list[Customer]:
    """The customer of this id, else those of this name however it is written, by id, at most 10."""
    known = store.find_customer(session, typed)
    return [known] if known else store.customers_named(session, typed)


def names_of(session: Session, customer_ids: Collection[str]) -> dict[str, str]:
    """Customer id → name, of those that exist."""
    return {key: one.name for key, one in store.customers_of(session, customer_ids).items()} if customer_ids else {}


def list_customers(session: Session, scope: Scope, *, after: str = "", limit: int = 100) -> list[Customer]:
    """Customers by id, behind `after`."""
    return store.customers(session, scope, after=after, limit=limit)
