"""What billing tells orders: an invoice issued, and money applied to an order's invoices."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Payment
from services.kernel.money import Money

INVOICE_ISSUED = "invoice_issued"
PAYMENT_RECEIVED = "payment_received"
FACT_KINDS = frozenset({INVOICE_ISSUED, PAYMENT_RECEIVED})
"""Every kind of fact billing tells the orders service."""


@dataclass(frozen=True, slots=True)
class InvoiceIssued:
    """`invoiced` is line id → units invoiced so far over the whole order."""

    invoice: Invoice
    invoiced: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PaymentReceived:
    """`applied` is what of the payment went to the order now; `invoices` those of the order it paid, as they stand after it."""

    payment: Payment
    applied: Money
    invoices: tuple[Invoice, ...]
