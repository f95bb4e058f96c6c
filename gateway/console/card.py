"""What is on an order's card, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.money import Money
from services.orders.domain.order import Order


@dataclass(frozen=True, slots=True)
class CardShown:
    """Authorized and not captured, captured, given back; how the card stands, and why it was declined."""

    authorized: Money
    captured: Money
    refunded: Money
    standing: str
    decline_reason: str


def card_of(order: Order, found: pb.GetOrderMoneyResponse) -> CardShown | None:
    """The card in what billing says of an order; None for one that is not paid by card."""
    if not order.pays_by_card:
        return None
    return CardShown(
        Money(found.authorized.minor_units, order.currency),
        Money(found.captured.minor_units, order.currency),
        Money(found.refunded.minor_units, order.currency),
        found.card,
        found.decline_reason.replace("_", " "),
    )
