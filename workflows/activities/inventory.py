"""Steps that ask the inventory service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from temporalio import activity

from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2 as pb
from oms.types.v1 import types_pb2
from workflows.activities import sentences
from workflows.activities.calls import (
    Services,
    WarehouseCosts,
    destination_of,
    goods_of,
    shipments_of,
    unit_weights,
    warehouse_costs,
)
from workflows.activities.documents import Documents
from workflows.messages import AuditCount, Done, OrderIds, OrderStep, Reservation

SWEEP_BATCH = 200
NOT_LEFT = "no such shipment of this order has left: nothing was done"
NOT_REVERSED = "no ship confirm of such a shipment of this order was reversed: nothing was done"


class InventoryActivities:
    """The inventory service as the workflows know it."""

    def __init__(self, services: Services, documents: Documents) -> None:
        self._services = services
        self._documents = documents

    @activity.defn(name="inventory.ReserveStock")
    async def reserve_stock(self, step: OrderStep) -> Reservation:
        """Hold what stock allows in the warehouses that can serve the address; the rest becomes backorders.

        When no carrier serves the address, nothing is asked for: whoever changes that has it asked again.
        """
        order = await self._documents.order(step.order_id, step.version)
        goods = goods_of(order)
        if not goods:
            return Reservation(held=0, backordered=0)
        costs = await warehouse_costs(self._services, order)
        if not costs:
            return Reservation(held=0, backordered=0, is_undeliverable=True)
        request = pb.ReserveStockRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            lines=[
                types_pb2.LineQuantity(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in goods
            ],
            costs=costs.rows,
            placed_at_micros=order.placed_at_micros,
            unit_weights=unit_weights(goods),
            currency=costs.currency,
            customer_tier=order.customer_tier,
            requested_on=order.requested_on,
            is_order_complete=order.is_ship_complete,
            customer_id=order.customer_id,
            destination=destination_of(order.ship_to),
        )
        response = await self._services.inventory.ReserveStock(request)
        return _reservation(response, costs)

    @activity.defn(name="inventory.AdjustReservation")
    async def adjust_reservation(self, step: OrderStep) -> Reservation:
        """Hold what the order's version in force wants, and what shipments carry where they carry it."""
        order = await self._documents.order(step.order_id, step.version)
        goods = goods_of(order)
        shipments = await shipments_of(self._services, step.order_id)
        costs = await warehouse_costs(self._services, order) if goods else WarehouseCosts([], "")
        request = pb.AdjustReservationRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            lines=[
                types_pb2.LineQuantity(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in goods
            ],
            costs=costs.rows,
            placed_at_micros=order.placed_at_micros,
            carried=carried_units(shipments),
            unit_weights=unit_weights(goods),
            currency=costs.currency,
            customer_tier=order.customer_tier,
            requested_on=order.requested_on,
            is_order_complete=order.is_ship_complete,
            customer_id=order.customer_id,
            destination=destination_of(order.ship_to),
        )
        response = await self._services.inventory.AdjustReservation(request)
        return _reservation(response, costs)

    @activity.defn(name="inventory.ReleaseReservation")
    async def release_reservation(self, step: OrderStep) -> Done:
        """Free what is held and waits."""
        request = pb.ReleaseReservationRequest(request_id=step.request_id, order_id=step.order_id, reason=step.reason)
        response = await self._services.inventory.ReleaseReservation(request)
        return Done(f"{response.released_quantity} freed")

    @activity.defn(name="inventory.ShipStock")
    async def ship_stock(self, step: OrderStep) -> Done:
        """Take a shipment off stock; nothing is done for one that is not the order's or has not left."""
        shipment = await self._documents.shipment_that_left(step.subject_id, step.order_id)
        if shipment is None:
            return Done(NOT_LEFT, is_done=False)
        request = pb.ShipStockRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            shipment_id=shipment.shipment_id,
            warehouse_id=shipment.warehouse_id,
        )
        if not shipment.is_service:
            request.lines.extend(
                types_pb2.LineQuantity(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
                for line in shipment.lines
            )
        await self._services.inventory.ShipStock(request)
        return Done(sentences.left(shipment))

    @activity.defn(name="inventory.ReverseIssue")
    async def reverse_issue(self, step: OrderStep) -> Done:
        """Put back what a shipment took off stock; nothing is done for one that is not the order's or has left."""
        shipment = await self._documents.shipment_that_never_left(step.subject_id, step.order_id)
        if shipment is None:
            return Done(NOT_REVERSED, is_done=False)
        request = pb.ReverseIssueRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            shipment_id=shipment.shipment_id,
            warehouse_id=shipment.warehouse_id,
            lines=[
                types_pb2.LineQuantity(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
                for line in shipment.lines
            ],
        )
        await self._services.inventory.ReverseIssue(request)
        return Done(sentences.back(shipment))

    @activity.defn(name="inventory.ListLapsedReservations")
    async def list_lapsed_reservations(self, _ask: Done) -> OrderIds:
        """Orders whose lease has run out."""
        response = await self._services.inventory.ListLapsedReservations(
            pb.ListLapsedReservationsRequest(limit=SWEEP_BATCH)
        )
        return OrderIds(list(response.order_ids))

    @activity.defn(name="inventory.RenewLeases")
    async def renew_leases(self, orders: OrderIds) -> Done:
        """Start the leases of living orders again."""
        response = await self._services.inventory.RenewLeases(pb.RenewLeasesRequest(order_ids=orders.order_ids))
        return Done(f"{response.renewed_count} renewed")

    @activity.defn(name="inventory.Audit")
    async def audit(self, _ask: Done) -> AuditCount:
        """Broken invariants of the inventory service."""
        response = await self._services.inventory.Audit(pb.AuditRequest())
        return AuditCount({row.name: row.violations for row in response.invariants if row.violations})


def _reservation(
    response: pb.ReserveStockResponse | pb.AdjustReservationResponse, costs: WarehouseCosts
) -> Reservation:
    quotes = {cost.warehouse_id: cost.cost_minor for cost in costs.rows}
    return Reservation(
        held=sum(held.quantity for held in response.allocations),
        backordered=sum(short.quantity for short in response.shortages),
        sources=sentences.sources(response.allocations, quotes, costs.currency),
        missing=sentences.missing(response.shortages),
        why=response.why,
    )


def carried_units(shipments: Sequence[fulfillment_pb2.Shipment]) -> list[pb.Allocation]:
    """Units per line and warehouse in shipments of goods that were not cancelled."""
    units: Counter[tuple[str, str, str]] = Counter()
    for shipment in shipments:
        if shipment.is_service or shipment.state == fulfillment_pb2.SHIPMENT_STATE_CANCELLED:
            continue
        for line in shipment.lines:
            units[line.line_id, line.sku, shipment.warehouse_id] += line.quantity
    return [
        pb.Allocation(line_id=line_id, sku=sku, warehouse_id=warehouse_id, quantity=quantity)
        for (line_id, sku, warehouse_id), quantity in sorted(units.items())
    ]
