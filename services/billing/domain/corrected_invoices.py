"""What credit notes and write-offs post to the ledger."""

from services.billing.domain.credit_notes import CreditNote
from services.billing.domain.invoices import Invoice
from services.billing.domain.ledger import (
    BAD_DEBT,
    CREDIT_NOTE,
    CUSTOMER_DEPOSITS,
    DEFERRED_REVENUE,
    FEE_INCOME,
    FREIGHT_REVENUE,
    RECEIVABLE,
    SALES_DISCOUNTS,
    SALES_RETURNS,
    TAX_PAYABLE,
    UNAPPLIED_CASH,
    WRITE_OFF,
    Posting,
)
from services.kernel.money import Money


def credit_note_postings(note: CreditNote, *, is_fee: bool = False) -> tuple[Posting, ...]:
    """All of it off what the customer owes, by what was credited; then back what of it was not owed any more.

    That is a restocking fee, what was given up before, the discount for paying early on what is credited, and cash, payment by
    payment, which is the customer's again, on account or held for its order. Parts of zero post nothing. A fee that is credited is
    no income.
    """
    zero = Money.zero(note.parts.total.currency)
    goods, freight = note.deferred or (zero, zero)
    words = f"{note.number} of {note.invoice_number} for {note.order_number}"
    account, where = (
        (CUSTOMER_DEPOSITS, "cash held for it") if note.is_held else (UNAPPLIED_CASH, "cash left on account")
    )
    rows = (
        (FEE_INCOME if is_fee else SALES_RETURNS, RECEIVABLE, note.parts.net - goods, "goods", "goods and services"),
        (FREIGHT_REVENUE, RECEIVABLE, note.parts.freight - freight, "freight", "freight"),
        (DEFERRED_REVENUE, RECEIVABLE, goods, "deferred goods", "goods and services that have not shipped"),
        (DEFERRED_REVENUE, RECEIVABLE, freight, "deferred freight", "freight of what has not shipped"),
        (TAX_PAYABLE, RECEIVABLE, note.parts.tax, "tax", "tax"),
        (RECEIVABLE, BAD_DEBT, note.landing.recovered, "recovered", "was written off"),
        (RECEIVABLE, SALES_DISCOUNTS, note.landing.discount, "discount", "discount for paying early"),
        (RECEIVABLE, FEE_INCOME, note.fee or zero, "fee", "restocking fee"),
        *((RECEIVABLE, account, one.amount, f"cash/{one.payment_id}", where) for one in note.left_over),
    )
    return tuple(
        Posting(
            debit, credit, amount, CREDIT_NOTE, note.credit_note_id, event, note.order_id, f"{words}: {what}"
        )
        for debit, credit, amount, event, what in rows
        if amount.minor
    )  # fmt: skip


def write_off_posting(invoice: Invoice, amount: Money, write_off_id: str) -> Posting:
    """What the customer will never pay."""
    words = f"{invoice.number} for {invoice.order_number}: written off"
    return Posting(BAD_DEBT, RECEIVABLE, amount, WRITE_OFF, write_off_id, "written off", invoice.order_id, words)
