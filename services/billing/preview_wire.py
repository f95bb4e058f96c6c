"""Previews of payments: protobuf to domain and back."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from oms.billing.v1 import billing_pb2 as pb
from services.billing import answers, correcting, receiving, wire
from services.billing.previewing import InvoicePreview, Preview, Trial
from services.kernel.clock import business_day
from services.kernel.errors import InvalidArgument
from services.kernel.text import optional_text, text
from services.runtime.wire import money

_PREVIEW = "preview"
"""The request id that a refund's entries would have."""
_Ask: TypeAlias = Callable[[pb.PreviewPaymentRequest, datetime], Trial]


def trial(request: pb.PreviewPaymentRequest, now: datetime, time_zone: str) -> Trial:
    """The change that is asked about, as if it were made now."""
    if request.HasField("record"):
        return _record(request, now, time_zone)
    acts: dict[str | None, _Ask] = {"reverse": _reverse, "reapply": _reapply, "refund": _refund}
    ask = acts.get(request.WhichOneof("act"))
    if ask is None:
        raise InvalidArgument("FIELD_MISSING", "act is missing: send the call that is to be previewed")
    return ask(request, now)


def _record(request: pb.PreviewPaymentRequest, now: datetime, time_zone: str) -> Trial:
    receipt = wire.receipt(request.record, business_day(now, time_zone))
    return Trial(
        "", receipt.customer_id, receipt.amount.currency, lambda session: receiving.record(session, receipt, now)
    )


def _reverse(request: pb.PreviewPaymentRequest, now: datetime) -> Trial:
    asked = request.reverse
    payment_id, reason = text(asked.payment_id, "payment_id"), wire.reason(asked.reason)
    return Trial(payment_id, "", "", lambda session: correcting.reverse(session, payment_id, reason, now))


def _reapply(request: pb.PreviewPaymentRequest, now: datetime) -> Trial:
    asked = request.reapply
    payment_id, reason = text(asked.payment_id, "payment_id"), wire.reason(asked.reason)
    instruction, customer_id = wire.instruction(asked, ""), optional_text(asked.customer_id, "customer_id")
    return Trial(
        payment_id,
        customer_id,
        "",
        lambda session: correcting.reapply(session, payment_id, customer_id, instruction, reason, now),
    )


def _refund(request: pb.PreviewPaymentRequest, now: datetime) -> Trial:
    asked = request.refund
    payment_id, amount = text(asked.payment_id, "payment_id"), wire.money(asked, "amount", least=1)
    order_id, reason = optional_text(asked.order_id, "order_id"), wire.reason(asked.reason)
    return Trial(
        payment_id,
        "",
        "",
        lambda session: correcting.refund(
            session, payment_id, amount, order_id, reason, asked.request_id or _PREVIEW, now
        ),
    )


def preview_message(found: Preview, *, needs_second_person: bool) -> pb.PreviewPaymentResponse:
    """What the change would do."""
    return pb.PreviewPaymentResponse(
        payment=answers.payment(found.payment),
        invoices=[_invoice(one) for one in found.invoices],
        released_order_ids=found.released,
        waiting_order_ids=found.waiting,
        needs_second_person=needs_second_person,
    )


def _invoice(one: InvoicePreview) -> pb.InvoicePreview:
    return pb.InvoicePreview(
        invoice_id=one.invoice.invoice_id,
        number=one.invoice.number,
        order_id=one.invoice.order_id,
        order_number=one.invoice.order_number,
        open_before=money(one.invoice.open),
        open_after=money(one.open_after),
    )
