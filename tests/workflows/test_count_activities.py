"""The step that finishes counts: one that a service refuses holds up no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from temporalio.testing import ActivityEnvironment

from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import counts_pb2 as pb
from oms.types.v1 import types_pb2
from services.kernel.errors import Conflict
from workflows.activities.counts import CountActivities
from workflows.messages import Done


class Floor:
    """Two open counts; what is asked of the first one's order is refused."""

    def __init__(self) -> None:
        self.recalled: list[fulfillment_pb2.RecallUncoveredRequest] = []
        self.closed: list[str] = []

    async def ListOpenCounts(self, _request: pb.ListOpenCountsRequest) -> pb.ListOpenCountsResponse:
        short = types_pb2.ShortUnits(shipment_id="shp_2", line_id="1", quantity=3)
        return pb.ListOpenCountsResponse(
            counts=[
                pb.OpenCount(count_id="cnt_1", orders=[pb.LosingOrder(order_id="ord_1")]),
                pb.OpenCount(count_id="cnt_2", orders=[pb.LosingOrder(order_id="ord_2", short=short)]),
            ]
        )

    async def RecallUncovered(self, request: fulfillment_pb2.RecallUncoveredRequest) -> Any:
        if request.order_id == "ord_1":
            raise Conflict("SHIPMENT_MOVED", "it was picked just now")
        self.recalled.append(request)

    async def CloseCount(self, request: pb.CloseCountRequest) -> Any:
        self.closed.append(request.count_id)


async def test_a_count_that_is_refused_stays_open_and_the_next_one_is_finished() -> None:
    floor = Floor()
    steps = CountActivities(SimpleNamespace(inventory=floor, fulfillment=floor))  # type: ignore[arg-type]  # two of five

    done = await ActivityEnvironment().run(steps.recall_uncovered, Done())

    assert done.order_ids == ["ord_2"]
    assert floor.closed == ["cnt_2"]
    [sent] = floor.recalled
    assert (sent.short.shipment_id, sent.short.line_id, sent.short.quantity) == ("shp_2", "1", 3)
