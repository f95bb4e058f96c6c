"""A bug in a workflow ends no order: it waits, is told as stuck, and goes on with the release that heals it."""

from __future__ import annotations

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from oms.orders.v1 import orders_pb2
from tests.workflows.driver import at_work, fake_worker, order_ref
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.activities.temporal import TemporalActivities
from workflows.messages import Done, OrderOutcome, OrderRef, Receipt

pytestmark = pytest.mark.asyncio(loop_scope="module")


@workflow.defn(name=names.ORDER_WORKFLOW)
class _Broken:
    """A planted bug: an exception that is no refusal."""

    @workflow.run
    async def run(self, order: OrderRef) -> OrderOutcome:
        raise KeyError(order.order_id)


async def until_failing(client: Client, order: OrderRef, *, is_failing: bool) -> list[str]:
    """Look for trouble as the sweep does until it is, or is over; gives the orders that are lost."""

    async def open_orders(_request: orders_pb2.ListOpenOrdersRequest) -> orders_pb2.ListOpenOrdersResponse:
        known = orders_pb2.LivingOrder(order_id=order.order_id, number=order.number)
        return orders_pb2.ListOpenOrdersResponse(orders=[known])

    services: Any = SimpleNamespace(orders=SimpleNamespace(ListOpenOrders=open_orders))
    temporal = TemporalActivities(client, services)
    async with asyncio.timeout(60):
        while True:
            found = await temporal.find_halted(Done())
            if (order.order_id in found.failing) == is_failing:
                return found.lost
            await asyncio.sleep(0.2)


async def test_a_bug_ends_no_order_and_the_release_that_heals_it_goes_on(temporal: Client) -> None:
    order, queue = order_ref(), uuid.uuid4().hex
    broken = Worker(temporal, task_queue=queue, workflows=[_Broken], workflow_runner=UnsandboxedWorkflowRunner())
    handle = await temporal.start_workflow(
        names.ORDER_WORKFLOW, order, id=names.order_workflow_id(order.number), task_queue=queue
    )

    async with at_work(broken):
        lost = await until_failing(temporal, order, is_failing=True)
    async with fake_worker(temporal, FakeServices(), queue):
        lost_then = await until_failing(temporal, order, is_failing=False)
        receipt = await handle.execute_update(names.PLACE, id=names.PLACE, result_type=Receipt)
    await handle.terminate()

    assert (lost, lost_then) == ([], [])
    assert receipt == Receipt("accepted")
