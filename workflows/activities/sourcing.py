"""The step that sources again what is open of an order: recalled, planned, and released from where it comes now."""

from __future__ import annotations

from temporalio import activity

from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2 as pb
from workflows.activities.calls import Services, goods_of, shipments_of, unit_weights, warehouse_costs
from workflows.activities.documents import Documents
from workflows.activities.fulfillment import FulfillmentActivities
from workflows.activities.inventory import carried_units
from workflows.messages import OrderStep
from workflows.sourcing_messages import SourcedAgain, SourceStep


class SourcingActivities:
    """Warehouses, stock and carriers together: what one of them answers is asked of the next."""

    def __init__(self, services: Services, documents: Documents, fulfillment: FulfillmentActivities) -> None:
        self._services = services
        self._documents = documents
        self._fulfillment = fulfillment

    @activity.defn(name="fulfillment.SourceAgain")
    async def source_again(self, step: SourceStep) -> SourcedAgain:
        """Take back what the warehouses to be left have not picked, plan all that is open, and release it.

        Nothing of an order of which inventory asks nothing: whoever told of it may be wrong. A try whose plan was made, and whose answer
        was lost, finds no request any more: inventory gives the first answer of its key.
        """
        asked = await self._services.inventory.GetSourcingRequests(
            pb.GetSourcingRequestsRequest(order_id=step.order_id)
        )
        waits = await self._recall(step, list(asked.requests))
        planned = await self._plan(step, is_to_be_repeated=waits)
        if not (planned.is_asked and step.is_released):
            return SourcedAgain(planned.is_asked, planned.why, is_to_be_repeated=waits)
        release = OrderStep(
            f"{step.request_id}/release", step.order_id, step.withholding_change_id, version=step.version
        )
        return SourcedAgain(True, planned.why, await self._fulfillment.release_shipments(release), waits)

    async def _recall(self, step: SourceStep, requests: list[pb.SourcingRequest]) -> bool:
        """Whether another recall is to be answered first."""
        leaving = sorted({one.warehouse_id for one in requests if one.warehouse_id})
        if not leaving:
            return False
        request = fulfillment_pb2.RecallUnsendableRequest(
            request_id=f"{step.request_id}/recall/{requests[-1].sourcing_request_id}",
            order_id=step.order_id,
            sourcing_request_id=requests[-1].sourcing_request_id,
            warehouse_ids=leaving,
            reason="; ".join(dict.fromkeys(one.why for one in requests))[:500],
        )
        return bool((await self._services.fulfillment.RecallUnsendable(request)).waiting_quantity)

    async def _plan(self, step: SourceStep, *, is_to_be_repeated: bool) -> pb.SourceAgainResponse:
        order = await self._documents.order(step.order_id, step.version)
        goods = goods_of(order)
        costs = await warehouse_costs(self._services, order)
        request = pb.SourceAgainRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            costs=costs.rows,
            carried=carried_units(await shipments_of(self._services, step.order_id)),
            unit_weights=unit_weights(goods),
            currency=costs.currency,
            customer_id=order.customer_id,
            is_to_be_repeated=is_to_be_repeated,
        )
        return await self._services.inventory.SourceAgain(request)
