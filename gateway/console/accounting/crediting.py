"""Crediting an invoice and writing it off: each says what follows before its button is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter

from gateway.console import entries
from gateway.console.accounting.credit_values import REASONS, InvoiceDetail, corrected
from gateway.console.accounting.invoices import InvoiceOf, read
from gateway.console.accounting.names import names_of
from gateway.console.accounting.payment_form import amount_of, reason_of
from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.forms import query_fields
from gateway.console.lines import FirstLine
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import Form, FormOf, Returned, Visitor, VisitorOf
from gateway.http.neighbors.credit_notes import CreditNoteInput, credit_of
from gateway.http.plumbing.inputs import MoneyInput, Quantity
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import InvalidArgument

router = APIRouter()

_LINE = "line-"
_QUANTITY: TypeAdapter[int] = TypeAdapter(Quantity)
_NOTE: TypeAdapter[CreditNoteInput] = TypeAdapter(CreditNoteInput)
_NO_REASON = "preview"
"""Why, while nobody has said it yet: a preview keeps nothing."""


@router.get("/invoices/{number}/credit")
def credit_page(request: Request, who: VisitorOf, number: InvoiceOf, first: FirstLine = 1) -> Response:
    """The form: units of lines, freight, an allowance, or everything, and why."""
    fields = query_fields(request)
    if who.returned is None and len(fields) > ("line" in fields):
        who = replace(who, returned=Returned(fields))
    found, _ = read(who, number, first)
    names = names_of(who, {found.shown.customer_id})
    return render("invoice_credit.html", who, found=found, names=names, reasons=REASONS)


@router.get("/invoices/{number}/credit/preview")
def credit_preview(request: Request, who: VisitorOf, number: InvoiceOf) -> Response:
    """What the credit note would come to and what follows from it."""
    request.state.form = fields = query_fields(request)
    found, _ = read(who, number)
    asked = credit_of(found.shown.invoice_id, credit_note_of(found, fields), "", "")
    return render(
        "invoice_credit_preview.html",
        who,
        found=found,
        fields=fields,
        **previewed(request, who, found, credit=asked),
    )


@router.post("/invoices/{number}/credit")
def credit_invoice(form: FormOf, number: InvoiceOf) -> Response:
    """Post the credit note, as the API does; the same page sent twice posts it once."""
    who = form.visitor
    found, _ = read(who, number)
    body = credit_note_of(found, form.fields)
    asked = credit_of(found.shown.invoice_id, body, who.caller.principal.sub, request_id(form))
    return _back(form, found, "invoice_credited", who.deps.billing.CreditInvoice(asked).waiting)


@router.get("/invoices/{number}/write-off")
def write_off_page(request: Request, who: VisitorOf, number: InvoiceOf) -> Response:
    """What writing off all that is open would do, and the button."""
    found, _ = read(who, number)
    asked = pb.WriteOffInvoiceRequest(invoice=found.shown.invoice_id, reason=_NO_REASON)
    return render("invoice_write_off.html", who, found=found, **previewed(request, who, found, write_off=asked))


@router.post("/invoices/{number}/write-off")
def write_off_invoice(form: FormOf, number: InvoiceOf) -> Response:
    """Write it off, as the API does."""
    who = form.visitor
    found, _ = read(who, number)
    asked = pb.WriteOffInvoiceRequest(
        request_id=request_id(form),
        invoice=found.shown.invoice_id,
        reason=reason_of(form.fields),
        asked_by=who.caller.principal.sub,
    )
    return _back(form, found, "invoice_written_off", who.deps.billing.WriteOffInvoice(asked).waiting)


def credit_note_of(found: InvoiceDetail, fields: Mapping[str, str]) -> CreditNoteInput:
    """What was typed, as the API takes it; a line that is left blank or at 0 is not credited."""
    lines = [
        {"line_id": name.removeprefix(_LINE), "quantity": _units(typed, name.removeprefix(_LINE))}
        for name, typed in fields.items()
        if name.startswith(_LINE) and typed.strip("0")
    ]
    currency = found.shown.total.currency
    typed = {
        "lines": lines,
        "freight": _amount(fields, "freight", currency),
        "allowance": _amount(fields, "allowance", currency),
        "everything": fields.get("everything") == "yes",
        "reason_code": fields.get("reason_code", ""),
        "reason": reason_of(fields),
    }
    return entries.entered(_NOTE, typed, "credit note", "CREDIT_UNREADABLE")


def _units(typed: str, line_id: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) < 8):
        raise InvalidArgument("QUANTITY_UNREADABLE", f"units of line {line_id[:20]}: enter a whole number")
    return entries.entered(_QUANTITY, int(typed), f"units of line {line_id[:20]}", "QUANTITY_UNREADABLE")


def _amount(fields: Mapping[str, str], name: str, currency: str) -> MoneyInput | None:
    typed = fields.get(name, "")
    return amount_of(typed, currency, name) if typed else None


def previewed(request: Request, who: Visitor, found: InvoiceDetail, **act: Any) -> dict[str, Any]:
    """What follows, and the key that makes a second press of the button harmless."""
    seen = who.deps.billing.PreviewCreditNote(pb.PreviewCreditNoteRequest(**act))
    names = names_of(who, {found.shown.customer_id}, set(seen.released_order_ids))
    return {"given": corrected(seen, names), "names": names, "key": page_key(request, who)}


def _back(form: Form, found: InvoiceDetail, notice: str, waiting: pb.PaymentCorrection) -> Response:
    number = found.shown.number
    answer = RedirectResponse(f"/invoices/{found.shown.key}", 303)
    is_waiting = bool(waiting.correction_id)
    return leave(answer, form.visitor.deps.console, "invoice_correction_waits" if is_waiting else notice, number)
