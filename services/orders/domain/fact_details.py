"""What a fact tells of an order: its lines, shipments, invoices, cash, credit and days."""

from __future__ import annotations

from collections.abc import Mapping

from services.orders.domain.credit_facts import CardProblem, CreditGranted, CreditRestChanged
from services.orders.domain.facts import (
    DepositInvoiced,
    DepositReceived,
    Detail,
    DueDateSet,
    Invoice,
    InvoiceCredited,
    InvoiceIssued,
    InvoiceWrittenOff,
    Line,
    PaymentReceived,
    PaymentReversed,
    RecallAnswered,
    Shipment,
    ShipmentChanged,
    ShipmentIntercepted,
    ShipmentReversed,
    ShipmentsChanged,
)
from services.orders.domain.owed_refunds import OwedRefund
from services.orders.domain.return_facts import ReturnInspected, ReturnReceived
from services.orders.domain.stock_facts import SourcingAsked, StockStanding

_OF_ONE_INVOICE = (InvoiceIssued, DueDateSet, InvoiceCredited, InvoiceWrittenOff)
_OF_MONEY = (
    PaymentReceived | DepositReceived | PaymentReversed | CreditGranted | CreditRestChanged | DueDateSet | CardProblem
    | InvoiceWrittenOff | OwedRefund | DepositInvoiced | SourcingAsked
)  # fmt: skip


def lines_in(detail: Detail) -> Mapping[str, Line]:
    """What it tells of the order's lines, by line id."""
    return {} if isinstance(detail, _OF_MONEY | ReturnReceived | ReturnInspected) else detail.lines


def shipments_in(detail: Detail) -> tuple[Shipment, ...]:
    """The shipments it tells of."""
    if isinstance(detail, ShipmentChanged | ShipmentIntercepted):
        return (detail.shipment,)
    return detail.shipments if isinstance(detail, ShipmentsChanged | ShipmentReversed | RecallAnswered) else ()


def invoices_in(detail: Detail) -> tuple[Invoice, ...]:
    """The invoices it tells of."""
    if isinstance(detail, _OF_ONE_INVOICE):
        return (detail.invoice,)
    return detail.invoices if isinstance(detail, PaymentReceived | PaymentReversed) else ()


def held_in(detail: Detail) -> int | None:
    """The cash held for the order that it tells of, in minor units; None when it tells nothing of that."""
    of_cash = (PaymentReceived, DepositReceived, PaymentReversed, InvoiceCredited)
    return detail.held_minor if isinstance(detail, of_cash) else None


def credit_in(detail: Detail) -> int | None:
    """The total that the order's money is there for, in minor units, 0 when it is no longer; None for what tells nothing of that."""
    if isinstance(detail, CreditGranted):
        return detail.amount.minor
    return 0 if isinstance(detail, PaymentReversed) and detail.is_uncovered else None


def expected_in(detail: Detail) -> tuple[str, ...]:
    """The days, ISO dates in order, on which units that wait are expected."""
    lines = detail.lines.values() if isinstance(detail, StockStanding) else ()
    return tuple(sorted({line.expected_on for line in lines if line.expected_on}))
