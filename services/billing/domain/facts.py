"""What billing tells others, and the members of each fact's detail.

invoice_issued    lines: line id → {invoiced: units of the line invoiced so far}; invoice: as in `invoice_detail`
payment_received  payment_id, amount_minor (what of it was applied to this order), currency, reference;
                  invoices: the order's invoices it paid, each as in `invoice_detail`, as they stand after it
"""

from collections.abc import Iterable, Mapping
from typing import Any

from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Payment
from services.kernel.money import Money

INVOICE_ISSUED = "invoice_issued"
PAYMENT_RECEIVED = "payment_received"
TOLD = frozenset({INVOICE_ISSUED, PAYMENT_RECEIVED})
"""Every kind of fact billing tells the orders service."""


def invoice_issued(invoice: Invoice, invoiced: Mapping[str, int]) -> dict[str, Any]:
    """`invoiced` is line id → units invoiced so far over the whole order."""
    lines = {line_id: {"invoiced": units} for line_id, units in invoiced.items()}
    return {"lines": lines, "invoice": invoice_detail(invoice)}


def payment_received(payment: Payment, applied: Money, invoices: Iterable[Invoice]) -> dict[str, Any]:
    """`applied` is what of the payment went to the order now; `invoices` those of the order it paid."""
    return {
        "payment_id": payment.payment_id,
        "amount_minor": applied.minor,
        "currency": applied.currency,
        "reference": payment.reference,
        "invoices": [invoice_detail(invoice) for invoice in invoices],
    }


def invoice_detail(invoice: Invoice) -> dict[str, Any]:
    """An invoice as facts carry it; days are ISO dates. Its `status` says whether it is settled, so that nobody else works it out."""
    return {
        "invoice_id": invoice.invoice_id,
        "number": invoice.number,
        "shipment_id": invoice.shipment_id,
        "merchandise_minor": invoice.charges.merchandise.minor,
        "discount_minor": invoice.charges.discount.minor,
        "freight_minor": invoice.charges.freight.minor,
        "tax_minor": invoice.charges.tax.minor,
        "total_minor": invoice.total.minor,
        "paid_minor": invoice.paid.minor,
        "written_off_minor": invoice.written_off.minor,
        "open_minor": invoice.open.minor,
        "currency": invoice.total.currency,
        "invoiced_on": invoice.invoiced_on.isoformat(),
        "due_on": invoice.due_on.isoformat(),
        "status": invoice.status,
    }
