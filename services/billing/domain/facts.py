"""What billing tells orders: an invoice issued, corrected or given up, and money applied to an order's invoices."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.billing.domain.credit import CreditRequest
from services.billing.domain.credit_notes import CreditNote
from services.billing.domain.deposit_invoices import DepositInvoice
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Payment
from services.billing.domain.refunds import OwedRefund
from services.kernel.money import Money

INVOICE_ISSUED = "invoice_issued"
PAYMENT_RECEIVED = "payment_received"
DEPOSIT_RECEIVED = "deposit_received"
PAYMENT_REVERSED = "payment_reversed"
CREDIT_GRANTED = "credit_granted"
DUE_DATE_SET = "due_date_set"
CREDIT_REST_CHANGED = "credit_rest_changed"
CARD_PROBLEM = "card_problem"
OWED_REFUND = "owed_refund"
INVOICE_CREDITED = "invoice_credited"
INVOICE_WRITTEN_OFF = "invoice_written_off"
DEPOSIT_INVOICED = "deposit_invoiced"
FACT_KINDS = frozenset(
    {
        INVOICE_ISSUED,
        PAYMENT_RECEIVED,
        DEPOSIT_RECEIVED,
        PAYMENT_REVERSED,
        CREDIT_GRANTED,
        CREDIT_REST_CHANGED,
        DUE_DATE_SET,
        CARD_PROBLEM,
        OWED_REFUND,
        INVOICE_CREDITED,
        INVOICE_WRITTEN_OFF,
        DEPOSIT_INVOICED,
    }
)
"""Every kind of fact billing tells the orders service."""

REVERSED, REAPPLIED, REFUNDED, FREED = "reversed", "reapplied", "refunded", "freed"
"""What became of cash that was taken off an order."""
_TAKEN_BACK = {
    REFUNDED: "The deposit is refunded.",
    REAPPLIED: "The payment was put to another use.",
    FREED: "Units of the order were canceled.",
}


def why_taken_back(cause: str, said: str) -> str:
    """Why a deposit invoice is credited, as its customer reads it; what was `said` is for them only where the payment came to nothing."""
    return _TAKEN_BACK.get(cause) or f"The payment was returned: {said}"


@dataclass(frozen=True, slots=True)
class InvoiceIssued:
    """`invoiced` is line id → units invoiced so far over the whole order; a share names its consolidated invoice."""

    invoice: Invoice
    invoiced: Mapping[str, int]
    consolidated: Invoice | None = None


@dataclass(frozen=True, slots=True)
class InvoiceCredited:
    """A credit note, and its invoice as it stands after it.

    Where a ship confirm was reversed, also line id → units that stay invoiced over the whole order, and what is held for it.
    """

    note: CreditNote
    invoice: Invoice
    invoiced: Mapping[str, int] | None = None
    held: Money | None = None


@dataclass(frozen=True, slots=True)
class InvoiceReversed:
    """An invoice of which nothing was left to be credited bills less units; `invoiced` is line id → units over the whole order."""

    invoice: Invoice
    invoiced: Mapping[str, int]
    reason: str


@dataclass(frozen=True, slots=True)
class InvoiceWrittenOff:
    """What is given up of an invoice now, and the invoice as it stands after it."""

    amount: Money
    reason: str
    invoice: Invoice


@dataclass(frozen=True, slots=True)
class DepositInvoiced:
    """A deposit invoice, or a credit note of one, is posted."""

    posted: DepositInvoice


@dataclass(frozen=True, slots=True)
class DueDateSet:
    """The goods of an invoice that is due on delivery have arrived: it has its due date."""

    invoice: Invoice


@dataclass(frozen=True, slots=True)
class PaymentReceived:
    """`applied` is what of the payment went to the order now; `invoices` those of the order it paid, as they stand after it.

    `held` is what is still held for the order.
    """

    payment: Payment
    applied: Money
    invoices: tuple[Invoice, ...]
    held: Money


@dataclass(frozen=True, slots=True)
class DepositReceived:
    """`amount` of the payment is held for the order now; `held` is all that is held for it."""

    payment: Payment
    amount: Money
    held: Money


@dataclass(frozen=True, slots=True)
class PaymentReversed:
    """`amount` of the payment is taken off the order; `invoices` those it had paid, as they stand after it.

    `is_uncovered` says that goods of the order that have not left are no longer paid for; `cause` says where the cash went.
    """

    payment: Payment
    amount: Money
    invoices: tuple[Invoice, ...]
    reason: str
    is_uncovered: bool
    held: Money
    cause: str


@dataclass(frozen=True, slots=True)
class CreditGranted:
    """An order that waited for credit or for its cash has it now, without anybody asking again."""

    request: CreditRequest


@dataclass(frozen=True, slots=True)
class CreditRestChanged:
    """What of an order waits for room under its customer's limit is more or less than before; zero when all is covered."""

    order_id: str
    rest: Money


CAPTURE_FAILED, REFUND_FAILED = "capture_failed", "refund_failed"
CARD_DISPUTED, CARD_MOVED_ELSEWHERE = "card_disputed", "card_moved_elsewhere"


@dataclass(frozen=True, slots=True)
class CardProblem:
    """Something went wrong with a card; `subject_id` is the invoice that was not captured, else the authorization."""

    kind: str
    subject_id: str
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True)
class OwedRefundChanged:
    """A refund that is owed to a card, as it stands."""

    refund: OwedRefund
