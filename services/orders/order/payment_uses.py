"""The orders that a payment names: they exist, are the payer's, and are in the payment's currency."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session

from services.kernel.errors import Refused
from services.orders.domain.access import EVERYTHING
from services.orders.order import lookup


def orders_of(session: Session, customer_id: str, named: Mapping[str, str]) -> dict[str, str]:
    """Name given → order id; `named` is name (id or number) → the currency of its part.

    NotFound for an order that does not exist; Refused ORDER_OF_ANOTHER_CUSTOMER and ORDER_CURRENCY_DIFFERS.
    """
    return {name: _order_of(session, customer_id, name, currency) for name, currency in named.items()}


def _order_of(session: Session, customer_id: str, name: str, currency: str) -> str:
    order = lookup.load_order(session, lookup.find_id(session, name), EVERYTHING)
    if customer_id not in (order.payer_id, order.customer_id):
        raise Refused(
            "ORDER_OF_ANOTHER_CUSTOMER",
            f"order {order.number} is not this customer's: name its own orders, or record the payment for whom it came from",
        )
    if order.currency != currency:
        raise Refused(
            "ORDER_CURRENCY_DIFFERS", f"order {order.number} is in {order.currency}: name a part of it in that currency"
        )
    return order.order_id
