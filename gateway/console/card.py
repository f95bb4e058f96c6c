"""What is on an order's card, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.http.plumbing.deps import Deps
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.money import Money
from services.orders.domain.order import Order
from services.runtime.grpc_client import Unreachable

_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class CardShown:
    """Authorized and not captured, captured, given back; how the card stands, and why it was declined."""

    authorized: Money
    captured: Money
    refunded: Money
    standing: str
    decline_reason: str


def card_of(deps: Deps, order: Order) -> CardShown | None:
    """The card of an order that is paid by one; None for others, and while billing does not answer."""
    if not order.pays_by_card:
        return None
    asked = pb.GetOrderMoneyRequest(order_id=order.order_id, currency=order.currency)
    try:
        found = deps.billing.GetOrderMoney(asked, timeout=_WITHIN_S)
    except Unreachable:
        return None
    return CardShown(
        Money(found.authorized.minor_units, order.currency),
        Money(found.captured.minor_units, order.currency),
        Money(found.refunded.minor_units, order.currency),
        found.card,
        found.decline_reason.replace("_", " "),
    )
