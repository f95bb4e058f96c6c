"""Payments: the list, and one with what it pays and what is held of it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.console.accounting import asking
from gateway.console.accounting.correction_values import decided_of, waiting_of
from gateway.console.accounting.names import choices, known_customer, names_of
from gateway.console.accounting.queries import Cursor, PaymentOf, Typed, Word, after, next_page
from gateway.console.pages import render
from gateway.console.visitor import VisitorOf

router = APIRouter()

_LIST = "/accounting/payments"

STATES = ("unapplied", "held", "applied", "refunded", "reversed")
"""What the list may be narrowed to."""


@router.get(_LIST)
def payments_page(
    who: VisitorOf, customer: Typed = "", reference: Typed = "", state: Word = "", cursor: Cursor = ""
) -> Response:
    """Payments, the newest first."""
    customer_id = known_customer(who, customer).customer_id if customer else ""
    found = asking.payments(who, customer_id=customer_id, reference=reference, state=state, cursor=after(_LIST, cursor))
    here = {"customer": customer, "reference": reference, "state": state}
    return render(
        "payments.html",
        who,
        page=found,
        wanted=here,
        is_filtered=any(here.values()),
        following=next_page(_LIST, found.next_cursor, **here),
        names=names_of(who, {row.customer_id for row in found.rows}),
        customers=choices(who),
        states=STATES,
    )


@router.get("/accounting/payments/{payment_id}")
def payment_page(who: VisitorOf, payment_id: PaymentOf) -> Response:
    """One payment, and what may be done about it."""
    found = asking.payment(who, payment_id)
    invoices = asking.invoices_by_id(who, {part.invoice_id for part in found.applications})
    waiting, decided = waiting_of(who, payment_id), decided_of(who, payment_id)
    may_act = who.may("POST /accounting/payments/{payment_id}/reversal")
    return render(
        "payment.html",
        who,
        found=found,
        waiting=waiting,
        decided=decided,
        named=[*([waiting.asked_by] if waiting else []), *([decided.decided_by] if decided else [])],
        invoices=invoices,
        names=names_of(who, {found.customer_id}, {part.order_id for part in found.deposits}),
        may_act=may_act and found.reversed_at is None and waiting is None,
    )
