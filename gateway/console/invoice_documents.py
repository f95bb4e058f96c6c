"""Invoices as PDFs, from the lists and orders that name them: accounting's, and a customer's own."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.console.invoice_payment import InvoiceNumber
from gateway.console.visitor import VisitorOf
from gateway.http.neighbors.invoices import invoice_document

router = APIRouter()


@router.get("/accounting/invoices/{invoice}.pdf")
def accounting_document(who: VisitorOf, invoice: InvoiceNumber) -> Response:
    """Any invoice."""
    return invoice_document(who.deps, invoice, None)


@router.get("/my/invoices/{invoice}.pdf")
def customer_document(who: VisitorOf, invoice: InvoiceNumber) -> Response:
    """An invoice of the visitor's own company."""
    company = who.caller.company
    assert company, "the page is a customer's"
    return invoice_document(who.deps, invoice, company)
