"""What a small inventory and a small warehouse know of counts."""

from __future__ import annotations

from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from oms.inventory.v1 import counts_pb2 as pb
from oms.inventory.v1 import inventory_pb2 as inventory
from services.kernel.errors import Conflict


class Counts:
    """Who holds what is counted, and what the next count is answered; `moving` counts find other holders first."""

    def __init__(self) -> None:
        self.holders: list[pb.Holder] = []
        self.count_answer = pb.CountStockResponse()
        self.stock_counts: list[pb.CountStockRequest] = []
        self.moving = 0
        self.reservation = inventory.GetReservationResponse()

    def ListHolders(self, _request: pb.ListHoldersRequest) -> pb.ListHoldersResponse:
        return pb.ListHoldersResponse(holders=self.holders)

    def CountStock(self, request: pb.CountStockRequest) -> pb.CountStockResponse:
        if self.moving:
            self.moving -= 1
            raise Conflict("HOLDERS_CHANGED", "promised to another order just now: count it again")
        self.stock_counts.append(request)
        answer = pb.CountStockResponse()
        answer.CopyFrom(self.count_answer)
        answer.count_id = "" if request.is_preview else "cnt_1"
        return answer

    def GetReservation(self, _request: inventory.GetReservationRequest) -> inventory.GetReservationResponse:
        return self.reservation


class Uncovered:
    """What counts have taken out of shipments."""

    def __init__(self) -> None:
        self.uncovered: list[fulfillment.RecallUncoveredRequest] = []

    def RecallUncovered(self, request: fulfillment.RecallUncoveredRequest) -> fulfillment.RecallUncoveredResponse:
        self.uncovered.append(request)
        return fulfillment.RecallUncoveredResponse()
