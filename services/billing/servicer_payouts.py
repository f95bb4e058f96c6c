"""The part of BillingService that records what marketplaces and tills pay out, and lists what they owe."""

from typing import TypeAlias

import grpc
import structlog
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from services.billing import paying_out, payout_wire, wire
from services.billing.domain.payouts import SALE_STATUSES
from services.billing.servicer_part import ServicerPart
from services.billing.store import sales
from services.kernel.text import optional_text
from services.runtime.wire import page_size

log = structlog.get_logger()
Context: TypeAlias = grpc.ServicerContext


class PayoutServicer(ServicerPart):
    """Payouts and the sales that they pay."""

    def RecordPayout(self, request: pb.RecordPayoutRequest, context: Context) -> pb.RecordPayoutResponse:
        """Record what a marketplace or a till paid out; the same reference of a channel is one payout."""
        asked = payout_wire.payout(request)

        def act(session: Session) -> pb.RecordPayoutResponse:
            payout = paying_out.record(session, asked, self.clock())
            log.info("payout.recorded", payout_id=payout.payout_id, sales=len(payout.lines))
            return pb.RecordPayoutResponse(payout=payout_wire.payout_message(payout))

        return self.database.once(request.request_id, request, pb.RecordPayoutResponse, act)

    def ListPayouts(self, request: pb.ListPayoutsRequest, context: Context) -> pb.ListPayoutsResponse:
        """Payouts, oldest first."""
        limit, after = page_size(request.limit), optional_text(request.cursor, "cursor")
        channel = wire.one_of(request.channel, payout_wire.CHANNELS, "channel that pays out")
        with self.database.reading() as session:
            page, cursor = sales.payouts(session, channel=channel, after=after, limit=limit)
        return pb.ListPayoutsResponse(payouts=map(payout_wire.payout_message, page), next_cursor=cursor)

    def ListMarketplaceSales(
        self, request: pb.ListMarketplaceSalesRequest, context: Context
    ) -> pb.ListMarketplaceSalesResponse:
        """What marketplaces and tills owe, by channel and reference."""
        limit, after = page_size(request.limit), payout_wire.sales_cursor(request.cursor)
        channel = wire.one_of(request.channel, payout_wire.CHANNELS, "channel that pays out")
        status = wire.one_of(request.status, SALE_STATUSES, "status of a sale")
        if keys := payout_wire.named_sales(request.references):
            with self.database.reading() as session:
                named = sales.of_references(session, keys, channel=channel, status=status)
            return pb.ListMarketplaceSalesResponse(sales=map(payout_wire.sale_message, named))
        with self.database.reading() as session:
            page = sales.page(session, channel=channel, status=status, after=after, limit=limit + 1)
        cursor = payout_wire.cursor_after(page[limit - 1]) if len(page) > limit else ""
        return pb.ListMarketplaceSalesResponse(sales=map(payout_wire.sale_message, page[:limit]), next_cursor=cursor)
