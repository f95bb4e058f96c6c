"""Finding an order by what people call it, within what the caller may see, without reading all that is known about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlmodel import Session

from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.order import Order, OrderHead
from services.orders.store import orders as store
from services.orders.store import orders_of_customer


def find_id(session: Session, reference: str, scope: Scope = EVERYTHING) -> str:
    """The id of an order by its id or number; NotFound when it does not exist or the scope hides it."""
    return store.find_id(session, reference, scope)


def load_order(session: Session, order_id: str, scope: Scope) -> Order:
    """The order with its lines, as it was asked for; NotFound as in find_id()."""
    return store.load(session, order_id, scope)


def has_ended(session: Session, order_id: str, scope: Scope) -> bool:
    """Whether nothing more can happen to the order; NotFound as in find_id()."""
    return store.has_ended(session, order_id, scope)


def ended(session: Session, order_ids: Sequence[str]) -> list[str]:
    """Those of the ids whose order has ended or never was, in the order asked."""
    return store.ended(session, order_ids)


def living(session: Session, order_ids: Sequence[str], numbers: Sequence[str]) -> dict[str, str]:
    """Order id → number of each order, named by either, that has not ended."""
    return store.living(session, order_ids, numbers)


def newest_of(session: Session, customer_id: str) -> str:
    """The id of a customer's newest order; empty without one."""
    return orders_of_customer.newest_of(session, customer_id)


def number_of(session: Session, order_id: str) -> str:
    """The number that people and the order's workflow know it by."""
    return store.numbers(session, [order_id])[order_id]


def headed(session: Session, order_ids: Collection[str], scope: Scope = EVERYTHING) -> dict[str, OrderHead]:
    """Order id → what the order is called and whose it is, of those that exist and the scope shows."""
    return orders_of_customer.headed(session, order_ids, scope) if order_ids else {}


def numbers(session: Session, order_ids: Collection[str]) -> dict[str, str]:
    """Order id → number of those that exist."""
    return store.numbers(session, order_ids)
