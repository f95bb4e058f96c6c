"""What has shipped and waits for its invoice: the queue, what an invoice by hand would be, and the button that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.accounting import to_invoice
from gateway.console.accounting.names import choices, known_customer, names_of
from gateway.console.accounting.queries import Cursor, Typed, Word, after, next_page
from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.accounting.to_invoice import InvoiceFigures, Waiting
from gateway.console.forms import query_fields
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, Visitor, VisitorOf
from gateway.http.plumbing.inputs import IDENTITY
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import DomainError, InvalidArgument
from services.orders.domain.access import EVERYTHING
from services.orders.domain.order import Order
from services.orders.order import lookup

router = APIRouter()

_LIST = "/accounting/billable"
POLICIES = ("", "per_delivery", "weekly", "monthly", "manual")

NumberOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get(_LIST)
def billable_page(who: VisitorOf, customer: Typed = "", policy: Word = "", cursor: Cursor = "") -> Response:
    """Everything that waits for its invoice, an order a row, and the drafts that are open."""
    customer_id = known_customer(who, customer).customer_id if customer else ""
    found = to_invoice.waiting(who, customer_id=customer_id, policy=policy, cursor=after(_LIST, cursor))
    drafts = to_invoice.open_drafts(who)
    return render(
        "billable.html",
        who,
        page=found,
        drafts=drafts,
        wanted={"customer": customer, "policy": policy},
        policies=POLICIES,
        following=next_page(_LIST, found.next_cursor, customer=customer, policy=policy),
        names=names_of(who, {row.customer_id for row in found.rows} | {row.customer_id for row in drafts}),
        customers=choices(who),
        named=[row.made_by for row in drafts],
    )


@router.get(f"{_LIST}/{{number}}")
def order_page(request: Request, who: VisitorOf, number: NumberOf) -> Response:
    """What of one order waits, and the invoice that all of it, or what is ticked, would be now; nothing changes."""
    order, fields = _order(who, number), query_fields(request)
    waiting = to_invoice.of_order(who, order.order_id)
    ticked = to_invoice.named(fields, waiting)
    return render(
        "billable_order.html",
        who,
        number=order.number,
        waiting=waiting,
        ticked=ticked,
        lines=to_invoice.waiting_lines(waiting, ticked, order),
        fields=fields,
        names=names_of(who, {one.customer_id for one in waiting}),
        key=page_key(request, who),
        may_invoice=who.may("POST /accounting/billable/{number}"),
        **_previewed(who, order.order_id, waiting, ticked, fields),
    )


def _previewed(
    who: Visitor, order_id: str, waiting: list[Waiting], ticked: tuple[str, ...], fields: Mapping[str, str]
) -> Mapping[str, Any]:
    """What it would be, or why it cannot be."""
    free = [one for one in waiting if not one.draft_id]
    if not free:
        return {"seen": None, "needs_second_person": False, "obstacle": ""}
    try:
        of = pb.InvoiceByHand(order_id=order_id, shipment_ids=ticked, lines=to_invoice.units_of(fields))
        seen = who.deps.billing.PreviewInvoice(pb.PreviewInvoiceRequest(of=of))
    except DomainError as refused:
        return {"seen": None, "needs_second_person": False, "obstacle": refused.message}
    figures = InvoiceFigures.of(seen.invoice)
    return {"seen": figures, "needs_second_person": seen.needs_second_person, "obstacle": ""}


@router.post(f"{_LIST}/{{number}}")
def invoice_order(form: FormOf, number: NumberOf) -> Response:
    """Invoice what the page showed, or make a draft of it, as the API does; the same page sent twice does it once."""
    who, act = form.visitor, form.text("act")
    if act not in ("invoice", "draft"):
        raise InvalidArgument("ACT_UNKNOWN", "use a button of the page")
    order = _order(who, number)
    shipments = to_invoice.sent(form.fields)
    if not shipments:
        raise InvalidArgument("NOTHING_CHOSEN", "tick at least one shipment")
    of = pb.InvoiceByHand(order_id=order.order_id, shipment_ids=shipments, lines=to_invoice.units_of(form.fields))
    if act == "draft":
        wanted = pb.MakeInvoiceDraftRequest(request_id=request_id(form), of=of, made_by=who.caller.principal.sub)
        draft = who.deps.billing.MakeInvoiceDraft(wanted).draft
        return leave(
            RedirectResponse(f"/accounting/drafts/{draft.draft_id}", 303), who.deps.console, "draft_made", order.number
        )
    made = who.deps.billing.CreateInvoice(pb.CreateInvoiceRequest(request_id=request_id(form), of=of)).invoice
    return leave(RedirectResponse(_LIST, 303), who.deps.console, "invoice_posted", made.number)


def _order(who: Visitor, number: str) -> Order:
    """The order; NotFound for one that does not exist."""
    with who.deps.database.reading() as session:
        return lookup.load_order(session, lookup.find_id(session, number, EVERYTHING), EVERYTHING)
