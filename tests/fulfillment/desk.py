"""The warehouse as tests use it: requests with sensible defaults, and facts read back from the outbox."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.fulfillment.domain.facts import FOR_BILLING
from services.fulfillment.servicer import FulfillmentServicer
from services.kernel.clock import micros
from services.runtime.db import Database
from tests import facts

DALLAS = types.Address(name="ACME", street="1 Main St", city="Dallas", region="TX", postal_code="75001", country="US")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

RATES = pb.PutRatesRequest(
    currency="USD",
    rates=[
        pb.Rate(warehouse_id="W1", carrier="slow", zone="z1", base_minor=900, per_kg_minor=10, transit_days=3),
        pb.Rate(warehouse_id="W1", carrier="fast", zone="z1", base_minor=1500, per_kg_minor=10, transit_days=1),
        pb.Rate(warehouse_id="W2", carrier="slow", zone="z1", base_minor=1600, per_kg_minor=10, transit_days=2),
        pb.Rate(warehouse_id="P", carrier="slow", zone="z1", base_minor=1200, per_unit_minor=150, transit_days=2),
        pb.Rate(warehouse_id="W1", carrier="slow", zone="z2", base_minor=9900, per_kg_minor=10, transit_days=6),
    ],
    zones=[
        pb.ZoneRule(country="US", region="TX", zone="z1"),
        pb.ZoneRule(country="US", region="*", zone="z2"),
    ],
)


@dataclass
class Clock:
    """Time that moves only when told to."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, span: timedelta) -> None:
        self.now += span


@dataclass
class WarehouseDesk:
    """Calls the servicer as the other processes do, each call under a request id of its own unless one is given."""

    database: Database
    clock: Clock = field(default_factory=Clock)
    _ids: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.service = FulfillmentServicer(self.database, self.clock)
        self.service.PutRates(RATES, NO_CONTEXT)

    def release(
        self, *lines: tuple[str, str, int], order_id: str = "ord_1", request_id: str = "", service: int = 0
    ) -> list[pb.Shipment]:
        """`lines` are (line id, warehouse, everything allocated so far)."""
        wanted = [
            pb.ReleaseLine(
                line_id=line_id,
                sku="A",
                description="Pump",
                warehouse_id=warehouse,
                quantity=units,
                unit_weight_grams=500,
            )
            for line_id, warehouse, units in lines
        ]
        if service:
            wanted.append(pb.ReleaseLine(line_id="LS", sku="INSTALL-8H", description="Installation", quantity=service))
        request = pb.ReleaseShipmentsRequest(
            request_id=request_id or self.fresh(),
            order_id=order_id,
            order_number="SO-1001",
            ship_to=DALLAS,
            lines=wanted,
        )
        return list(self.service.ReleaseShipments(request, NO_CONTEXT).shipments)

    def pick(self, shipment: pb.Shipment, *counted: tuple[str, int], request_id: str = "") -> pb.Shipment:
        lines = [types.LineQuantity(line_id=line_id, quantity=units) for line_id, units in counted]
        request = pb.PickShipmentRequest(
            request_id=request_id or self.fresh(), shipment_id=shipment.shipment_id, lines=lines, picker="Pat"
        )
        return self.service.PickShipment(request, NO_CONTEXT).shipment

    def pack(self, shipment: pb.Shipment, *packages: pb.Package) -> pb.Shipment:
        request = pb.PackShipmentRequest(request_id=self.fresh(), shipment_id=shipment.shipment_id, packages=packages)
        return self.service.PackShipment(request, NO_CONTEXT).shipment

    def ship(self, shipment: pb.Shipment, carrier: str = "", request_id: str = "", numbers: Any = ()) -> pb.Shipment:
        request = pb.ShipShipmentRequest(
            request_id=request_id or self.fresh(),
            shipment_id=shipment.shipment_id,
            carrier=carrier,
            tracking_numbers=numbers,
        )
        return self.service.ShipShipment(request, NO_CONTEXT).shipment

    def send(self, shipment: pb.Shipment, carrier: str = "") -> pb.Shipment:
        """Pick, pack and ship."""
        self.pick(shipment)
        self.pack(shipment)
        return self.ship(shipment, carrier)

    def scan(
        self,
        parcel: pb.Shipment,
        status: str = "delivered",
        event_id: str = "",
        at: datetime | None = None,
        number: str = "",
    ) -> pb.RecordCarrierEventResponse:
        request = pb.RecordCarrierEventRequest(
            carrier=parcel.carrier,
            event_id=event_id or self.fresh(),
            tracking_number=number or parcel.tracking_number,
            status=status,
            occurred_at_micros=micros(at or self.clock.now),
        )
        return self.service.RecordCarrierEvent(request, NO_CONTEXT)

    def cancel(self, order_id: str = "ord_1", request_id: str = "", *, unless_shipped: bool = False) -> tuple[int, int]:
        request = pb.CancelShipmentsRequest(
            request_id=request_id or self.fresh(),
            order_id=order_id,
            reason="customer asked",
            unless_shipped=unless_shipped,
        )
        answer = self.service.CancelShipments(request, NO_CONTEXT)
        return answer.cancelled_count, answer.shipped_count

    def recall(
        self, order_id: str = "ord_1", change_id: str = "chg_1", request_id: str = "", **keep: int
    ) -> pb.RequestRecallResponse:
        """`keep` is line id → units that stay released."""
        request = pb.RequestRecallRequest(
            request_id=request_id or self.fresh(),
            order_id=order_id,
            change_id=change_id,
            lines=[types.LineQuantity(line_id=line_id, sku="A", quantity=units) for line_id, units in keep.items()],
        )
        return self.service.RequestRecall(request, NO_CONTEXT)

    def answer(self, recall_id: str, *, yes: bool, reason: str = "", request_id: str = "") -> pb.Recall:
        request = pb.AnswerRecallRequest(
            request_id=request_id or self.fresh(), recall_id=recall_id, is_acknowledged=yes, reason=reason
        )
        return self.service.AnswerRecall(request, NO_CONTEXT).recall

    def recalls(self, **wanted: Any) -> pb.ListRecallsResponse:
        return self.service.ListRecalls(pb.ListRecallsRequest(**wanted), NO_CONTEXT)

    def get(self, shipment: pb.Shipment) -> pb.Shipment:
        return self.service.GetShipment(pb.GetShipmentRequest(shipment_id=shipment.shipment_id), NO_CONTEXT).shipment

    def page(self, **wanted: Any) -> pb.ListShipmentsResponse:
        return self.service.ListShipments(pb.ListShipmentsRequest(**wanted), NO_CONTEXT)

    def expect_return(self, return_id: str = "rma_1", arrived_in: str = "", **units: int) -> pb.ExpectedReturn:
        lines = [
            pb.ReturnLine(line_id=key, sku="A", description="Pump", quantity=count) for key, count in units.items()
        ]
        expected = pb.ExpectedReturn(
            return_id=return_id, number=f"RMA-{return_id}", order_id="ord_1", order_number="SO-1001", lines=lines
        )
        request = pb.ExpectReturnRequest(
            request_id=self.fresh(), expected=expected, arrived_in=arrived_in, received_by="pat"
        )
        return self.service.ExpectReturn(request, NO_CONTEXT).expected

    def count_back(self, return_id: str = "rma_1", request_id: str = "", **units: int) -> pb.ExpectedReturn:
        lines = [types.LineQuantity(line_id=key, quantity=count) for key, count in units.items()]
        request = pb.ReceiveReturnRequest(
            request_id=request_id or self.fresh(),
            reference=return_id,
            warehouse_id="W2",
            lines=lines,
            received_by="Pat",
        )
        return self.service.ReceiveReturn(request, NO_CONTEXT).expected

    def inspect_back(self, *found: tuple[str, int, str, str, str], return_id: str = "rma_1") -> pb.ExpectedReturn:
        """`found` are (line id, units, grade, disposition, who answers for it)."""
        units = [
            facts_pb2.InspectedUnits(line_id=key, quantity=n, grade=grade, disposition=what, responsible=who)
            for key, n, grade, what, who in found
        ]
        request = pb.InspectReturnRequest(
            request_id=self.fresh(), reference=return_id, warehouse_id="W2", units=units, inspected_by="Pat"
        )
        return self.service.InspectReturn(request, NO_CONTEXT).expected

    def close_return(self, return_id: str = "rma_1") -> pb.CloseReturnResponse:
        request = pb.CloseReturnRequest(request_id=self.fresh(), return_id=return_id)
        return self.service.CloseReturn(request, NO_CONTEXT)

    def broken_rules(self) -> dict[str, list[str]]:
        """Invariant → offenders, only those that are broken."""
        answer = self.service.Audit(pb.AuditRequest(), NO_CONTEXT)
        return {rule.name: list(rule.offenders) for rule in answer.invariants if rule.violations}

    def facts(self) -> list[tuple[str, dict[str, Any]]]:
        """(kind, detail) of every fact for orders so far, oldest first."""
        return [(kind, detail) for kind, detail in self._all() if kind not in FOR_BILLING]

    def deliveries(self) -> list[dict[str, Any]]:
        """Details of the facts for billing so far, oldest first."""
        return [detail for kind, detail in self._all() if kind in FOR_BILLING]

    def _all(self) -> list[tuple[str, dict[str, Any]]]:
        with self.database.reading() as session:
            rows = session.execute(text("SELECT kind, detail FROM outbox ORDER BY position")).all()
        return [(row.kind, facts.kept(row.kind, json.loads(row.detail))) for row in rows]

    def milestones(self, line_id: str) -> list[tuple[str, int, int, int, int, int]]:
        """(kind, released, picked, packed, shipped, delivered) of a line in every fact so far."""
        counts = [(kind, detail["lines"][line_id]) for kind, detail in self.facts()]
        return [
            (kind, *(reached[name] for name in ("released", "picked", "packed", "shipped", "delivered")))
            for kind, reached in counts
        ]

    def fresh(self) -> str:
        return f"key-{next(self._ids)}"


NO_CONTEXT: Any = None
"""The servicer never looks at its context."""
