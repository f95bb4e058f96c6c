"""The money of one order, read together."""

from datetime import datetime

from sqlmodel import Session

from services.billing.domain.cards import card_money
from services.billing.domain.credit import CARD, OrderMoney
from services.billing.store import authorizations, credit, deposits, families, invoices, operations, waits
from services.kernel.money import Money


def read(session: Session, order_id: str, currency: str, now: datetime) -> OrderMoney:
    """What billing knows of an order; zeros for one that it has never heard of."""
    waiting = waits.of_order(session, order_id)
    account = credit.account(session, waiting.request.customer_id, currency) if waiting else None
    written_off, credited = invoices.not_owed(session, order_id, currency)
    held, cash = credit.commitment(session, order_id), deposits.cash_of(session, order_id, currency)
    return OrderMoney(
        committed=held.remaining if held else Money.zero(currency),
        held=cash.held,
        invoiced=invoices.billed_total(session, order_id, currency),
        paid=cash.paid,
        waiting=waiting,
        is_stopped=account is not None and families.is_stopped(session, account, now),
        credited=credited,
        written_off=written_off,
        discount_taken=invoices.discounts_taken(session, order_id, currency),
        card=card_money(
            authorizations.of_order(session, order_id),
            operations.of_order(session, order_id),
            currency,
            is_by_card=CARD in (held.payment_method if held else "", waiting.request.payment_method if waiting else ""),
        ),
    )
