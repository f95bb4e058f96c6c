"""What customers and orders are called that billing knows by their ids, read at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.console.visitor import Visitor
from services.kernel.errors import NotFound
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import OrderHead
from services.orders.masterdata import customers
from services.orders.order import lookup


@dataclass(frozen=True, slots=True)
class Names:
    """Customer id → name and order id → head, of those that a page shows."""

    customers: Mapping[str, str]
    orders: Mapping[str, OrderHead]

    def customer(self, customer_id: str) -> str:
        """Its name; its id where there is none."""
        return self.customers.get(customer_id) or customer_id

    def order(self, order_id: str) -> str:
        """Its number; its id where there is none."""
        head = self.orders.get(order_id)
        return head.number if head else order_id


def names_of(who: Visitor, customer_ids: Iterable[str], order_ids: Iterable[str] = ()) -> Names:
    """The names of these; the caller has closed its transaction."""
    with who.deps.database.reading() as session:
        heads = lookup.headed(session, set(order_ids) - {""})
        return Names(customers.names_of(session, set(customer_ids) - {""}), heads)


def known_customer(who: Visitor, typed: str) -> Customer:
    """The customer of this id, or of this whole name; NotFound says what to enter."""
    with who.deps.database.reading() as session:
        found = customers.find_named(session, typed)
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(one.customer_id for one in found[:5])
        raise NotFound("CUSTOMER_AMBIGUOUS", f"several customers are called so: enter one of {ids}")
    raise NotFound("CUSTOMER_NOT_FOUND", "there is no such customer: enter its id, such as cus_acme, or its whole name")


def choices(who: Visitor) -> list[Customer]:
    """The customers that a field suggests, at most 200."""
    with who.deps.database.reading() as session:
        return customers.list_customers(session, who.caller.scope, limit=200)
