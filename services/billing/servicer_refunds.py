"""The part of BillingService that lists what is owed back to cards, has it tried again, and records that it was paid otherwise."""

from typing import TypeAlias

import grpc
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from services.billing import owing, wire
from services.billing.domain.refunds import STATES, OwedRefund
from services.billing.servicer_part import ServicerPart
from services.billing.store import refunds
from services.kernel.clock import micros
from services.kernel.text import optional_text, text
from services.runtime.wire import money, page_size

Context: TypeAlias = grpc.ServicerContext


class RefundServicer(ServicerPart):
    """Refunds that are owed to cards."""

    def ListOwedRefunds(self, request: pb.ListOwedRefundsRequest, context: Context) -> pb.ListOwedRefundsResponse:
        """What is or was owed back to cards, oldest first."""
        limit, after = page_size(request.limit), optional_text(request.cursor, "cursor")
        state, order_id = (
            wire.one_of(request.state, STATES, "state of a refund"),
            optional_text(request.order_id, "order_id"),
        )
        with self.database.reading() as session:
            page = refunds.page(session, state=state, order_id=order_id, after=after, limit=limit + 1)
        cursor = page[limit - 1].refund_id if len(page) > limit else ""
        return pb.ListOwedRefundsResponse(refunds=map(_message, page[:limit]), next_cursor=cursor)

    def RetryOwedRefund(self, request: pb.RetryOwedRefundRequest, context: Context) -> pb.RetryOwedRefundResponse:
        """Have the provider asked at once."""
        refund_id = text(request.refund_id, "refund_id")

        def act(session: Session) -> pb.RetryOwedRefundResponse:
            return pb.RetryOwedRefundResponse(refund=_message(owing.retry(session, refund_id, self.clock())))

        answer = self.database.once(request.request_id, request, pb.RetryOwedRefundResponse, act)
        self.desk.wake()
        return answer

    def PayOwedRefundOtherwise(
        self, request: pb.PayOwedRefundOtherwiseRequest, context: Context
    ) -> pb.PayOwedRefundOtherwiseResponse:
        """Record that it was paid another way; over the limit once a second person says so."""
        refund_id, who = text(request.refund_id, "refund_id"), text(request.asked_by, "asked_by")
        reference = text(request.reference, "reference")

        def act(session: Session) -> pb.PayOwedRefundOtherwiseResponse:
            owed = owing.pay_otherwise(session, refund_id, who, reference, self.limits, self.clock())
            return pb.PayOwedRefundOtherwiseResponse(refund=_message(owed))

        return self.database.once(request.request_id, request, pb.PayOwedRefundOtherwiseResponse, act)


def _message(owed: OwedRefund) -> pb.OwedRefund:
    return pb.OwedRefund(
        refund_id=owed.refund_id,
        order_id=owed.order_id,
        customer_id=owed.customer_id,
        payment_id=owed.payment_id,
        amount=money(owed.amount),
        state=owed.state,
        failed_count=owed.failed_count,
        reason=owed.reason,
        is_escalated=owed.is_escalated,
        proposed_by=owed.proposed_by,
        reference=owed.reference,
        owed_at_micros=micros(owed.owed_at),
        settled_at_micros=micros(owed.settled_at) if owed.settled_at else 0,
        settled_by=owed.settled_by,
    )
