"""Deposit invoices and credit notes of them: domain to protobuf."""

from collections.abc import Sequence

from oms.billing.v1 import billing_pb2 as pb
from services.billing.answers import deposit_deduction
from services.billing.domain.deposit_invoices import DepositDeduction, DepositInvoice
from services.kernel.clock import micros
from services.runtime.wire import money, tax_part


def message(posted: DepositInvoice, deductions: Sequence[DepositDeduction]) -> pb.DepositInvoice:
    """One as it stands, with the invoices that deduct it."""
    return pb.DepositInvoice(
        deposit_invoice_id=posted.deposit_invoice_id,
        number=posted.number,
        is_credit_note=posted.is_credit_note,
        corrects=posted.corrects,
        order_id=posted.order_id,
        order_number=posted.order_number,
        customer_id=posted.customer_id,
        invoiced_on=posted.invoiced_on.isoformat(),
        received_on=posted.received_on.isoformat(),
        tax_parts=[tax_part(part.tax_part) for part in posted.parts],
        net=money(posted.total - posted.tax),
        tax=money(posted.tax),
        total=money(posted.total),
        deducted=money(posted.deducted),
        credited=money(posted.credited),
        open=money(posted.open),
        reason=posted.reason,
        issued_at_micros=micros(posted.issued_at),
        deductions=map(deposit_deduction, deductions),
    )
