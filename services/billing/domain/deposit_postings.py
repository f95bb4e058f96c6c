"""What deposit invoices post to the ledger.

The cash itself is in customer_deposits, tax included. A deposit invoice owes the tax in it, against tax_on_deposits. Whatever ends
that takes it back: an invoice that deducts the deposit charges all of its own tax, so that the deposit's is not charged twice.
"""

from services.billing.domain.deposit_invoices import DepositDeduction, DepositInvoice
from services.billing.domain.ledger import DEPOSIT_INVOICE, TAX_ON_DEPOSITS, TAX_PAYABLE, Posting


def invoiced_postings(posted: DepositInvoice) -> tuple[Posting, ...]:
    """The tax that is in a deposit is owed."""
    words = f"{posted.number} for {posted.order_number}: tax"
    return _of(Posting(
        TAX_ON_DEPOSITS, TAX_PAYABLE, posted.tax, DEPOSIT_INVOICE, posted.deposit_invoice_id, "tax", posted.order_id, words
    ))  # fmt: skip


def deducted_postings(one: DepositDeduction, before: DepositInvoice) -> tuple[Posting, ...]:
    """An invoice deducts it and charges the tax; `before` is the deposit invoice as it was."""
    words = f"{one.deposit_invoice_number} deducted from {one.invoice_number}: its tax is charged there"
    event = f"deducted/{before.open.minor}/{one.invoice_id}"
    return _of(Posting(
        TAX_PAYABLE, TAX_ON_DEPOSITS, one.tax, DEPOSIT_INVOICE, one.deposit_invoice_id, event, before.order_id, words
    ))  # fmt: skip


def credited_postings(note: DepositInvoice, of: DepositInvoice) -> tuple[Posting, ...]:
    """A credit note takes it back, and the tax is not owed any more."""
    words = f"{note.number} of {of.number} for {note.order_number}: tax"
    event = f"credited/{note.deposit_invoice_id}"
    return _of(Posting(
        TAX_PAYABLE, TAX_ON_DEPOSITS, note.tax, DEPOSIT_INVOICE, of.deposit_invoice_id, event, note.order_id, words
    ))  # fmt: skip


def _of(posting: Posting) -> tuple[Posting, ...]:
    """What has no tax posts nothing."""
    return (posting,) if posting.amount.minor else ()
