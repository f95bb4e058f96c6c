"""Corrections of payments that wait for a second person: a list, and a page that says what follows before its buttons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import RedirectResponse

from gateway.console.accounting import asking
from gateway.console.accounting.names import names_of
from gateway.console.accounting.queries import Cursor, after, next_page
from gateway.console.accounting.receipts import request_id
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, Visitor, VisitorOf
from gateway.http.plumbing.inputs import IDENTITY
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.clock import from_micros
from services.kernel.ids import new_id
from services.kernel.money import Money

router = APIRouter()

_LIST = "/accounting/corrections"

CorrectionOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@dataclass(frozen=True, slots=True)
class CorrectionShown:
    """A correction as pages show it."""

    correction_id: str
    payment_id: str
    kind: str
    amount: Money
    reason: str
    asked_by: str
    asked_at: datetime
    state: str
    decided_by: str
    note: str

    @classmethod
    def of(cls, row: pb.PaymentCorrection) -> CorrectionShown:
        """From billing's message."""
        return cls(
            row.correction_id,
            row.payment_id,
            row.kind,
            Money(row.amount.minor_units, row.amount.currency),
            row.reason,
            row.asked_by,
            from_micros(row.asked_at_micros),
            row.state,
            row.decided_by,
            row.note,
        )


def waiting_of(who: Visitor, payment_id: str) -> CorrectionShown | None:
    """The correction of a payment that waits for a second person."""
    wanted = pb.ListPaymentCorrectionsRequest(state="waiting", payment_id=payment_id, limit=1)
    found = who.deps.billing.ListPaymentCorrections(wanted).corrections
    return CorrectionShown.of(found[0]) if found else None


@router.get(_LIST)
def corrections_page(who: VisitorOf, cursor: Cursor = "") -> Response:
    """What waits for a second person, the oldest first."""
    wanted = pb.ListPaymentCorrectionsRequest(state="waiting", limit=asking.PAGE, cursor=after(_LIST, cursor))
    found = who.deps.billing.ListPaymentCorrections(wanted)
    rows = [CorrectionShown.of(row) for row in found.corrections]
    payments = {row.payment_id: asking.find(who, row.payment_id) for row in rows}
    return render(
        "corrections.html",
        who,
        rows=rows,
        payments=payments,
        names=names_of(who, {one.customer_id for one in payments.values() if one}, set()),
        next_cursor=found.next_cursor,
        following=next_page(_LIST, found.next_cursor),
        named=[row.asked_by for row in rows],
        me=who.caller.principal.sub,
        key=new_id("req"),
        may_decide=who.may("POST /accounting/corrections/{correction_id}"),
    )


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
