"""The step that finishes counts whose orders have lost goods that their shipments may still carry."""

from __future__ import annotations

from temporalio import activity

from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import counts_pb2 as pb
from services.kernel.errors import DomainError
from workflows.activities.calls import Services
from workflows.messages import Done, OrderIds

BATCH = 50


class CountActivities:
    """Counts as the workflows know them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @activity.defn(name="fulfillment.RecallUncovered")
    async def recall_uncovered(self, _ask: Done) -> OrderIds:
        """Take out of shipments what counts have taken from their orders, where whoever counted could not; those orders."""
        open_counts = await self._services.inventory.ListOpenCounts(pb.ListOpenCountsRequest(limit=BATCH))
        recalled: list[str] = []
        for count in open_counts.counts:
            if await self._finish(count):
                recalled += [losing.order_id for losing in count.orders]
        return OrderIds(recalled)

    async def _finish(self, count: pb.OpenCount) -> bool:
        """Whether it is closed; one that a service refuses holds up no other, and the audit shows it until it is mended."""
        try:
            for losing in count.orders:
                await self._services.fulfillment.RecallUncovered(recall(count, losing))
            await self._services.inventory.CloseCount(pb.CloseCountRequest(count_id=count.count_id))
        except DomainError as refused:
            activity.logger.error("a count cannot be finished", extra={"count_id": count.count_id, "why": str(refused)})
            return False
        return True


def recall(count: pb.OpenCount, losing: pb.LosingOrder) -> fulfillment_pb2.RecallUncoveredRequest:
    """What is asked of fulfillment for an order that lost by a count."""
    return fulfillment_pb2.RecallUncoveredRequest(
        order_id=losing.order_id,
        count_id=count.count_id,
        covered=[
            fulfillment_pb2.LineUnits(line_id=one.line_id, warehouse_id=one.warehouse_id, quantity=one.quantity)
            for one in losing.covered
        ],
        reason=count.why,
        is_whole_order=losing.is_whole_order,
        short=losing.short if losing.HasField("short") else None,
    )
