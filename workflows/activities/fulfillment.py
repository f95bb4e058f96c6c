"""Steps that ask the fulfillment service."""

from __future__ import annotations

import asyncio
from collections import Counter

from temporalio import activity

from oms.billing.v1 import billing_pb2
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.inventory.v1 import inventory_pb2
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from workflows.activities import sentences
from workflows.activities.calls import Services, changed_order, goods_of, shipments_of, warehouse_costs
from workflows.activities.covered import Units, carried, fitting, quantities, totals, units_of
from workflows.activities.documents import Documents
from workflows.messages import AuditCount, ChangeStep, Done, OrderStep, Recall, Release, Stop, Stopped

_RECALLS = {
    pb.RECALL_STATE_NOTHING_TO_RECALL: "nothing_to_recall",
    pb.RECALL_STATE_PENDING: "pending",
    pb.RECALL_STATE_REFUSED: "refused",
}

NO_CARRIER = "no carrier serves the address: enter a rate for its zone, or ask for another address"


class FulfillmentActivities:
    """The fulfillment service as the workflows know it."""

    def __init__(self, services: Services, documents: Documents) -> None:
        self._services = services
        self._documents = documents

    @activity.defn(name="fulfillment.ReleaseShipments")
    async def release_shipments(self, step: OrderStep) -> Release:
        """Give the warehouses all that was ever allocated; the service releases what no shipment has yet.

        An order that ships complete waits while inventory says that something is missing: the workflow may have been told by
        an old fact that nothing is. It waits as well while a change, the step's subject, holds back one of its lines, or while not
        all of it fits under the customer's credit limit.
        """
        order, held, withheld, is_covered = await asyncio.gather(
            self._documents.order(step.order_id, step.version),
            self._services.inventory.GetReservation(inventory_pb2.GetReservationRequest(order_id=step.order_id)),
            self._withheld(step.order_id, step.subject_id),
            self._is_covered(step.order_id),
        )
        backordered = sum(short.quantity for short in held.shortages)
        lines = [line for line in _release_lines(order, held) if line.line_id not in withheld]
        covered = lines if is_covered else await self._covered(order, lines)
        uncovered = units_of(lines) - units_of(covered)
        if order.is_ship_complete and (backordered or withheld or uncovered):
            return Release(0, backordered=backordered, uncovered=uncovered)
        request = pb.ReleaseShipmentsRequest(
            # the answer to a part may be lost: a try that is covered further asks for more than it did, and is another request
            request_id=f"{step.request_id}/{units_of(covered)}" if uncovered else step.request_id,
            order_id=order.order_id,
            order_number=order.number,
            ship_to=order.ship_to,
            lines=covered,
            withheld_line_ids=sorted(withheld),
        )
        response = await self._services.fulfillment.ReleaseShipments(request)
        what = [*sentences.released(response.shipments), *sentences.uncovered(uncovered)]
        return Release(len(response.shipments), what, backordered, uncovered)

    async def _is_covered(self, order_id: str) -> bool:
        """Whether credit lets all of the order go, or has been asked for none of it."""
        request = billing_pb2.GetCoveredUnitsRequest(order=orders_pb2.Order(order_id=order_id))
        return (await self._services.billing.GetCoveredUnits(request)).is_all

    async def _covered(self, order: orders_pb2.Order, lines: list[pb.ReleaseLine]) -> list[pb.ReleaseLine]:
        """What of an order fits under its customer's limit, whatever is with the warehouses already included."""
        shipments = await shipments_of(self._services, order.order_id)
        released = carried(shipments)
        request = billing_pb2.GetCoveredUnitsRequest(
            order=order, released=quantities(order, released), wanted=quantities(order, totals(lines))
        )
        answer = await self._services.billing.GetCoveredUnits(request)
        if answer.is_all:
            return lines
        return fitting(lines, released, {line.line_id: line.quantity for line in answer.lines})

    async def _withheld(self, order_id: str, change_id: str) -> frozenset[str]:
        """Lines that a change still holds back; the orders service says which."""
        if not change_id:
            return frozenset()
        request = orders_pb2.GetChangedOrderRequest(order_id=order_id, change_id=change_id)
        return frozenset((await self._services.orders.GetChangedOrder(request)).withheld_line_ids)

    @activity.defn(name="fulfillment.RequestRecall")
    async def request_recall(self, step: ChangeStep) -> Recall:
        """Ask the warehouses for the units that the changed order no longer wants; they answer in their own time.

        Of a cancellation what they keep is not cancelled, and the rest is.

        A change that wants goods carried to where no carrier goes, or more of them, is refused here, where all can stay as it was.
        """
        order, asked = await asyncio.gather(
            self._documents.order(step.order_id), changed_order(self._services, step.order_id, step.change_id)
        )
        changed = asked.order
        if _asks_to_carry(order, changed) and not await warehouse_costs(self._services, changed):
            return Recall("refused", NO_CARRIER)
        request = pb.RequestRecallRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            change_id=step.change_id,
            lines=[
                types_pb2.LineQuantity(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
                for line in changed.lines
            ],
            is_cancellation=asked.is_cancellation,
        )
        response = await self._services.fulfillment.RequestRecall(request)
        if asked.is_cancellation and response.state == pb.RECALL_STATE_NOTHING_TO_RECALL:
            return await self._kept(step, response)
        return Recall(_RECALLS[response.state], response.message, may_be_withdrawn=asked.is_cancellation)

    @activity.defn(name="fulfillment.WithdrawRecall")
    async def withdraw_recall(self, step: ChangeStep) -> Done:
        """Ask the warehouses no more for units of a change that has ended; what they have given back is released again."""
        request = pb.WithdrawRecallRequest(
            request_id=step.request_id, order_id=step.order_id, change_id=step.change_id, reason=step.reason
        )
        await self._services.fulfillment.WithdrawRecall(request)
        return Done()

    async def _kept(self, step: ChangeStep, response: pb.RequestRecallResponse) -> Recall:
        """What the warehouses carry is not cancelled; where that is all, nothing is."""
        request = orders_pb2.KeepUnitsRequest(
            request_id=step.request_id, order_id=step.order_id, change_id=step.change_id, carried=response.carried
        )
        kept = await self._services.orders.KeepUnits(request)
        return Recall(_RECALLS[response.state]) if kept.is_pending else Recall("refused", kept.reason)

    @activity.defn(name="fulfillment.RecallUnpaid")
    async def recall_unpaid(self, step: OrderStep) -> Recall:
        """Ask for what is not picked; nothing of an order that no reversed payment holds. Which hold it is, orders says."""
        found = await self._services.orders.GetClearance(orders_pb2.GetClearanceRequest(order_id=step.order_id))
        if not found.unpaid_hold_id:
            return Recall("not_asked", "no reversed payment holds the order")
        request = pb.RequestRecallRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            change_id=found.unpaid_hold_id,
            is_all_not_picked=True,
        )
        response = await self._services.fulfillment.RequestRecall(request)
        return Recall(_RECALLS[response.state], response.message)

    @activity.defn(name="fulfillment.CancelShipments")
    async def cancel_shipments(self, step: Stop) -> Stopped:
        """Stop what has not left; nothing for a cancellation that the orders service does not know as one that waits."""
        if step.cancellation_id and not await self._is_asked(step):
            return Stopped(0, 0, is_asked=False)
        request = pb.CancelShipmentsRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            reason=step.reason,
            unless_shipped=step.is_all_or_nothing,
        )
        response = await self._services.fulfillment.CancelShipments(request)
        never_left = list(response.reversed_shipment_ids)
        return Stopped(response.cancelled_count, response.shipped_count, never_left=never_left)

    async def _is_asked(self, step: Stop) -> bool:
        found = await self._services.orders.GetClearance(orders_pb2.GetClearanceRequest(order_id=step.order_id))
        return found.clearance.cancellation_id == step.cancellation_id

    @activity.defn(name="fulfillment.Audit")
    async def audit(self, _ask: Done) -> AuditCount:
        """Broken invariants of the fulfillment service."""
        response = await self._services.fulfillment.Audit(pb.AuditRequest())
        return AuditCount({row.name: row.violations for row in response.invariants if row.violations})


def _asks_to_carry(order: orders_pb2.Order, changed: orders_pb2.Order) -> bool:
    """Whether a change sends goods elsewhere, or wants more of them."""
    before = {line.line_id: line.quantity for line in order.lines}
    goods = goods_of(changed)
    return bool(goods) and (
        changed.ship_to != order.ship_to or any(line.quantity > before.get(line.line_id, 0) for line in goods)
    )


def _release_lines(order: orders_pb2.Order, held: inventory_pb2.GetReservationResponse) -> list[pb.ReleaseLine]:
    """Held and shipped units per line and warehouse, and every service line; nothing of lines that are cancelled whole."""
    units: Units = Counter()
    for allocation in [*held.allocations, *held.shipped]:
        units[allocation.line_id, allocation.warehouse_id] += allocation.quantity
    for line in order.lines:
        if line.kind == "service":
            units[line.line_id, ""] += line.quantity
    lines = {line.line_id: line for line in order.lines}
    return [
        pb.ReleaseLine(
            line_id=line_id,
            sku=lines[line_id].sku,
            description=lines[line_id].description,
            warehouse_id=warehouse_id,
            quantity=quantity,
            unit_weight_grams=lines[line_id].unit_weight_grams,
        )
        for (line_id, warehouse_id), quantity in sorted(units.items())
        if line_id in lines
    ]
