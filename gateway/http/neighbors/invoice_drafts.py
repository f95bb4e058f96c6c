"""Drafts of invoices: prepared by hand, approved, and posted under a number."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.billable import ShipmentsInput, by_hand
from gateway.http.neighbors.invoices import Invoice, invoice_shape
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.paging import Page, PagingOf, sealed
from gateway.http.plumbing.parameters import path_id
from gateway.http.plumbing.shapes import MoneyShape, instant
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import NotFound
from services.orders.access.matrix import Caller

router = APIRouter(tags=["invoices"])

DraftId = Annotated[str, path_id("The draft.", "draft_0198c7f2")]


class InvoiceDraft(BaseModel):
    """An invoice that somebody prepares. It holds its shipments, so that nobody else invoices them, and has no number."""

    draft_id: str
    order_id: str
    order_number: str
    customer_id: str
    shipment_ids: list[str] = Field(description="The shipments it holds; none once it is discarded.")
    amount: MoneyShape = Field(
        description="What it came to when it was made, or approved. It is posted for that or not at all."
    )
    state: Literal["draft", "approved", "posted", "discarded"]
    needs_second_person: bool = Field(
        description="It is over the limit (OMS_SECOND_PERSON_OVER): who made it does not approve it."
    )
    made_by: str
    made_at: str | None
    approved_by: str | None
    approved_at: str | None
    ended_by: str | None = Field(description="Who posted or discarded it.")
    ended_at: str | None
    invoice_id: str | None = Field(description="The invoice that it has become.")


class PostedDraft(InvoiceDraft):
    """A draft that was posted, and its invoice."""

    invoice: Invoice


@router.get("/v1/invoice-drafts")
def list_invoice_drafts(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    state: Annotated[
        Literal["open", "draft", "approved", "posted", "discarded"] | None,
        Query(description="Only in this state; open for draft and approved."),
    ] = None,
) -> Page[InvoiceDraft]:
    """Drafts of invoices, oldest first."""
    found = deps.billing.ListInvoiceDrafts(
        pb.ListInvoiceDraftsRequest(state=state or "", limit=paging.limit, cursor=paging.after("invoice-drafts"))
    )
    return Page(
        rows=[draft_shape(row) for row in found.drafts],
        next_cursor=sealed("invoice-drafts", found.next_cursor) or None,
    )


@router.get("/v1/invoice-drafts/{draft_id}")
def get_invoice_draft(deps: DepsOf, _who: CallerOf, draft_id: DraftId) -> InvoiceDraft:
    """One draft."""
    return draft_shape(draft_of(deps, draft_id))


@router.post("/v1/invoice-drafts", status_code=201, response_model=InvoiceDraft)
def create_invoice_draft(deps: DepsOf, who: CallerOf, body: ShipmentsInput, once: OnceWithKey) -> Response:
    """Prepare an invoice of shipments that wait: until it is posted or discarded nobody else invoices them, and no policy does."""

    def act(request_id: str) -> InvoiceDraft:
        wanted = pb.MakeInvoiceDraftRequest(request_id=request_id, of=by_hand(deps, body), made_by=who.principal.sub)
        return draft_shape(deps.billing.MakeInvoiceDraft(wanted).draft)

    return once.answer(body, act, 201)


@router.post("/v1/invoice-drafts/{draft_id}/approval", response_model=InvoiceDraft)
def approve_invoice_draft(deps: DepsOf, who: CallerOf, draft_id: DraftId, once: OnceWithKey) -> Response:
    """Approve a draft for what it comes to now; over the limit not by who made it."""
    return once.answer(
        None, lambda request_id: draft_shape(move(deps, who, draft_id, "approve", request_id).draft), 200
    )


@router.post("/v1/invoice-drafts/{draft_id}/posting", response_model=PostedDraft)
def post_invoice_draft(deps: DepsOf, who: CallerOf, draft_id: DraftId, once: OnceWithKey) -> Response:
    """Post an approved draft: it gets its number and the day of today, and never changes again.

    Where the order has changed so that it comes to another amount than was approved, it is refused.
    """

    def act(request_id: str) -> PostedDraft:
        done = move(deps, who, draft_id, "post", request_id)
        return PostedDraft(**draft_shape(done.draft).model_dump(), invoice=invoice_shape(done.invoice))

    return once.answer(None, act, 200)


@router.post("/v1/invoice-drafts/{draft_id}/discarding", response_model=InvoiceDraft)
def discard_invoice_draft(deps: DepsOf, who: CallerOf, draft_id: DraftId, once: OnceWithKey) -> Response:
    """Discard a draft, which lets its shipments go; no number is lost."""
    return once.answer(
        None, lambda request_id: draft_shape(move(deps, who, draft_id, "discard", request_id).draft), 200
    )


def move(deps: Deps, who: Caller, draft_id: str, verb: str, request_id: str) -> pb.MoveInvoiceDraftResponse:
    """Approve, post or discard a draft, once a request id."""
    wanted = pb.MoveInvoiceDraftRequest(request_id=request_id, draft_id=draft_id, verb=verb, who=who.principal.sub)
    return deps.billing.MoveInvoiceDraft(wanted)


def draft_of(deps: Deps, draft_id: str) -> pb.InvoiceDraft:
    """The draft; NotFound when there is none."""
    found = deps.billing.ListInvoiceDrafts(pb.ListInvoiceDraftsRequest(draft_id=draft_id)).drafts
    if not found:
        raise NotFound("DRAFT_NOT_FOUND", "there is no such draft: look at those that are open")
    return found[0]


def draft_shape(row: pb.InvoiceDraft) -> InvoiceDraft:
    """A draft as the API shows it."""
    return InvoiceDraft.model_validate(
        {
            "draft_id": row.draft_id,
            "order_id": row.order_id,
            "order_number": row.order_number,
            "customer_id": row.customer_id,
            "shipment_ids": list(row.shipment_ids),
            "amount": MoneyShape.of_minor(row.amount.minor_units, row.amount.currency),
            "state": row.state,
            "needs_second_person": row.needs_second_person,
            "made_by": row.made_by,
            "made_at": instant(row.made_at_micros),
            "approved_by": row.approved_by or None,
            "approved_at": instant(row.approved_at_micros),
            "ended_by": row.ended_by or None,
            "ended_at": instant(row.ended_at_micros),
            "invoice_id": row.invoice_id or None,
        }
    )
