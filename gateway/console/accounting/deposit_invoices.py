"""Deposit invoices and credit notes of them, for accounting."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.console.accounting.asking import PAGE
from gateway.console.accounting.names import choices, known_customer, names_of
from gateway.console.accounting.queries import Cursor, Typed, after, next_page
from gateway.console.deposit_invoices import DepositInvoiceShown
from gateway.console.pages import render
from gateway.console.visitor import VisitorOf
from oms.billing.v1 import billing_pb2 as pb

router = APIRouter()

_HERE = "/accounting/deposit-invoices"


@router.get(_HERE)
def deposit_invoices_page(who: VisitorOf, customer: Typed = "", cursor: Cursor = "") -> Response:
    """The oldest first."""
    customer_id = known_customer(who, customer).customer_id if customer else ""
    wanted = pb.ListDepositInvoicesRequest(customer_id=customer_id, limit=PAGE, cursor=after(_HERE, cursor))
    found = who.deps.billing.ListDepositInvoices(wanted)
    rows = [DepositInvoiceShown.of(row) for row in found.deposit_invoices]
    return render(
        "deposit_invoices.html",
        who,
        rows=rows,
        customer=customer,
        next_cursor=found.next_cursor,
        following=next_page(_HERE, found.next_cursor, customer=customer),
        names=names_of(who, {row.customer_id for row in rows}),
        customers=choices(who),
    )
