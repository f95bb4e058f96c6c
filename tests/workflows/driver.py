"""Drives one order's workflow as the orders service would: place, facts, cancellation, and its history afterwards."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle, WorkflowHistory
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.worker import Worker

from services.kernel.ids import sales_order_number
from tests.temporal import patient
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.client import search_attributes, summary
from workflows.messages import Acknowledged, CancelOrder, CancelOutcome, ClearanceRefresh, FactNote, OrderRef, Receipt
from workflows.order import OrderWorkflow

NUMBERS = itertools.count(1001)
"""A number is given once, also where tests share a Temporal server."""


def order_ref(**changes: Any) -> OrderRef:
    """A believable order; ids as long as real ones, so that sizes mean something."""
    given: dict[str, Any] = {
        "order_id": f"ord_{uuid.uuid4().hex}",
        "number": sales_order_number(next(NUMBERS)),
        "version": 1,
        "customer_id": "cus_acme",
        "customer_name": "Acme Pumps & Valves",
        "channel": "web",
        "po_number": "PO-7781",
        "total_minor": 2_640_000,
        "currency": "USD",
        "total_text": "26,400.00 USD",
        "payment_method": "terms",
        "reads_truth": True,
    }
    return OrderRef(**(given | changes))


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[None]:
    """The worker, which works until the block ends; the block may take two minutes, so nothing in it waits for ever."""
    async with asyncio.timeout(120), patient(worker):
        yield


@asynccontextmanager
async def fake_worker(client: Client, services: FakeServices, queue: str) -> AsyncIterator[None]:
    """A worker with the real workflow and fake steps."""
    activities: Any = services.activities()
    worker = Worker(client, task_queue=queue, workflows=[OrderWorkflow], activities=activities, max_cached_workflows=0)
    async with at_work(worker):
        yield


@asynccontextmanager
async def payment_worker(client: Client, services: FakeServices) -> AsyncIterator[None]:
    """A worker with the fake steps that have a queue of their own."""
    async with Worker(client, task_queue=names.PAYMENT_QUEUE, activities=[services.capture_invoice]):
        yield


class PlacedOrder:
    """An order that was placed through update-with-start."""

    def __init__(self, client: Client, order: OrderRef, receipt: Receipt) -> None:
        self.client = client
        self.order = order
        self.receipt = receipt
        self.handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(names.order_workflow_id(order.number))

    async def notify(self, kind: str, subject_id: str = "", *, fact_id: str = "", is_complete: bool = False) -> None:
        """Send a fact as the relay does; give the same fact_id twice for a repeat."""
        note = FactNote(fact_id or f"fact_{uuid.uuid4().hex}", subject_id, is_complete)
        payloads = await self.client.data_converter.encode([note])
        await self.client.workflow_service.signal_workflow_execution(
            SignalWorkflowExecutionRequest(
                namespace=self.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=self.handle.id),
                signal_name=kind,
                input=Payloads(payloads=payloads),
                identity="test",
                request_id=note.fact_id,
            )
        )

    async def cancel(self, cancellation_id: str = "can_1") -> CancelOutcome:
        """Cancel as the API does."""
        outcome: CancelOutcome = await self.handle.execute_update(
            names.CANCEL, CancelOrder(cancellation_id), id=cancellation_id, result_type=CancelOutcome
        )
        return outcome

    async def refresh(self, update: str, subject_id: str, who: str = "", what: str = "") -> Acknowledged:
        """Show a decision as the API does; every one has an update id of its own."""
        found: Acknowledged = await self.handle.execute_update(
            update, ClearanceRefresh(subject_id, who, what), id=uuid.uuid4().hex, result_type=Acknowledged
        )
        return found

    async def history(self) -> WorkflowHistory:
        """Everything that happened."""
        return await self.handle.fetch_history()


async def place(client: Client, order: OrderRef, queue: str) -> PlacedOrder:
    """Place in one round trip."""
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        names.ORDER_WORKFLOW,
        order,
        id=names.order_workflow_id(order.number),
        task_queue=queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        search_attributes=search_attributes(order),
        static_summary=summary(order),
    )
    receipt = await client.execute_update_with_start_workflow(
        names.PLACE, id=names.PLACE, start_workflow_operation=start, result_type=Receipt
    )
    return PlacedOrder(client, order, receipt)


async def until_quiet(order: PlacedOrder, events: int) -> WorkflowHistory:
    """Poll until the history holds at least so many events and no workflow task is open."""
    while True:
        history = await order.history()
        kinds = [event.event_type for event in history.events]
        open_task = kinds.count(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED) - sum(
            kinds.count(kind)
            for kind in (
                EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
                EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
                EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
            )
        )
        if len(kinds) >= events and not open_task:
            return history


def actions(history: WorkflowHistory) -> int:
    """Billable actions by Temporal Cloud's published rules.

    One each: workflow start (plain or with an update), update accepted, signal, timer, ordinary activity try, search attribute
    upsert, and each workflow task that ran local activities (markers).
    """
    single = {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_TIMER_STARTED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    }
    total = sum(event.event_type in single for event in history.events)
    local_turns = {
        event.marker_recorded_event_attributes.workflow_task_completed_event_id
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
    }
    return total + len(local_turns)
