"""Corrections of payments: protobuf to domain and back, and as text while one waits for a second person."""

from datetime import datetime
from typing import TypeAlias

from google.protobuf import json_format

from oms.billing.v1 import billing_pb2 as pb
from services.billing import preview_wire, wire
from services.billing.domain.corrections import REAPPLICATION, REFUND, REVERSAL, Correction
from services.billing.domain.payments import Payment
from services.billing.previewing import Trial
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.kernel.text import optional_text, text
from services.runtime.wire import money

Request: TypeAlias = pb.ReversePaymentRequest | pb.ReapplyPaymentRequest | pb.RefundPaymentRequest

_REQUESTS: dict[str, type[Request]] = {
    REVERSAL: pb.ReversePaymentRequest,
    REAPPLICATION: pb.ReapplyPaymentRequest,
    REFUND: pb.RefundPaymentRequest,
}


def kind_of(request: Request) -> str:
    """Which correction a request is."""
    return next(kind for kind, made in _REQUESTS.items() if isinstance(request, made))


def amount_of(request: Request, payment: Money) -> Money:
    """What a correction is about: the refund, or the whole payment."""
    return wire.money(request, "amount", least=1) if isinstance(request, pb.RefundPaymentRequest) else payment


def moves_to(request: Request) -> str:
    """The customer that a payment moves to; empty where it stays."""
    return request.customer_id if isinstance(request, pb.ReapplyPaymentRequest) else ""


def order_of(request: Request) -> str:
    """The order whose cash is refunded; empty for any other."""
    return request.order_id if isinstance(request, pb.RefundPaymentRequest) else ""


def act_of(request: Request, now: datetime, time_zone: str) -> Trial:
    """The correction that is asked for, checked in its shape."""
    return preview_wire.trial(preview_of(request), now, time_zone)


def preview_of(request: Request) -> pb.PreviewPaymentRequest:
    """Asks what a correction would do."""
    asked = pb.PreviewPaymentRequest()
    member = {REVERSAL: asked.reverse, REAPPLICATION: asked.reapply, REFUND: asked.refund}[kind_of(request)]
    member.MergeFrom(request)
    return asked


def corrected_amount(request: pb.PreviewPaymentRequest, after: Payment) -> Money | None:
    """What a limit is held against once the previewed correction is made: the whole payment, or with a refund all that has gone back of it; None for a payment that is recorded."""
    if request.HasField("record"):
        return None
    return after.returned if request.HasField("refund") else after.amount


def asked_by(request: Request) -> str:
    """Who asks; empty where nobody is asked about."""
    return optional_text(request.asked_by, "asked_by")


def kept(request: Request) -> str:
    """A request as text, while it waits."""
    return json_format.MessageToJson(request, indent=None)


def request_of(correction: Correction, request_id: str) -> Request:
    """What was asked, to be done under the decision's key."""
    made = json_format.Parse(correction.request, _REQUESTS[correction.kind]())
    made.request_id = request_id
    return made


def note(request: pb.DecidePaymentCorrectionRequest) -> str:
    """Why; who declines must say."""
    said = optional_text(request.note, "note", wire.MAX_REASON)
    if not request.is_approved and not said:
        raise InvalidArgument("REASON_MISSING", "say why it is declined: who asked for it reads that")
    return said


def decided_by(request: pb.DecidePaymentCorrectionRequest) -> str:
    """Who decides."""
    return text(request.decided_by, "decided_by")


def message(correction: Correction) -> pb.PaymentCorrection:
    """A correction as it stands."""
    return pb.PaymentCorrection(
        correction_id=correction.correction_id,
        payment_id=correction.payment_id,
        kind=correction.kind,
        amount=money(correction.amount),
        reason=correction.reason,
        asked_by=correction.asked_by,
        asked_at_micros=micros(correction.asked_at),
        state=correction.state,
        decided_by=correction.decided_by,
        decided_at_micros=micros(correction.decided_at) if correction.decided_at else 0,
        note=correction.note,
        invoice_id=correction.invoice_id,
    )
