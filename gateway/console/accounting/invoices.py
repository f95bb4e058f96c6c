"""The page of an invoice for accounting: what was billed beside its journal entries, and its credit notes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from gateway.console.accounting.correction_values import waiting_of_invoice
from gateway.console.accounting.credit_values import CreditNoteShown, InvoiceDetail, detail
from gateway.console.accounting.entry_values import EntryShown
from gateway.console.accounting.names import names_of
from gateway.console.lines import FirstLine
from gateway.console.pages import render
from gateway.console.visitor import Visitor, VisitorOf
from gateway.http.plumbing.inputs import IDENTITY
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import NotFound
from services.kernel.text import clean_key

router = APIRouter()

InvoiceOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]
_MOST = 500
"""Credit notes and entries that the page shows."""


@router.get("/invoices/{number}")
def invoice_page(who: VisitorOf, number: InvoiceOf, first: FirstLine = 1) -> Response:
    """An invoice, its entries and its credit notes."""
    found, notes = read(who, number, first)
    asked = pb.ListEntriesRequest(invoice_id=found.shown.invoice_id, limit=_MOST)
    entries = [EntryShown.of(row) for row in who.deps.billing.ListEntries(asked).entries]
    waiting = waiting_of_invoice(who, found.shown.invoice_id)
    shown = [CreditNoteShown.of(note) for note in notes]
    return render(
        "invoice.html",
        who,
        found=found,
        notes=shown,
        entries=entries,
        waiting=waiting,
        names=names_of(who, {found.shown.customer_id}),
        named=[*(note.asked_by for note in shown), *(note.approved_by for note in shown)]
        + ([waiting.asked_by] if waiting else []),
        may_act=who.may("POST /invoices/{number}/credit") and waiting is None and not found.shown.shares,
    )


def read(who: Visitor, number: str, first: int = 1) -> tuple[InvoiceDetail, list[pb.CreditNote]]:
    """An invoice by its number, or a share by its identity, and its credit notes; NotFound when there is none."""
    key = clean_key(number)
    is_id = key.startswith("inv_")
    wanted = pb.ListInvoicesRequest(invoice_ids=[key]) if is_id else pb.ListInvoicesRequest(number=key.upper(), limit=1)
    found = who.deps.billing.ListInvoices(wanted).invoices
    if not found:
        raise NotFound("INVOICE_NOT_FOUND", "there is no such invoice: look it up in the list")
    asked = pb.ListCreditNotesRequest(invoice_id=found[0].invoice_id, limit=_MOST)
    notes = list(who.deps.billing.ListCreditNotes(asked).credit_notes)
    return detail(found[0], notes, first), notes
