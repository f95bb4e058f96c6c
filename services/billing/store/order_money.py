"""The money of one order, read together."""

from sqlmodel import Session

from services.billing.domain.credit import OrderMoney
from services.billing.store import credit, deposits, invoices, waits
from services.kernel.money import Money


def read(session: Session, order_id: str, currency: str) -> OrderMoney:
    """What billing knows of an order; zeros for one that it has never heard of."""
    held = credit.commitment(session, order_id)
    return OrderMoney(
        committed=held.remaining if held else Money.zero(currency),
        held=deposits.cash_of(session, order_id, currency).held,
        invoiced=invoices.billed_total(session, order_id, currency),
        paid=invoices.paid_total(session, order_id, currency),
        waiting=waits.of_order(session, order_id),
        discount_taken=invoices.discounts_taken(session, order_id, currency),
    )
