"""Orders that wait for their money, with the cash that has come for each."""

from datetime import datetime

from sqlmodel import Session

from services.billing.domain.credit import OrderCash, OrderMoney
from services.billing.store import deposits, waits
from services.kernel.money import Money


def page(session: Session, *, customer_id: str, after: tuple[datetime, str] | None, limit: int) -> list[OrderMoney]:
    """The money of orders that wait, the longest first, behind this moment and order; nothing is said of what they committed."""
    found = waits.page(session, customer_id=customer_id, after=after, limit=limit)
    currencies = sorted({one.request.amount.currency for one in found})
    cash: dict[str, OrderCash] = {}
    for currency in currencies:
        ids = [one.request.order_id for one in found if one.request.amount.currency == currency]
        cash |= deposits.cash_of_orders(session, ids, currency)
    return [
        OrderMoney(Money.zero(of.held.currency), of.held, Money.zero(of.held.currency), of.paid, one)
        for one, of in ((one, cash[one.request.order_id]) for one in found)
    ]
