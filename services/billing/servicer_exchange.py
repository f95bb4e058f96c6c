"""The part of BillingService that nets returns with what replaces their goods."""

import grpc
import structlog
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from services.billing import answers, exchanging, wire
from services.billing.servicer_part import ServicerPart
from services.kernel.errors import InvalidArgument
from services.kernel.text import text
from services.runtime import sessions
from services.runtime.wire import money

log = structlog.get_logger()


class ExchangeServicer(ServicerPart):
    """Exchanges netted and settled."""

    def NetExchange(self, request: pb.NetExchangeRequest, context: grpc.ServicerContext) -> pb.NetExchangeResponse:
        """Hold a return's cash for what replaces its goods."""
        return_id, order_id = text(request.return_id, "return_id"), text(request.order_id, "order_id")
        total, request_id = wire.money(request, "total"), text(request.request_id, "request_id")

        def act(session: Session) -> pb.NetExchangeResponse:
            held = exchanging.net(session, return_id, order_id, total, request_id, self.clock())
            return pb.NetExchangeResponse(
                held=[pb.LeftOverCash(payment_id=one.payment_id, amount=money(one.amount)) for one in held]
            )

        return self.database.once(request_id, request, pb.NetExchangeResponse, act)

    def SettleExchange(
        self, request: pb.SettleExchangeRequest, context: grpc.ServicerContext
    ) -> pb.SettleExchangeResponse:
        """Charge what a customer keeps of both; a repeat changes nothing."""
        if not request.HasField("order"):
            raise InvalidArgument("FIELD_MISSING", "order is missing: send the order as it stands")
        of = wire.order_to_bill(request.order, self.database.time_zone)
        charged, request_id = wire.quantities(request.lines), text(request.request_id, "request_id")
        with self.database.transaction() as session:
            now = self.clock()
            today = sessions.business_day(session, now)
            posted = exchanging.settle_exchange(session, of, charged, today, request_id, now)
            answer = pb.SettleExchangeResponse(invoice=answers.invoice(posted[0]) if posted else None)
        log.info("exchange.settled", order_id=of.order.order_id, invoices=[one.number for one in posted])
        return answer
