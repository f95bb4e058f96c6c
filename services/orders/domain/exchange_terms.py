"""How an order is paid that replaces goods of a return."""

from __future__ import annotations

from services.orders.domain.order import CARD, EXCHANGED, Order

_ON_CREDIT = ("terms", "deposit")


def paid_by(original: Order, *, is_advance: bool, is_documented: bool) -> str:
    """The payment method, by how the goods were paid that are replaced.

    What came back pays for the same SKU. Another one is on credit if they were, else what they left of cash pays it, and the
    customer the rest before it leaves. Goods in advance are secured by the card, by credit, or by cash.
    """
    if not is_advance and not is_documented:
        return EXCHANGED
    if original.payment_method in _ON_CREDIT:
        return "terms"
    return CARD if is_advance and original.pays_by_card else "prepaid"
