"""The part of BillingService that credits returns and gives their cash back."""

from decimal import Decimal, InvalidOperation

import grpc
import structlog
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from services.billing import credit_wire, returning, wire
from services.billing.domain.returned import Returned
from services.billing.servicer_part import ServicerPart
from services.kernel.bounds import MAX_LINES
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import positive
from services.kernel.text import optional_text, text
from services.runtime.wire import money

log = structlog.get_logger()


class ReturnServicer(ServicerPart):
    """Returns credited and refunded."""

    def CreditReturn(self, request: pb.CreditReturnRequest, context: grpc.ServicerContext) -> pb.CreditReturnResponse:
        """Credit what a warehouse counted."""
        order_id, return_id = text(request.order_id, "order_id"), text(request.return_id, "return_id")
        lines, reason = _lines(request), wire.reason(request.reason)
        with self.database.reading() as session:
            is_waiting = returning.is_waiting(session, order_id)
        of = wire.order_to_bill(self.read_order(order_id), self.database.time_zone) if is_waiting else None

        def act(session: Session) -> pb.CreditReturnResponse:
            notes = returning.credit(session, order_id, return_id, lines, reason, self.clock(), of)
            log.info("return.credited", order_id=order_id, return_id=return_id, credit_notes=[n.number for n in notes])
            return pb.CreditReturnResponse(credit_notes=map(credit_wire.note_message, notes))

        return self.database.once(request.request_id, request, pb.CreditReturnResponse, act)

    def RefundReturn(self, request: pb.RefundReturnRequest, context: grpc.ServicerContext) -> pb.RefundReturnResponse:
        """Give the cash of a return back; a second call gives nothing."""
        return_id, request_id = text(request.return_id, "return_id"), text(request.request_id, "request_id")
        by_card: list[str] = []

        def act(session: Session) -> pb.RefundReturnResponse:
            done = returning.refund(session, return_id, request_id, f"return {return_id}", self.clock())
            by_card.extend(key for _, key in done if key)
            log.info("return.refunded", return_id=return_id, parts=len(done))
            return pb.RefundReturnResponse(
                refunded=[pb.LeftOverCash(payment_id=one.payment_id, amount=money(one.amount)) for one, _ in done]
            )

        answer = self.database.once(request_id, request, pb.RefundReturnResponse, act)
        for key in by_card:
            self.desk.pursue(key)
        return answer


def _lines(request: pb.CreditReturnRequest) -> tuple[Returned, ...]:
    if not 1 <= len(request.lines) <= MAX_LINES:
        raise InvalidArgument("LINES_OUT_OF_RANGE", f"a return credits from 1 to {MAX_LINES} lines at once")
    return tuple(
        Returned(
            text(line.line_id, "line_id"),
            positive(line.quantity, "quantity"),
            optional_text(line.shipment_id, "shipment_id"),
            _percent(line.fee_percent),
            wire.money(line, "fee_of_unit") if line.HasField("fee_of_unit") else None,
            line.is_ours,
        )
        for line in request.lines
    )


def _percent(given: str) -> Decimal:
    try:
        percent = Decimal(given or "0")
    except InvalidOperation:
        percent = Decimal(-1)
    if not (percent.is_finite() and 0 <= percent <= 100 and percent == round(percent, 4)):
        raise InvalidArgument("FEE_PERCENT", "fee_percent is from 0 to 100 with at most four decimals")
    return percent
