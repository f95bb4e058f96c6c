"""The page of a draft: what posting it would give, and whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.accounting import asking
from gateway.console.accounting.names import names_of
from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.accounting.to_invoice import DraftShown, InvoiceFigures
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, Visitor, VisitorOf
from gateway.http.neighbors.invoice_drafts import draft_of, move
from gateway.http.plumbing.inputs import IDENTITY
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import DomainError, InvalidArgument

router = APIRouter()

_NOTICES = {"approve": "draft_approved", "discard": "draft_discarded"}

DraftOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get("/accounting/drafts/{draft_id}")
def draft_page(request: Request, who: VisitorOf, draft_id: DraftOf) -> Response:
    """What it comes to now, and the buttons; of one that has ended, what became of it."""
    found = DraftShown.of(draft_of(who.deps, draft_id))
    invoice = asking.invoices_by_id(who, [found.invoice_id]).get(found.invoice_id) if found.invoice_id else None
    return render(
        "invoice_draft.html",
        who,
        found=found,
        invoice=invoice,
        names=names_of(who, {found.customer_id}),
        named=[found.made_by, found.approved_by, found.ended_by],
        is_own=found.made_by == who.caller.principal.sub,
        may_decide=who.may("POST /accounting/drafts/{draft_id}"),
        key=page_key(request, who),
        **_previewed(who, found),
    )


def _previewed(who: Visitor, found: DraftShown) -> Mapping[str, Any]:
    if not found.is_open:
        return {"seen": None, "obstacle": ""}
    try:
        seen = who.deps.billing.PreviewInvoice(pb.PreviewInvoiceRequest(draft_id=found.draft_id))
    except DomainError as refused:
        return {"seen": None, "obstacle": refused.message}
    return {"seen": InvoiceFigures.of(seen.invoice), "obstacle": ""}


@router.post("/accounting/drafts/{draft_id}")
def move_draft(form: FormOf, draft_id: DraftOf) -> Response:
    """Approve, post or discard it, as the API does."""
    who, verb = form.visitor, form.text("verb")
    if verb not in ("approve", "post", "discard"):
        raise InvalidArgument("VERB_UNKNOWN", "use a button of the page")
    done = move(who.deps, who.caller, draft_id, verb, request_id(form))
    here = f"/accounting/drafts/{draft_id}" if verb == "approve" else "/accounting/billable"
    notice, subject = _NOTICES.get(verb, "invoice_posted"), done.invoice.number or done.draft.order_number
    return leave(RedirectResponse(here, 303), who.deps.console, notice, subject)
