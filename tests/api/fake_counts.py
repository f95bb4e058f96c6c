"""What a small inventory and a small warehouse know of counts."""

from __future__ import annotations

from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from oms.inventory.v1 import counts_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import Conflict


class Counts:
    """Who holds what is counted, and what the next count is answered; `moving` counts find other holders first."""

    def __init__(self) -> None:
        self.holders: list[pb.Holder] = []
        self.count_answer = pb.CountStockResponse()
        self.stock_counts: list[pb.CountStockRequest] = []
        self.moving = 0
        self.short_picks: list[pb.BookShortPickRequest] = []
        self.open_counts: list[pb.OpenCount] = []
        self.closed_counts: list[str] = []

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

    def BookShortPick(self, request: pb.BookShortPickRequest) -> pb.BookShortPickResponse:
        self.short_picks.append(request)
        count_id = f"cnt_short_{len(self.short_picks)}"
        short = types.ShortUnits(
            shipment_id=request.shipment_id, line_id=request.line_id, quantity=request.short_quantity
        )
        losing = pb.LosingOrder(order_id=request.order_id, short=short)
        self.open_counts.append(pb.OpenCount(count_id=count_id, sku=request.sku, why=request.reason, orders=[losing]))
        return pb.BookShortPickResponse(count_id=count_id, delta=-request.short_quantity)

    def ListOpenCounts(self, request: pb.ListOpenCountsRequest) -> pb.ListOpenCountsResponse:
        closed = set(self.closed_counts)
        found = [one for one in self.open_counts if one.count_id == request.count_id and one.count_id not in closed]
        return pb.ListOpenCountsResponse(counts=found)

    def CloseCount(self, request: pb.CloseCountRequest) -> pb.CloseCountResponse:
        self.closed_counts.append(request.count_id)
        return pb.CloseCountResponse()


class Uncovered:
    """What counts have taken out of shipments."""

    def __init__(self) -> None:
        self.uncovered: list[fulfillment.RecallUncoveredRequest] = []
        self.shipments: dict[str, fulfillment.Shipment] = {}

    def RecallUncovered(self, request: fulfillment.RecallUncoveredRequest) -> fulfillment.RecallUncoveredResponse:
        self.uncovered.append(request)
        for line in self.shipments[request.short.shipment_id].lines if request.HasField("short") else ():
            if line.line_id == request.short.line_id:
                line.quantity -= request.short.quantity
        return fulfillment.RecallUncoveredResponse()
