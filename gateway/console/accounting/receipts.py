"""Recording a payment: a form, a page that says what it pays and which orders go, a button."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.accounting import asking
from gateway.console.accounting.consequences import consequences, orders_of
from gateway.console.accounting.names import choices, known_customer, names_of
from gateway.console.accounting.payment_form import NEW_PARTS, candidates, payment_of
from gateway.console.accounting.queries import Typed
from gateway.console.forms import query_fields
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import Form, FormOf, Returned, Visitor, VisitorOf
from gateway.http.neighbors.payments import receipt_of, record
from gateway.http.plumbing.idempotency import request_id_of
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.clock import business_day
from services.kernel.ids import new_id

router = APIRouter()


@router.get("/accounting/payments/new")
def new_payment_page(request: Request, who: VisitorOf, customer: Typed = "") -> Response:
    """The form: first whose payment it is, then what it is for."""
    fields = query_fields(request)
    if who.returned is None and len(fields) > 1:
        who = replace(who, returned=Returned(fields))
    known = known_customer(who, customer) if customer else None
    given = candidates(who, known.customer_id) if known else None
    return render(
        "payment_new.html",
        who,
        customer=known,
        given=given,
        names=names_of(who, (), {row.order_id for row in given.waiting} if given else ()),
        customers=choices(who),
        today=business_day(who.deps.clock(), who.deps.database.time_zone),
        new_rows=range(1, NEW_PARTS + 1),
    )


@router.get("/accounting/payments/new/preview")
def new_payment_preview(request: Request, who: VisitorOf) -> Response:
    """What the payment would pay now; nothing is recorded."""
    request.state.form = fields = query_fields(request)
    known = known_customer(who, fields.get("customer", ""))
    body = payment_of(who, known.customer_id, fields)
    wanted = pb.PreviewPaymentRequest(record=receipt_of(who.deps, body, "preview"))
    seen = who.deps.billing.PreviewPayment(wanted)
    names = names_of(who, {known.customer_id}, orders_of(None, seen))
    return render(
        "payment_preview.html",
        who,
        customer=known,
        body=body,
        given=consequences(None, seen, names),
        is_recorded=bool(asking.find(who, seen.payment.payment_id)),
        fields=fields,
        key=page_key(request, who),
    )


@router.post("/accounting/payments")
def record_payment(form: FormOf) -> Response:
    """Record it, as the API does; the same page sent twice records it once."""
    who = form.visitor
    known = known_customer(who, form.text("customer"))
    done = record(who.deps, payment_of(who, known.customer_id, form.fields), request_id(form))
    return leave(RedirectResponse(f"/accounting/payments/{done.payment_id}", 303), who.deps.console, "payment_recorded")


def page_key(request: Request, who: Visitor) -> str:
    """The key of a page's button: that of the press before, if its answer was lost, so that another press does nothing more."""
    return who.typed("key") or request.query_params.get("key") or new_id("req")


def request_id(form: Form, button: str = "") -> str:
    """The business key of what a page sends: that page's own, so that a second press of its button does nothing more.

    `button` tells the buttons of a page with several apart.
    """
    key = form.text("key", most=64) or new_id("req")
    return request_id_of(form.visitor.caller, f"{key}/{button}" if button else key)
