"""What pages of accounting ask billing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from gateway.console.accounting.values import InvoiceShown, PaymentShown, ReceivableShown, WaitingShown
from gateway.console.visitor import Visitor
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import NotFound
from services.kernel.text import clean_key

PAGE = 50
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Rows(Generic[Row]):
    """A page of a list, and the cursor of the next; empty at the end."""

    rows: list[Row]
    next_cursor: str


def payments(
    who: Visitor, *, customer_id: str = "", reference: str = "", state: str = "", cursor: str = "", limit: int = PAGE
) -> Rows[PaymentShown]:
    """Payments, newest first."""
    wanted = pb.ListPaymentsRequest(
        customer_id=customer_id, reference=reference, state=state, cursor=cursor, limit=limit, is_newest_first=True
    )
    found = who.deps.billing.ListPayments(wanted)
    return Rows([PaymentShown.of(row) for row in found.payments], found.next_cursor)


def payment(who: Visitor, payment_id: str) -> PaymentShown:
    """One payment; NotFound when there is none."""
    found = find(who, payment_id)
    if found is None:
        raise NotFound("PAYMENT_NOT_FOUND", "there is no such payment: look it up in the list")
    return found


def find(who: Visitor, payment_id: str) -> PaymentShown | None:
    """One payment; None when there is none."""
    found = who.deps.billing.ListPayments(pb.ListPaymentsRequest(payment_id=payment_id, limit=1)).payments
    return PaymentShown.of(found[0]) if found else None


def payments_by_id(who: Visitor, payment_ids: Collection[str]) -> dict[str, PaymentShown]:
    """Payment id → payment, of those that exist."""
    if not payment_ids:
        return {}
    found = who.deps.billing.ListPayments(pb.ListPaymentsRequest(payment_ids=sorted(payment_ids))).payments
    return {row.payment_id: PaymentShown.of(row) for row in found}


def invoices_by_id(who: Visitor, invoice_ids: Collection[str]) -> dict[str, InvoiceShown]:
    """Invoice id → invoice, of those that exist."""
    if not invoice_ids:
        return {}
    found = who.deps.billing.ListInvoices(pb.ListInvoicesRequest(invoice_ids=sorted(invoice_ids)[:500])).invoices
    return {row.invoice_id: InvoiceShown.of(row) for row in found}


def invoices(
    who: Visitor, *, customer_id: str = "", number: str = "", status: str = "", cursor: str = "", limit: int = PAGE
) -> Rows[InvoiceShown]:
    """Invoices by number."""
    wanted = pb.ListInvoicesRequest(customer_id=customer_id, number=number, status=status, cursor=cursor, limit=limit)
    found = who.deps.billing.ListInvoices(wanted)
    return Rows([InvoiceShown.of(row) for row in found.invoices], found.next_cursor)


def unpaid(who: Visitor, customer_id: str, limit: int = 100) -> Rows[InvoiceShown]:
    """A customer's oldest invoices with something open, the first due of them first."""
    found = invoices(who, customer_id=customer_id, status="unpaid", limit=limit)
    return replace(found, rows=sorted(found.rows, key=lambda one: (one.due_on or "9999", one.number)))


def invoice_numbered(who: Visitor, number: str) -> InvoiceShown:
    """An invoice by its number as people type it; NotFound says what to enter."""
    found = invoices(who, number=clean_key(number).upper(), limit=1).rows
    if not found:
        raise NotFound("INVOICE_NOT_FOUND", f"there is no invoice {number}: check its number")
    return found[0]


def waiting(who: Visitor, *, customer_id: str = "", cursor: str = "", limit: int = PAGE) -> Rows[WaitingShown]:
    """Orders that wait for credit or cash, the longest first."""
    wanted = pb.ListWaitingOrdersRequest(customer_id=customer_id, cursor=cursor, limit=limit)
    found = who.deps.billing.ListWaitingOrders(wanted)
    return Rows([WaitingShown.of(row) for row in found.orders], found.next_cursor)


def receivables(who: Visitor, customer_id: str = "") -> list[ReceivableShown]:
    """What customers owe, by customer and currency."""
    found = who.deps.billing.ListReceivables(pb.ListReceivablesRequest(customer_id=customer_id)).receivables
    return [ReceivableShown.of(row) for row in found]
