"""A real inventory in front of a real database, spoken to as its callers do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Table, insert, select, update

from oms.inventory.v1 import allocation_pb2
from oms.inventory.v1 import inventory_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.inventory import left_queues
from services.inventory.models import outbox
from services.inventory.servicer import InventoryServicer
from services.inventory.store import tables
from services.kernel.ids import new_id
from services.runtime.db import Database
from tests import facts

MARCH = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Stockroom:
    """The servicer with warehouses w1, w2, w3 open and a clock that a test moves."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = MARCH
        self.servicer = InventoryServicer(database, clock=lambda: self.now)
        self._keys = count(1)
        for place in ("w1", "w2", "w3"):
            self.put_warehouse(place)

    def key(self) -> str:
        return f"key/{next(self._keys)}"

    def put_warehouse(self, warehouse_id: str, *, is_active: bool = True) -> None:
        warehouse = pb.Warehouse(warehouse_id=warehouse_id, name=warehouse_id.upper(), kind="own", is_active=is_active)
        self.servicer.PutWarehouse(pb.PutWarehouseRequest(warehouse=warehouse), None)

    def receive(
        self, place: str, sku: str, quantity: int, unit_cost: str = "1.00", currency: str = "USD", key: str = ""
    ) -> pb.ReceiveStockResponse:
        request = pb.ReceiveStockRequest(
            request_id=key or self.key(),
            warehouse_id=place,
            sku=sku,
            quantity=quantity,
            unit_cost=unit_cost,
            currency=currency,
        )
        return self.servicer.ReceiveStock(request, None)

    def shelve(self, place: str, units: Mapping[str, int]) -> None:
        """SKU → units that are there at 0.05 each, straight into the tables: a receipt each takes thousands of times as long."""
        ids = {sku: new_id("mov") for sku in units}
        here = [{"warehouse_id": place, "sku": sku} for sku in units]
        worth = [{"quantity": count, "value_minor": 5 * count, "currency": "USD"} for count in units.values()]
        came = {"kind": "received", "order_id": "", "shipment_id": "", "reference": "", "occurred_at": self.now}
        rows: dict[Table, list[dict[str, Any]]] = {
            tables.stock: [{"on_hand": each["quantity"], "allocated": 0} for each in worth],
            tables.movement: [{**each, **came} for each in worth],
            tables.cost_layer: [
                {**each, "number": 1, "unit_cost": "0.05", "remaining_quantity": each["quantity"],
                 "remaining_value_minor": each["value_minor"]}
                for each in worth
            ],
        }  # fmt: skip
        with self.database.transaction() as session:
            for table, more in rows.items():
                made = [{**at, **row, "movement_id": ids[at["sku"]]} for at, row in zip(here, more, strict=True)]
                session.execute(insert(table), [{name: row[name] for name in row if name in table.c} for row in made])
            session.execute(
                update(tables.warehouse).values(currency="USD").where(tables.warehouse.c.warehouse_id == place)
            )

    def fill_on(self) -> int:
        """Batch after batch of what long queues left, as the process does beside its server; how many there were."""
        batches = 0
        while self.fill_batch():
            batches += 1
        return batches

    def look_for_overdue(self) -> None:
        """What the process does now and then: serve who waits beside goods that others have held for too long."""
        with self.database.transaction() as session:
            left_queues.leave_overdue(session, self.now)
        self.fill_on()

    def fill_batch(self) -> bool:
        """One of them; whether there was anything to do."""
        with self.database.transaction() as session:
            left = left_queues.next_left(session)
            left_queues.fill_left(session, left, self.now)
            return left != left_queues.Left()

    def adjust(
        self,
        place: str,
        sku: str,
        delta: int,
        *,
        given: str = "",
        standard: str = "",
        currency: str = "USD",
        key: str = "",
    ) -> pb.AdjustStockResponse:
        request = pb.AdjustStockRequest(
            request_id=key or self.key(),
            warehouse_id=place,
            sku=sku,
            delta=delta,
            reason="cycle count",
            unit_cost=given,
            currency=currency if given else "",
            standard_cost=standard,
            standard_currency=currency if standard else "",
        )
        return self.servicer.AdjustStock(request, None)

    def expect(self, place: str, sku: str, quantity: int, expected_on: str, reference: str = "") -> str:
        key = self.key()
        request = pb.ExpectReceiptRequest(
            request_id=key,
            warehouse_id=place,
            sku=sku,
            quantity=quantity,
            expected_on=expected_on,
            reference=reference or f"PO-{key}",
        )
        return self.servicer.ExpectReceipt(request, None).expected_receipt_id

    def reserve(
        self,
        order_id: str,
        lines: Mapping[str, tuple[str, int]],
        costs: Mapping[str, int] | None = None,
        *,
        placed_days: int = 0,
        key: str = "",
        lease_seconds: int = 0,
        currency: str = "",
        tier: str = "",
        requested_on: str = "",
        is_order_complete: bool = False,
        customer_id: str = "",
        destination: str = "",
        **more: Any,
    ) -> pb.ReserveStockResponse:
        placed_at = MARCH + timedelta(days=placed_days)
        request = pb.ReserveStockRequest(
            request_id=key or self.key(),
            order_id=order_id,
            lines=[_line(line_id, sku, quantity) for line_id, (sku, quantity) in lines.items()],
            costs=[
                pb.WarehouseCost(warehouse_id=place, cost_minor=cost)
                for place, cost in (costs or {"w1": 900, "w2": 1000, "w3": 1100}).items()
            ],
            placed_at_micros=int(placed_at.timestamp()) * 1_000_000,
            lease_seconds=lease_seconds,
            currency=currency,
            customer_tier=tier,
            requested_on=requested_on,
            is_order_complete=is_order_complete,
            customer_id=customer_id,
            destination=destination,
            **more,
        )
        return self.servicer.ReserveStock(request, None)

    def change(
        self,
        order_id: str,
        lines: Mapping[str, tuple[str, int]],
        costs: Mapping[str, int] | None = None,
        *,
        carried: Mapping[tuple[str, str], int] | None = None,
        placed_days: int = 0,
        key: str = "",
        destination: str = "",
        **claim: Any,
    ) -> pb.AdjustReservationResponse:
        """Adjust the reservation to all that is wanted now; `carried` is (line id, warehouse id) → units in shipments."""
        placed_at = MARCH + timedelta(days=placed_days)
        request = pb.AdjustReservationRequest(
            request_id=key or self.key(),
            order_id=order_id,
            lines=[_line(line_id, sku, quantity) for line_id, (sku, quantity) in lines.items()],
            costs=[
                pb.WarehouseCost(warehouse_id=place, cost_minor=cost)
                for place, cost in ({"w1": 900, "w2": 1000, "w3": 1100} if costs is None else costs).items()
            ],
            placed_at_micros=int(placed_at.timestamp()) * 1_000_000,
            carried=[
                pb.Allocation(line_id=line_id, warehouse_id=place, quantity=units)
                for (line_id, place), units in (carried or {}).items()
            ],
            **claim,
            destination=destination,
        )
        return self.servicer.AdjustReservation(request, None)

    def put_policy(self, **policy: Any) -> pb.SourcingPolicy:
        """Replace the sourcing policy."""
        request = pb.PutSourcingPolicyRequest(policy=pb.SourcingPolicy(**policy))
        return self.servicer.PutSourcingPolicy(request, None).policy

    def put_allocation(
        self, *tiers: tuple[str, str] | tuple[str, str, str], **policy: Any
    ) -> allocation_pb2.AllocationPolicy:
        """Replace the allocation policy and rank by it; tiers are (tier, class) or (tier, class, delivery), the first first."""
        terms = [
            allocation_pb2.TierTerms(tier=one[0], allocation_class=one[1], delivery=(*one[2:], "partial")[0])
            for one in tiers
        ]
        wanted = allocation_pb2.AllocationPolicy(tiers=terms, **policy)
        stored = self.servicer.PutAllocationPolicy(
            allocation_pb2.PutAllocationPolicyRequest(policy=wanted), None
        ).policy
        self.fill_on()
        return stored

    def queue(self, sku: str = "") -> list[pb.Backorder]:
        """Who waits, first to be filled first."""
        return list(self.servicer.ListBackorders(pb.ListBackordersRequest(sku=sku), None).backorders)

    def what_if(self, place: str, sku: str, quantity: int) -> allocation_pb2.AskWhatIfResponse:
        """Who would get goods if they came."""
        request = allocation_pb2.AskWhatIfRequest(sku=sku, warehouse_id=place, quantity=quantity)
        return self.servicer.AskWhatIf(request, None)

    def units(self, order_id: str) -> int:
        """Units that are held for an order."""
        return sum(self.held(order_id).values())

    def plans(self, order_id: str) -> list[pb.SourcingPlan]:
        """Why the order is served from where it is, the newest plan first."""
        return list(self.servicer.GetSourcing(pb.GetSourcingRequest(order_id=order_id), None).plans)

    def release(self, order_id: str) -> tuple[int, int]:
        request = pb.ReleaseReservationRequest(request_id=self.key(), order_id=order_id, reason="cancelled")
        freed = self.servicer.ReleaseReservation(request, None)
        return freed.released_quantity, freed.cancelled_backorder_quantity

    def ship(
        self,
        order_id: str,
        shipment_id: str,
        place: str,
        lines: Mapping[str, tuple[str, int]],
        key: str = "",
    ) -> int:
        request = pb.ShipStockRequest(
            request_id=key or self.key(),
            order_id=order_id,
            shipment_id=shipment_id,
            warehouse_id=place,
            lines=[_line(line_id, sku, quantity) for line_id, (sku, quantity) in lines.items()],
        )
        return self.servicer.ShipStock(request, None).cost.minor_units

    def held(self, order_id: str) -> dict[tuple[str, str], int]:
        reservation = self.servicer.GetReservation(pb.GetReservationRequest(order_id=order_id), None)
        return {(part.line_id, part.warehouse_id): part.quantity for part in reservation.allocations}

    def waiting(self, order_id: str) -> dict[str, int]:
        reservation = self.servicer.GetReservation(pb.GetReservationRequest(order_id=order_id), None)
        return {shortage.line_id: shortage.quantity for shortage in reservation.shortages}

    def shipped(self, order_id: str) -> dict[tuple[str, str], int]:
        reservation = self.servicer.GetReservation(pb.GetReservationRequest(order_id=order_id), None)
        return {(part.line_id, part.warehouse_id): part.quantity for part in reservation.shipped}

    def stock(self, sku: str) -> dict[str, tuple[int, int]]:
        """Warehouse id → (on hand, allocated)."""
        levels = self.servicer.ListStock(pb.ListStockRequest(sku=sku), None).levels
        return {level.warehouse_id: (level.on_hand, level.allocated) for level in levels}

    def value(self) -> int:
        return sum(worth.minor_units for worth in self.audit().stock_value)

    def audit(self) -> pb.AuditResponse:
        return self.servicer.Audit(pb.AuditRequest(), None)

    def broken(self) -> dict[str, list[str]]:
        """Invariants that do not hold and who breaks them."""
        return {rule.name: list(rule.offenders) for rule in self.audit().invariants if rule.violations}

    def facts(self, kind: str = "", order_id: str = "") -> list[dict[str, Any]]:
        """Details of the facts told, oldest first; of what brings units that wait only the day."""
        with self.database.reading() as session:
            rows = session.execute(select(outbox).order_by(outbox.c.position)).all()
        return [
            {"kind": row.kind, "order_id": row.order_id, **_plain(facts.kept(row.kind, row.detail))}
            for row in rows
            if kind in ("", row.kind) and order_id in ("", row.order_id)
        ]


def _plain(detail: dict[str, Any]) -> dict[str, Any]:
    for line in detail.get("lines", {}).values():
        del line["lead_days"], line["expected_reference"]
    return detail


def _line(line_id: str, sku: str, quantity: int) -> types.LineQuantity:
    return types.LineQuantity(line_id=line_id, sku=sku, quantity=quantity)
