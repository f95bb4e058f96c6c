"""Steps of exchanges: a return's credit pays what replaces its goods, and what never came is charged."""

from __future__ import annotations

from temporalio import activity

from oms.billing.v1 import billing_pb2
from oms.orders.v1 import orders_pb2 as pb
from oms.types.v1 import types_pb2
from workflows.activities.calls import CARD, Services, capture_open
from workflows.return_messages import Following, ReturnStep


class ExchangeActivities:
    """What the workflow of a return asks of billing for what replaces its goods."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @activity.defn(name="billing.NetExchange")
    async def net_exchange(self, step: ReturnStep) -> Following:
        """Hold cash that the credit of an inspection left for the order that replaces its goods."""
        found = await self._document(step)
        one = next(one for one in found.inspections if one.inspection_id == step.inspection_id)
        if one.replacement_order_id:
            order = await self._order(one.replacement_order_id)
            request = billing_pb2.NetExchangeRequest(
                request_id=step.request_id, return_id=found.return_id, order_id=order.order_id, total=order.total
            )
            await self._services.billing.NetExchange(request)
        return await self._advance(step, "netted", step.inspection_id)

    @activity.defn(name="billing.SettleExchange")
    async def settle_exchange(self, step: ReturnStep) -> Following:
        """Charge what was sent in advance for goods that did not come; what secured the rest is given back."""
        found = await self._document(step)
        for one in found.replacements:
            if not one.is_documented:
                await self._settle(step, one)
        return await self._advance(step, "settled")

    async def _settle(self, step: ReturnStep, one: pb.Replacement) -> None:
        order = await self._order(one.order_id)
        request = billing_pb2.SettleExchangeRequest(
            request_id=f"{step.request_id}/{one.order_id}",
            order=order,
            lines=[
                types_pb2.LineQuantity(line_id=line_id, quantity=units)
                for line_id, units in sorted(one.charged.items())
            ],
        )
        await self._services.billing.SettleExchange(request)
        if order.payment_method == CARD:  # of what has left, whichever call posted it
            await capture_open(self._services, order.order_id, f"{request.request_id}/capture")

    async def _document(self, step: ReturnStep) -> pb.ReturnDocument:
        return (await self._services.orders.GetReturn(pb.GetReturnRequest(return_id=step.return_id))).document

    async def _order(self, order_id: str) -> pb.Order:
        return (await self._services.orders.GetOrder(pb.GetOrderRequest(order_id=order_id))).order

    async def _advance(self, step: ReturnStep, done: str, inspection_id: str = "") -> Following:
        request = pb.AdvanceReturnRequest(
            request_id=step.request_id, return_id=step.return_id, done=done, inspection_id=inspection_id
        )
        said = await self._services.orders.AdvanceReturn(request)
        return Following(said.next, said.inspection_id, said.deadline_micros, said.state)
