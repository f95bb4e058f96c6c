"""Tables of billing: shape and constraints only. Amounts are whole minor units; days are ISO dates, which sort as days do."""

from services.billing.models.at_order import OrderToInvoice, RevenueRecognition, RevenueRecognitionLine
from services.billing.models.base import Table, answers, outbox
from services.billing.models.billable import BillableLine, BillablePart, BillableShipment, InvoiceDraft, InvoicingBlock
from services.billing.models.cards import CardAuthorization, ProviderEvent, ProviderOperation
from services.billing.models.checkouts import Checkout
from services.billing.models.corrections import Correction
from services.billing.models.credit import Commitment, CreditAccount, CreditWait
from services.billing.models.credit_notes import CreditNote, CreditNoteCash, CreditNoteLine, CreditNoteTaxPart, WriteOff
from services.billing.models.deposit_invoices import DepositDeduction, DepositInvoice, DepositInvoicePart
from services.billing.models.exchanges import ExchangeCharge, ExchangedLine, ExchangeSettlement, ReturnCashHeld
from services.billing.models.invoices import Counter, Delivery, Invoice, InvoiceInstallment, InvoiceLine, InvoiceTaxPart
from services.billing.models.ledger import JournalEntry
from services.billing.models.payments import OrderDeposit, Payment, PaymentApplication
from services.billing.models.payouts import MarketplaceSale, Payout, PayoutLine
from services.billing.models.refunds import OwedRefundRow
from services.billing.models.reversals import ShipmentReversal

__all__ = [
    "BillableLine",
    "BillablePart",
    "BillableShipment",
    "CardAuthorization",
    "Checkout",
    "Commitment",
    "Correction",
    "Counter",
    "CreditAccount",
    "CreditNote",
    "CreditNoteCash",
    "CreditNoteLine",
    "CreditNoteTaxPart",
    "CreditWait",
    "Delivery",
    "DepositDeduction",
    "DepositInvoice",
    "DepositInvoicePart",
    "ExchangeCharge",
    "ExchangeSettlement",
    "ExchangedLine",
    "Invoice",
    "InvoiceDraft",
    "InvoiceInstallment",
    "InvoiceLine",
    "InvoiceTaxPart",
    "InvoicingBlock",
    "JournalEntry",
    "MarketplaceSale",
    "OrderDeposit",
    "OrderToInvoice",
    "OwedRefundRow",
    "Payment",
    "PaymentApplication",
    "Payout",
    "PayoutLine",
    "ProviderEvent",
    "ProviderOperation",
    "ReturnCashHeld",
    "RevenueRecognition",
    "RevenueRecognitionLine",
    "ShipmentReversal",
    "Table",
    "WriteOff",
    "answers",
    "outbox",
]
