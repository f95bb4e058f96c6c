"""The money of one order, read together."""

from sqlmodel import Session

from services.billing.domain.cards import card_money
from services.billing.domain.credit import CARD, OrderMoney
from services.billing.store import authorizations, credit, deposits, invoices, operations, waits
from services.kernel.money import Money


def read(session: Session, order_id: str, currency: str) -> OrderMoney:
    """What billing knows of an order; zeros for one that it has never heard of."""
    held, waiting = credit.commitment(session, order_id), waits.of_order(session, order_id)
    return OrderMoney(
        committed=held.remaining if held else Money.zero(currency),
        held=deposits.cash_of(session, order_id, currency).held,
        invoiced=invoices.billed_total(session, order_id, currency),
        paid=invoices.paid_total(session, order_id, currency),
        card=card_money(
            authorizations.of_order(session, order_id),
            operations.of_order(session, order_id),
            currency,
            is_by_card=CARD in (held.payment_method if held else "", waiting.request.payment_method if waiting else ""),
        ),
        waiting=waiting,
    )
