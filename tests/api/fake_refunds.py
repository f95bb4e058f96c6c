"""What is owed back to cards, in memory."""

from __future__ import annotations

from oms.billing.v1 import billing_pb2 as billing
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import NotFound, Refused
from tests.api.neighbor import Neighbor

OWED = billing.OwedRefund(
    refund_id="rfd_1", order_id="ord_1", customer_id="cus_acme", payment_id="pay_1", amount=types.Money(minor_units=75_000, currency="USD"),
    state="open", failed_count=5, reason="insufficient_funds", is_escalated=True, owed_at_micros=1,
)  # fmt: skip


class FakeRefunds(Neighbor):
    """One refund that the provider has refused."""

    def __init__(self) -> None:
        super().__init__()
        self.owed = billing.OwedRefund()
        self.owed.CopyFrom(OWED)

    def ListOwedRefunds(self, request: billing.ListOwedRefundsRequest) -> billing.ListOwedRefundsResponse:
        self.here()
        is_shown = request.state in ("", self.owed.state) and request.order_id in ("", self.owed.order_id)
        return billing.ListOwedRefundsResponse(refunds=[self.owed] if is_shown and not request.cursor else [])

    def RetryOwedRefund(self, request: billing.RetryOwedRefundRequest) -> billing.RetryOwedRefundResponse:
        return self.once(request, lambda: billing.RetryOwedRefundResponse(refund=self._open(request.refund_id)))

    def PayOwedRefundOtherwise(
        self, request: billing.PayOwedRefundOtherwiseRequest
    ) -> billing.PayOwedRefundOtherwiseResponse:
        def act() -> billing.PayOwedRefundOtherwiseResponse:
            owed = self._open(request.refund_id)
            owed.state, owed.reference, owed.settled_by = "paid_otherwise", request.reference, request.asked_by
            owed.settled_at_micros = 2
            return billing.PayOwedRefundOtherwiseResponse(refund=owed)

        return self.once(request, act)

    def _open(self, refund_id: str) -> billing.OwedRefund:
        if refund_id != self.owed.refund_id:
            raise NotFound("REFUND_NOT_FOUND", "there is no such refund")
        if self.owed.state != "open":
            raise Refused("REFUND_SETTLED", "the refund is paid already")
        return self.owed
