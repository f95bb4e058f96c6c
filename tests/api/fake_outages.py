"""The outages of a small inventory."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from oms.inventory.v1 import inventory_pb2 as inventory
from oms.inventory.v1 import outage_pb2 as pb
from services.kernel.errors import NotFound, Refused


class Outages:
    """By warehouse, as they were declared; of the warehouses that are known. A part of FakeInventory."""

    here: Callable[..., None]
    once: Callable[..., Any]
    warehouses: dict[str, inventory.Warehouse]

    @cached_property
    def gained(self) -> list[list[str]]:
        return []

    @cached_property
    def outages(self) -> list[pb.Outage]:
        return []

    def DeclareOutage(self, request: pb.DeclareOutageRequest) -> pb.DeclareOutageResponse:
        answer: pb.DeclareOutageResponse = self.once(request, lambda: self._declare(request, set(self.warehouses)))
        return answer

    def EndOutage(self, request: pb.EndOutageRequest) -> pb.EndOutageResponse:
        answer: pb.EndOutageResponse = self.once(request, lambda: self._end(request))
        return answer

    def RequestSourcingForRates(
        self, request: inventory.RequestSourcingForRatesRequest
    ) -> inventory.RequestSourcingForRatesResponse:
        self.here()
        self.gained.append(list(request.warehouse_ids))
        return inventory.RequestSourcingForRatesResponse(order_count=1)

    def ListOutages(self, request: pb.ListOutagesRequest) -> pb.ListOutagesResponse:
        self.here()
        found = [
            one
            for one in reversed(self.outages)
            if request.warehouse_id in ("", one.warehouse_id) and not (request.is_open_only and one.ended_at_micros)
        ]
        return pb.ListOutagesResponse(outages=found)

    def _declare(self, request: pb.DeclareOutageRequest, known: set[str]) -> pb.DeclareOutageResponse:
        if request.warehouse_id not in known:
            raise NotFound("WAREHOUSE_UNKNOWN", "there is no such warehouse: put it first")
        if any(one.warehouse_id == request.warehouse_id and not one.ended_at_micros for one in self.outages):
            raise Refused("WAREHOUSE_CLOSED", "it is closed already")
        made = pb.Outage(
            outage_id=f"out_{len(self.outages) + 1}",
            warehouse_id=request.warehouse_id,
            reason=request.reason,
            declared_by=request.declared_by,
            began_at_micros=1_700_000_000_000_000,
            ends_at_micros=request.ends_at_micros,
            order_count=2,
        )
        self.outages.append(made)
        return pb.DeclareOutageResponse(outage=made)

    def _end(self, request: pb.EndOutageRequest) -> pb.EndOutageResponse:
        for one in self.outages:
            if one.warehouse_id == request.warehouse_id and not one.ended_at_micros:
                one.ended_at_micros = 1_700_000_001_000_000
                return pb.EndOutageResponse(outage=one)
        raise Refused("NO_OUTAGE", "no outage of it lasts")
