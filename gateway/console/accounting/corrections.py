"""Reversing, reapplying and refunding a payment: each says what follows before its button is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.accounting import asking
from gateway.console.accounting.consequences import Consequences, consequences, orders_of
from gateway.console.accounting.names import choices, known_customer, names_of
from gateway.console.accounting.payment_form import NEW_PARTS, candidates, reapplication_of, reason_of, refund_of
from gateway.console.accounting.queries import PaymentOf, Typed
from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.accounting.values import PaymentShown
from gateway.console.forms import query_fields
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import Form, FormOf, Returned, Visitor, VisitorOf
from gateway.http.neighbors import payment_corrections as api
from oms.billing.v1 import billing_pb2 as pb

router = APIRouter()

_NO_REASON = "preview"
"""Why, while nobody has said it yet: a preview keeps nothing."""


@router.get("/accounting/payments/{payment_id}/reversal")
def reversal_page(request: Request, who: VisitorOf, payment_id: PaymentOf) -> Response:
    """What reversing would do, and the button."""
    before = asking.payment(who, payment_id)
    wanted = pb.ReversePaymentRequest(payment_id=payment_id, reason=_NO_REASON)
    return render("payment_reversal.html", who, **previewed(request, who, before, reverse=wanted))


@router.post("/accounting/payments/{payment_id}/reversal")
def reverse_payment(form: FormOf, payment_id: PaymentOf) -> Response:
    """Reverse it, as the API does."""
    reason = reason_of(form.fields)
    wanted = pb.ReversePaymentRequest(
        request_id=request_id(form), payment_id=payment_id, reason=reason, asked_by=form.visitor.caller.principal.sub
    )
    answer = form.visitor.deps.billing.ReversePayment(wanted)
    return _back(form, payment_id, "payment_reversed", answer.waiting)


@router.get("/accounting/payments/{payment_id}/reapply")
def reapply_page(request: Request, who: VisitorOf, payment_id: PaymentOf, customer: Typed = "") -> Response:
    """The form: whose payment it is, and what it is for."""
    who = _typed(request, who)
    before = asking.payment(who, payment_id)
    known = known_customer(who, customer or before.customer_id)
    given = candidates(who, known.customer_id, before)
    orders = {row.order_id for row in given.waiting} | {part.order_id for part in before.deposits}
    return render(
        "payment_reapply.html",
        who,
        before=before,
        customer=known,
        given=given,
        names=names_of(who, {before.customer_id}, orders),
        customers=choices(who),
        new_rows=range(1, NEW_PARTS + 1),
    )


@router.get("/accounting/payments/{payment_id}/reapply/preview")
def reapply_preview(request: Request, who: VisitorOf, payment_id: PaymentOf) -> Response:
    """What the other use would do now."""
    request.state.form = fields = query_fields(request)
    before = asking.payment(who, payment_id)
    wanted = _reapplication(who, before, fields, "preview")
    return render(
        "payment_correction.html", who, act="reapply", fields=fields, **previewed(request, who, before, reapply=wanted)
    )


@router.post("/accounting/payments/{payment_id}/reapply")
def reapply_payment(form: FormOf, payment_id: PaymentOf) -> Response:
    """Put it to another use, as the API does."""
    who = form.visitor
    before = asking.payment(who, payment_id)
    wanted = _reapplication(who, before, form.fields, request_id(form))
    wanted.asked_by = who.caller.principal.sub
    return _back(form, payment_id, "payment_reapplied", who.deps.billing.ReapplyPayment(wanted).waiting)


@router.get("/accounting/payments/{payment_id}/refund")
def refund_page(request: Request, who: VisitorOf, payment_id: PaymentOf) -> Response:
    """The form: how much, and out of what."""
    who = _typed(request, who)
    before = asking.payment(who, payment_id)
    names = names_of(who, {before.customer_id}, {part.order_id for part in before.deposits})
    return render("payment_refund.html", who, before=before, names=names)


@router.get("/accounting/payments/{payment_id}/refund/preview")
def refund_preview(request: Request, who: VisitorOf, payment_id: PaymentOf) -> Response:
    """What the refund would do now."""
    request.state.form = fields = query_fields(request)
    before = asking.payment(who, payment_id)
    wanted = api.refund_of(who.deps, payment_id, refund_of(before, fields), "preview")
    return render(
        "payment_correction.html", who, act="refund", fields=fields, **previewed(request, who, before, refund=wanted)
    )


@router.post("/accounting/payments/{payment_id}/refund")
def refund_payment(form: FormOf, payment_id: PaymentOf) -> Response:
    """Give it back, as the API does."""
    who = form.visitor
    body = refund_of(asking.payment(who, payment_id), form.fields)
    wanted = api.refund_of(who.deps, payment_id, body, request_id(form))
    wanted.asked_by = who.caller.principal.sub
    return _back(form, payment_id, "payment_refunded", who.deps.billing.RefundPayment(wanted).waiting)


def _reapplication(
    who: Visitor, before: PaymentShown, fields: Mapping[str, str], business_key: str
) -> pb.ReapplyPaymentRequest:
    known = known_customer(who, fields.get("customer", "") or before.customer_id)
    body = reapplication_of(who, before, known.customer_id, fields)
    return api.reapplication_of(who.deps, before.payment_id, body, business_key)


def _typed(request: Request, who: Visitor) -> Visitor:
    """Whoever comes back to a form to change it finds what was typed."""
    fields = query_fields(request)
    return replace(who, returned=Returned(fields)) if who.returned is None and fields else who


def previewed(request: Request, who: Visitor, before: PaymentShown, **act: Any) -> dict[str, Any]:
    """The payment, what follows, and the key that makes a second press of the button harmless."""
    seen = who.deps.billing.PreviewPayment(pb.PreviewPaymentRequest(**act))
    names = names_of(who, {before.customer_id, seen.payment.customer_id}, orders_of(before, seen))
    given: Consequences = consequences(before, seen, names)
    return {"before": before, "given": given, "names": names, "key": page_key(request, who)}


def _back(form: Form, payment_id: str, notice: str, waiting: pb.PaymentCorrection) -> Response:
    answer = RedirectResponse(f"/accounting/payments/{payment_id}", 303)
    return leave(answer, form.visitor.deps.console, "correction_waits" if waiting.correction_id else notice)
