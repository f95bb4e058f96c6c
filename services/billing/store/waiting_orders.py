"""Orders that wait for their money, with the cash that has come for each."""

from datetime import datetime

from sqlmodel import Session

from services.billing.domain.credit import OrderCash, Waiting, WaitingOrder
from services.billing.store import credit, deposits, families, waits


def page(
    session: Session, *, customer_id: str, after: tuple[datetime, str] | None, limit: int, now: datetime
) -> list[WaitingOrder]:
    """Orders that wait, the longest first, behind this moment and order."""
    found = waits.page(session, customer_id=customer_id, after=after, limit=limit)
    cash: dict[str, OrderCash] = {}
    for currency in sorted({one.request.amount.currency for one in found}):
        ids = [one.request.order_id for one in found if one.request.amount.currency == currency]
        cash |= deposits.cash_of_orders(session, ids, currency)
    stopped = _stopped(session, found, now)
    return [
        WaitingOrder(one, cash[one.request.order_id], is_stopped=(one.request.customer_id, one.currency) in stopped)
        for one in found
    ]


def _stopped(session: Session, found: list[Waiting], now: datetime) -> set[tuple[str, str]]:
    """(customer, currency) of those that get no credit because of overdue invoices."""
    keys = {(one.request.customer_id, one.currency) for one in found}
    accounts = {key: credit.account(session, *key) for key in sorted(keys)}
    return {key for key, account in accounts.items() if account and families.is_stopped(session, account, now)}
