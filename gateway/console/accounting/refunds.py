"""Refunds that are owed to cards: what is not paid yet and why, another try, and that it was paid another way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.accounting.names import names_of
from gateway.console.accounting.queries import Cursor, PaymentOf, Word, after, next_page
from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.accounting.values import moment, money
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, Visitor, VisitorOf
from gateway.http.neighbors import refunds as api
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money

router = APIRouter()

_PATH = "/accounting/refunds"
STATES = ("open", "paid", "paid_otherwise")
PAGE = 50


@dataclass(frozen=True, slots=True)
class RefundShown:
    """What is owed back to a card, or was; `proposed_by` wants it paid otherwise under `reference`."""

    refund_id: str
    order_id: str
    customer_id: str
    payment_id: str
    amount: Money
    state: str
    failed_count: int
    reason: str
    is_escalated: bool
    proposed_by: str
    reference: str
    owed_at: datetime | None
    settled_at: datetime | None
    settled_by: str

    @classmethod
    def of(cls, row: pb.OwedRefund) -> RefundShown:
        """From the wire."""
        return cls(
            row.refund_id,
            row.order_id,
            row.customer_id,
            row.payment_id,
            money(row.amount, row.amount.currency),
            row.state,
            row.failed_count,
            row.reason,
            row.is_escalated,
            row.proposed_by,
            row.reference,
            moment(row.owed_at_micros),
            moment(row.settled_at_micros),
            row.settled_by,
        )


@dataclass(frozen=True, slots=True)
class RefundPage:
    """A page of a list of refunds."""

    rows: tuple[RefundShown, ...]
    next_cursor: str


def refunds(who: Visitor, *, state: str, cursor: str = "", limit: int = PAGE) -> RefundPage:
    """Refunds in a state, oldest first."""
    found = who.deps.billing.ListOwedRefunds(pb.ListOwedRefundsRequest(state=state, limit=limit, cursor=cursor))
    return RefundPage(tuple(RefundShown.of(row) for row in found.refunds), found.next_cursor)


@router.get(_PATH)
def refunds_page(request: Request, who: VisitorOf, state: Word = "open", cursor: Cursor = "") -> Response:
    """What is owed, or was paid, the oldest first."""
    wanted = state if state in STATES else ""
    found = refunds(who, state=wanted, cursor=after(_PATH, cursor))
    return render(
        "refunds.html",
        who,
        rows=found.rows,
        state=wanted,
        states=STATES,
        next_cursor=found.next_cursor,
        following=next_page(_PATH, found.next_cursor, state=wanted),
        names=names_of(who, {row.customer_id for row in found.rows}, {row.order_id for row in found.rows}),
        key=page_key(request, who),
    )


@router.post("/accounting/refunds/{refund_id}/retry")
def retry_refund(form: FormOf, refund_id: PaymentOf) -> Response:
    """Have the provider asked at once."""
    api.retried(form.visitor.deps, refund_id, request_id(form, f"retry/{refund_id}"))
    return leave(RedirectResponse(_PATH, 303), form.visitor.deps.console, "refund_retried")


@router.post("/accounting/refunds/{refund_id}/payment")
def pay_refund(form: FormOf, refund_id: PaymentOf) -> Response:
    """Record that it was paid another way; over the limit another person does the same before it is."""
    reference = form.text("reference", most=64)
    if not reference:
        raise InvalidArgument("REFERENCE_MISSING", "enter the bank's reference of the payment")
    who = form.visitor.caller.principal.sub
    owed = api.paid(form.visitor.deps, refund_id, reference, who, request_id(form, f"pay/{refund_id}"))
    code = "refund_proposed" if owed.state == "open" else "refund_paid"
    return leave(RedirectResponse(_PATH, 303), form.visitor.deps.console, code)
