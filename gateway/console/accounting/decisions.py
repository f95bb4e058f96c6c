"""Corrections of payments that wait for a second person: a list, and a page that says what follows before its buttons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.accounting import asking
from gateway.console.accounting.corrections import previewed
from gateway.console.accounting.names import names_of
from gateway.console.accounting.queries import Cursor, after, next_page
from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.accounting.values import PaymentShown, moment
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, Visitor, VisitorOf
from gateway.http.plumbing.inputs import IDENTITY
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.clock import from_micros
from services.kernel.errors import DomainError, NotFound
from services.kernel.money import Money

router = APIRouter()

_LIST = "/accounting/corrections"
_MOST = 500

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
    decided_at: datetime | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has decided it yet."""
        return self.state == "waiting"

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
            moment(row.decided_at_micros),
        )


def waiting_of(who: Visitor, payment_id: str) -> CorrectionShown | None:
    """The correction of a payment that waits for a second person."""
    wanted = pb.ListPaymentCorrectionsRequest(state="waiting", payment_id=payment_id, limit=1)
    found = who.deps.billing.ListPaymentCorrections(wanted).corrections
    return CorrectionShown.of(found[0]) if found else None


def decided_of(who: Visitor, payment_id: str) -> CorrectionShown | None:
    """The latest correction of a payment that a second person decided, among its first 500."""
    wanted = pb.ListPaymentCorrectionsRequest(payment_id=payment_id, limit=_MOST)
    found = [CorrectionShown.of(row) for row in who.deps.billing.ListPaymentCorrections(wanted).corrections]
    return next((one for one in reversed(found) if not one.is_waiting), None)


@router.get(_LIST)
def corrections_page(who: VisitorOf, cursor: Cursor = "") -> Response:
    """What waits for a second person, the oldest first."""
    wanted = pb.ListPaymentCorrectionsRequest(state="waiting", limit=asking.PAGE, cursor=after(_LIST, cursor))
    found = who.deps.billing.ListPaymentCorrections(wanted)
    rows = [CorrectionShown.of(row) for row in found.corrections]
    payments = asking.payments_by_id(who, {row.payment_id for row in rows})
    return render(
        "corrections.html",
        who,
        rows=rows,
        payments=payments,
        names=names_of(who, {one.customer_id for one in payments.values()}),
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
        **_follows(request, who, found, asking.payment(who, found.payment_id)),
    )


def _correction(who: Visitor, correction_id: str) -> CorrectionShown:
    wanted = pb.ListPaymentCorrectionsRequest(correction_id=correction_id)
    found = who.deps.billing.ListPaymentCorrections(wanted).corrections
    if not found:
        raise NotFound("CORRECTION_NOT_FOUND", "there is no such correction: look at those that wait")
    return CorrectionShown.of(found[0])


def _follows(request: Request, who: Visitor, found: CorrectionShown, before: PaymentShown) -> dict[str, Any]:
    """What approving would do now, or why it cannot be done any more; neither once it is decided."""
    obstacle = ""
    if found.is_waiting:
        try:
            return {**previewed(request, who, before, correction_id=found.correction_id), "obstacle": obstacle}
        except DomainError as refused:
            obstacle = refused.message
    names = names_of(who, {before.customer_id})
    return {"before": before, "given": None, "names": names, "key": page_key(request, who), "obstacle": obstacle}


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
