"""What reaches an order's workflow while no worker is there: the next one finds it all in one workflow task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.update.v1 import UpdateRef
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from tests.workflows.driver import PlacedOrder, at_work
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.messages import Acknowledged, CancelOrder, CancelOutcome, ClearanceRefresh, OrderOutcome
from workflows.order import OrderWorkflow

Send = Callable[[PlacedOrder], Awaitable[asyncio.Task[Any] | None]]
"""Hands something over; gives the answer to come, if there is to be one."""


def fact(kind: str) -> Send:
    """The relay's signal."""
    return lambda order: order.notify(kind, "shp_1")


async def update(order: PlacedOrder, name: str, update_id: str, message: Any, answer: type) -> asyncio.Task[Any]:
    """Send an update that nobody answers yet, and come back when the server has it."""
    sent = asyncio.create_task(order.handle.execute_update(name, message, id=update_id, result_type=answer))
    execution = WorkflowExecution(workflow_id=order.handle.id)
    request = PollWorkflowExecutionUpdateRequest(
        namespace=order.client.namespace,
        update_ref=UpdateRef(workflow_execution=execution, update_id=update_id),
        identity="test",
    )
    while True:
        try:
            await order.client.workflow_service.poll_workflow_execution_update(request)
        except RPCError as unknown:
            if unknown.status != RPCStatusCode.NOT_FOUND:
                raise
        else:
            return sent


async def cancelled_by_customer(order: PlacedOrder) -> asyncio.Task[Any]:
    """The business cancel."""
    return await update(order, names.CANCEL, "can_1", CancelOrder("can_1"), CancelOutcome)


async def decided(order: PlacedOrder) -> asyncio.Task[Any]:
    """Somebody approved."""
    return await update(order, names.DECIDE, "dec_1", ClearanceRefresh("dec_1"), Acknowledged)


async def stopped_by_hand(order: PlacedOrder) -> None:
    """Temporal's own cancel."""
    await order.handle.cancel()


async def ended(order: PlacedOrder) -> str | None:
    """How the run ended; None when it was interrupted."""
    try:
        return OrderOutcome(**(await order.handle.result())).outcome
    except WorkflowFailureError as interrupted:
        if not isinstance(interrupted.cause, CancelledError):
            raise
        return None


@asynccontextmanager
async def earlier_worker(client: Client, services: FakeServices, queue: str) -> AsyncIterator[None]:
    """A worker whose runs are as those from before they stopped at rest: a cancel breaks them off wherever they are."""
    activities: Any = services.activities()
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[OrderWorkflow],
        activities=activities,
        max_cached_workflows=0,
        patch_activation_callback=lambda _: False,
    )
    async with at_work(worker):
        yield


def is_one_task(history: WorkflowHistory) -> bool:
    """Whether the last two of what came in met in one workflow task: signals and cancels stand before it, updates behind its end."""
    kinds = [event.event_type for event in history.events]
    first, last = [place for place, kind in enumerate(kinds) if kind in _COMES_IN][-2:]
    is_behind = kinds[last] == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED != kinds[first]
    tasks = kinds[first:last].count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    return tasks == int(is_behind)


_COMES_IN = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    }
)
