"""Invoices, credit notes, deposit invoices and order confirmations as PDFs, from the lists and orders that name them: ours, and a customer's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from gateway.console.invoice_payment import InvoiceNumber
from gateway.console.orders import NumberOf
from gateway.console.visitor import VisitorOf
from gateway.http.neighbors.credit_notes import credit_note_document
from gateway.http.neighbors.deposit_invoices import deposit_invoice_document
from gateway.http.neighbors.invoices import invoice_document
from gateway.http.neighbors.order_documents import CONFIRMATION, order_document
from gateway.http.plumbing.inputs import IDENTITY

router = APIRouter()

NoteOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


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


@router.get("/accounting/credit-notes/{note}.pdf")
def accounting_credit_note(who: VisitorOf, note: NoteOf) -> Response:
    """Any credit note."""
    return credit_note_document(who.deps, note, None)


@router.get("/my/credit-notes/{note}.pdf")
def customer_credit_note(who: VisitorOf, note: NoteOf) -> Response:
    """A credit note of the visitor's own company."""
    company = who.caller.company
    assert company, "the page is a customer's"
    return credit_note_document(who.deps, note, company)


@router.get("/accounting/deposit-invoices/{deposit}.pdf")
def accounting_deposit_invoice(who: VisitorOf, deposit: NoteOf) -> Response:
    """Any deposit invoice, or credit note of one."""
    return deposit_invoice_document(who.deps, deposit, None)


@router.get("/my/deposit-invoices/{deposit}.pdf")
def customer_deposit_invoice(who: VisitorOf, deposit: NoteOf) -> Response:
    """A deposit invoice of the visitor's own company, or a credit note of one."""
    company = who.caller.company
    assert company, "the page is a customer's"
    return deposit_invoice_document(who.deps, deposit, company)


@router.get("/orders/{number}/confirmation.pdf")
def order_confirmation(who: VisitorOf, number: NumberOf) -> Response:
    """The confirmation of an order that the visitor may see."""
    return order_document(who.deps, who.caller, number, CONFIRMATION)


@router.get("/my/orders/{number}/confirmation.pdf")
def customer_confirmation(who: VisitorOf, number: NumberOf) -> Response:
    """The confirmation of an order of the visitor's own company."""
    return order_document(who.deps, who.caller, number, CONFIRMATION)
