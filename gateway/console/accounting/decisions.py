"""Corrections of payments and invoices that wait for a second person: a list, and a page that says what follows before its buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.accounting import asking, crediting
from gateway.console.accounting.correction_values import CorrectionShown
from gateway.console.accounting.corrections import previewed
from gateway.console.accounting.invoices import read
from gateway.console.accounting.names import names_of
from gateway.console.accounting.queries import Cursor, after, next_page
from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.accounting.values import InvoiceShown, PaymentShown
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, Visitor, VisitorOf
from gateway.http.plumbing.inputs import IDENTITY
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import DomainError, NotFound

router = APIRouter()

_LIST = "/accounting/corrections"

CorrectionOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get(_LIST)
def corrections_page(who: VisitorOf, cursor: Cursor = "") -> Response:
    """What waits for a second person, the oldest first."""
    wanted = pb.ListPaymentCorrectionsRequest(state="waiting", limit=asking.PAGE, cursor=after(_LIST, cursor))
    found = who.deps.billing.ListPaymentCorrections(wanted)
    rows = [CorrectionShown.of(row) for row in found.corrections]
    payments = asking.payments_by_id(who, {row.payment_id for row in rows} - {""})
    invoices = asking.invoices_by_id(who, {row.invoice_id for row in rows} - {""})
    subjects: dict[str, PaymentShown | InvoiceShown] = {**payments, **invoices}
    return render(
        "corrections.html",
        who,
        rows=rows,
        subjects=subjects,
        names=names_of(who, {one.customer_id for one in subjects.values()}),
        next_cursor=found.next_cursor,
        following=next_page(_LIST, found.next_cursor),
        named=[row.asked_by for row in rows],
        me=who.caller.principal.sub,
        may_decide=who.may("POST /accounting/corrections/{correction_id}"),
    )


@router.get("/accounting/corrections/{correction_id}")
def correction_page(request: Request, who: VisitorOf, correction_id: CorrectionOf) -> Response:
    """What follows from one that waits, and the buttons; of one that is decided, what became of it."""
    found = _correction(who, correction_id)
    return render(
        "correction.html",
        who,
        found=found,
        named=[found.asked_by, found.decided_by],
        is_own=found.asked_by == who.caller.principal.sub,
        may_decide=who.may("POST /accounting/corrections/{correction_id}"),
        **(_follows_of_invoice if found.invoice_id else _follows)(request, who, found),
    )


def _correction(who: Visitor, correction_id: str) -> CorrectionShown:
    wanted = pb.ListPaymentCorrectionsRequest(correction_id=correction_id)
    found = who.deps.billing.ListPaymentCorrections(wanted).corrections
    if not found:
        raise NotFound("CORRECTION_NOT_FOUND", "there is no such correction: look at those that wait")
    return CorrectionShown.of(found[0])


def _follows(request: Request, who: Visitor, found: CorrectionShown) -> dict[str, Any]:
    """What approving would do now, or why it cannot be done any more; neither once it is decided."""
    before = asking.payment(who, found.payment_id)
    follows = _outcome(
        request,
        who,
        found,
        before.customer_id,
        lambda: previewed(request, who, before, correction_id=found.correction_id),
    )
    return {"before": before, **follows}


def _follows_of_invoice(request: Request, who: Visitor, found: CorrectionShown) -> dict[str, Any]:
    """The same of an invoice."""
    invoice, _ = read(who, asking.invoices_by_id(who, {found.invoice_id})[found.invoice_id].key)
    follows = _outcome(
        request,
        who,
        found,
        invoice.shown.customer_id,
        lambda: crediting.previewed(request, who, invoice, correction_id=found.correction_id),
    )
    return {"invoice": invoice, **follows}


def _outcome(
    request: Request, who: Visitor, found: CorrectionShown, customer_id: str, preview: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    obstacle = ""
    if found.is_waiting:
        try:
            return {**preview(), "obstacle": obstacle}
        except DomainError as refused:
            obstacle = refused.message
    return {"given": None, "names": names_of(who, {customer_id}), "key": page_key(request, who), "obstacle": obstacle}


@router.post("/accounting/corrections/{correction_id}")
def decide_correction(form: FormOf, correction_id: CorrectionOf) -> Response:
    """Approve or decline it, as the API does."""
    who: Visitor = form.visitor
    is_approved = form.text("decision") == "approve"
    wanted = pb.DecidePaymentCorrectionRequest(
        request_id=request_id(form),
        correction_id=correction_id,
        decided_by=who.caller.principal.sub,
        is_approved=is_approved,
        note=form.text("note").strip(),
    )
    who.deps.billing.DecidePaymentCorrection(wanted)
    notice = "correction_approved" if is_approved else "correction_declined"
    return leave(RedirectResponse("/accounting/corrections", 303), who.deps.console, notice)
