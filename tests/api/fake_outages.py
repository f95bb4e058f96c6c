"""The outages of a small inventory."""

from __future__ import annotations

from oms.inventory.v1 import outage_pb2 as pb
from services.kernel.errors import NotFound, Refused


class Outages:
    """By warehouse, as they were declared; of the warehouses that are known."""

    def __init__(self) -> None:
        self.all: list[pb.Outage] = []

    def listed(self, request: pb.ListOutagesRequest) -> pb.ListOutagesResponse:
        found = [
            one
            for one in reversed(self.all)
            if request.warehouse_id in ("", one.warehouse_id) and not (request.is_open_only and one.ended_at_micros)
        ]
        return pb.ListOutagesResponse(outages=found)

    def declare(self, request: pb.DeclareOutageRequest, known: set[str]) -> pb.DeclareOutageResponse:
        if request.warehouse_id not in known:
            raise NotFound("WAREHOUSE_UNKNOWN", "there is no such warehouse: put it first")
        if any(one.warehouse_id == request.warehouse_id and not one.ended_at_micros for one in self.all):
            raise Refused("WAREHOUSE_CLOSED", "it is closed already")
        made = pb.Outage(
            outage_id=f"out_{len(self.all) + 1}",
            warehouse_id=request.warehouse_id,
            reason=request.reason,
            declared_by=request.declared_by,
            began_at_micros=1_700_000_000_000_000,
            ends_at_micros=request.ends_at_micros,
            order_count=2,
        )
        self.all.append(made)
        return pb.DeclareOutageResponse(outage=made)

    def end(self, request: pb.EndOutageRequest) -> pb.EndOutageResponse:
        for one in self.all:
            if one.warehouse_id == request.warehouse_id and not one.ended_at_micros:
                one.ended_at_micros = 1_700_000_001_000_000
                return pb.EndOutageResponse(outage=one)
        raise Refused("NO_OUTAGE", "no outage of it lasts")
