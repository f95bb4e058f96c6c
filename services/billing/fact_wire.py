"""Domain to protobuf: the facts that billing tells orders."""

from datetime import date

from oms.facts.v1 import facts_pb2
from services.billing.domain.facts import (
    CardProblem,
    CreditGranted,
    CreditRestChanged,
    DepositInvoiced,
    DepositReceived,
    DueDateSet,
    InvoiceCredited,
    InvoiceIssued,
    InvoiceReversed,
    InvoiceWrittenOff,
    OwedRefundChanged,
    PaymentReceived,
    PaymentReversed,
)
from services.billing.domain.invoices import Invoice
from services.kernel.terms import NOT_DUE
from services.runtime.wire import tax_part


def invoice_fact(detail: InvoiceIssued) -> facts_pb2.InvoiceIssued:
    """An invoice issued, as a fact."""
    lines = {line_id: facts_pb2.LineInvoiced(invoiced=units) for line_id, units in detail.invoiced.items()}
    issued = facts_pb2.InvoiceIssued(lines=lines, invoice=_invoice_detail(detail.invoice))
    if detail.consolidated is not None:
        issued.consolidated.CopyFrom(_consolidated(detail.consolidated, detail.invoice.share))
    return issued


def _consolidated(of: Invoice, share: int) -> facts_pb2.ConsolidatedInvoice:
    return facts_pb2.ConsolidatedInvoice(
        share=share,
        order_numbers=[one.order_number for one in of.shares],
        total_minor=of.total.minor,
        due_on=due_text(of.due_on),
        early_discount_minor=of.offer.amount.minor if of.offer else 0,
        discount_until=of.offer.until.isoformat() if of.offer else "",
    )


def due_date_fact(detail: DueDateSet) -> facts_pb2.DueDateSet:
    """The due date of an invoice that waited for its delivery, as a fact."""
    return facts_pb2.DueDateSet(invoice=_invoice_detail(detail.invoice))


def credited_fact(detail: InvoiceCredited) -> facts_pb2.InvoiceCredited:
    """A credit note, as a fact."""
    note = detail.note
    return facts_pb2.InvoiceCredited(
        credit_note_id=note.credit_note_id,
        number=note.number,
        amount_minor=note.parts.total.minor,
        currency=note.parts.total.currency,
        cash_minor=(note.landing.cash - note.fee_of_cash).minor,
        fee_minor=note.fee.minor if note.fee else 0,
        reason_code=note.reason_code,
        reason=note.reason,
        invoice=_invoice_detail(detail.invoice),
        lines={line_id: facts_pb2.LineInvoiced(invoiced=units) for line_id, units in (detail.invoiced or {}).items()},
        held_minor=None if detail.held is None else detail.held.minor,
    )


def reversed_fact(detail: InvoiceReversed) -> facts_pb2.InvoiceCredited:
    """An invoice that bills less, and of which nothing was left to be credited, as a fact without a credit note."""
    return facts_pb2.InvoiceCredited(
        currency=detail.invoice.total.currency,
        reason=detail.reason,
        invoice=_invoice_detail(detail.invoice),
        lines={line_id: facts_pb2.LineInvoiced(invoiced=units) for line_id, units in detail.invoiced.items()},
    )


def written_off_fact(detail: InvoiceWrittenOff) -> facts_pb2.InvoiceWrittenOff:
    """What is given up of an invoice, as a fact."""
    return facts_pb2.InvoiceWrittenOff(
        amount_minor=detail.amount.minor,
        currency=detail.amount.currency,
        reason=detail.reason,
        invoice=_invoice_detail(detail.invoice),
    )


def payment_fact(detail: PaymentReceived) -> facts_pb2.PaymentReceived:
    """A payment applied, as a fact."""
    return facts_pb2.PaymentReceived(
        payment_id=detail.payment.payment_id,
        amount_minor=detail.applied.minor,
        currency=detail.applied.currency,
        reference=detail.payment.reference,
        invoices=map(_invoice_detail, detail.invoices),
        held_minor=detail.held.minor,
    )


def deposit_fact(detail: DepositReceived) -> facts_pb2.DepositReceived:
    """Cash held for an order, as a fact."""
    return facts_pb2.DepositReceived(
        payment_id=detail.payment.payment_id,
        amount_minor=detail.amount.minor,
        currency=detail.amount.currency,
        reference=detail.payment.reference,
        held_minor=detail.held.minor,
    )


def deposit_invoiced_fact(detail: DepositInvoiced) -> facts_pb2.DepositInvoiced:
    """A deposit invoice or a credit note of one, as a fact."""
    posted = detail.posted
    return facts_pb2.DepositInvoiced(
        deposit_invoice_id=posted.deposit_invoice_id,
        number=posted.number,
        corrects=posted.corrects,
        amount_minor=posted.total.minor,
        tax_minor=posted.tax.minor,
        currency=posted.currency,
        reason=posted.reason,
    )


def reversal_fact(detail: PaymentReversed) -> facts_pb2.PaymentReversed:
    """A payment taken off an order, as a fact."""
    return facts_pb2.PaymentReversed(
        payment_id=detail.payment.payment_id,
        amount_minor=detail.amount.minor,
        currency=detail.amount.currency,
        reference=detail.payment.reference,
        invoices=map(_invoice_detail, detail.invoices),
        reason=detail.reason,
        is_uncovered=detail.is_uncovered,
        held_minor=detail.held.minor,
        cause=detail.cause,
    )


def credit_fact(detail: CreditGranted) -> facts_pb2.CreditGranted:
    """Credit or cash that an order waited for, as a fact."""
    asked = detail.request
    return facts_pb2.CreditGranted(
        amount_minor=asked.amount.minor,
        currency=asked.amount.currency,
        payment_method=asked.payment_method,
    )


def rest_fact(detail: CreditRestChanged) -> facts_pb2.CreditRestChanged:
    """What of an order waits for room, as a fact."""
    return facts_pb2.CreditRestChanged(rest_minor=detail.rest.minor, currency=detail.rest.currency)


def _invoice_detail(invoice: Invoice) -> facts_pb2.Invoice:
    return facts_pb2.Invoice(
        invoice_id=invoice.invoice_id,
        number=invoice.number,
        shipment_id=invoice.shipment_id,
        shipment_ids=invoice.shipment_ids,
        fee_id=invoice.fee_id,
        consolidated_id=invoice.consolidated_id,
        merchandise_minor=invoice.charges.merchandise.minor,
        discount_minor=invoice.charges.discount.minor,
        freight_minor=invoice.charges.freight.minor,
        tax_minor=invoice.charges.tax.minor,
        total_minor=invoice.total.minor,
        paid_minor=invoice.paid.minor,
        credited_minor=invoice.credited.minor,
        written_off_minor=invoice.written_off.minor,
        open_minor=invoice.open.minor,
        currency=invoice.total.currency,
        invoiced_on=invoice.invoiced_on.isoformat(),
        due_on=due_text(invoice.due_on),
        status=invoice.status,
        discount_taken_minor=invoice.discount_taken.minor if invoice.discount_taken else 0,
        early_discount_minor=invoice.offer.amount.minor if invoice.offer else 0,
        discount_until=invoice.offer.until.isoformat() if invoice.offer else "",
        installments=[
            facts_pb2.Installment(due_on=one.due_on.isoformat(), amount_minor=one.amount.minor, open_minor=left.minor)
            for one, left in (invoice.open_installments() if invoice.installments else ())
        ],
        tax_parts=[tax_part(part) for part in invoice.parts],
        reversed_parts=[tax_part(part) for part in invoice.reversed_parts],
    )


def card_problem_fact(detail: CardProblem) -> facts_pb2.CardProblem:
    """Something that went wrong with a card, as a fact."""
    return facts_pb2.CardProblem(
        kind=detail.kind,
        subject_id=detail.subject_id,
        amount_minor=detail.amount.minor,
        currency=detail.amount.currency,
        reason=detail.reason,
    )


def owed_refund_fact(detail: OwedRefundChanged) -> facts_pb2.OwedRefund:
    """A refund that is owed to a card, as a fact."""
    owed = detail.refund
    return facts_pb2.OwedRefund(
        refund_id=owed.refund_id,
        payment_id=owed.payment_id,
        amount_minor=owed.amount.minor,
        currency=owed.amount.currency,
        state=owed.state,
        reason=owed.reason,
        is_escalated=owed.is_escalated,
        reference=owed.reference,
    )


def due_text(day: date) -> str:
    """A due date; empty for one that waits for a delivery."""
    return "" if day == NOT_DUE else day.isoformat()
