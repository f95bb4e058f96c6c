"""Drives the workflow of one return as the orders service would, against a fake database that says what comes next."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from tests.workflows.driver import at_work
from workflows import names
from workflows.messages import Done
from workflows.return_messages import (
    ANNOUNCE,
    CLOSE,
    CREDIT,
    NET,
    OVER,
    SETTLE,
    WAIT,
    Following,
    ReturnNote,
    ReturnRef,
    ReturnStep,
)
from workflows.returns import ReturnWorkflow

NUMBERS = itertools.count(1001)


@dataclass
class FakeReturn:
    """A return as orders would keep it: `inspections` that came and are not credited, and whether goods are still awaited.

    Their credit `is_netted` where another SKU replaces the goods; `is_advance` while what was sent for them is not settled.
    """

    state: str = "authorized"
    is_announced: bool = False
    inspections: list[str] = field(default_factory=list)
    awaits_more: bool = True
    is_closing: bool = False
    is_netted: bool = False
    to_net: list[str] = field(default_factory=list)
    is_advance: bool = False
    deadline: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(days=30))
    refused: str = ""
    halted: str = ""
    away: int = 0
    away_at: Counter[str] = field(default_factory=Counter)
    calls: list[str] = field(default_factory=list)
    keys: Counter[str] = field(default_factory=Counter)

    def following(self) -> Following:
        """What comes next, as services.orders.domain.return_steps says it."""
        if self.state == "requested":
            return Following(WAIT, state=self.state)
        if self.state == "authorized" and not self.is_announced and not self.is_closing:
            return Following(ANNOUNCE, state=self.state)
        if self.inspections:
            return Following(CREDIT, self.inspections[0], state=self.state)
        if self.to_net:
            return Following(NET, self.to_net[0], state=self.state)
        if self.is_closing and self.awaits_more:
            return Following(CLOSE, state=self.state)
        if self.is_advance and not self.awaits_more:
            return Following(SETTLE, state=self.state)
        if self.state != "authorized" or not self.awaits_more:
            return Following(OVER, state="closed" if self.state == "authorized" else self.state)
        return Following(WAIT, deadline_micros=int(self.deadline.timestamp() * 1_000_000), state=self.state)

    def called(self, name: str, step: ReturnStep) -> None:
        """Note a call; be away, or refuse, as the test asked for."""
        if self.away or self.away_at[name]:
            self.away -= bool(self.away)
            self.away_at[name] -= bool(self.away_at[name])
            raise ApplicationError("away", type="UNREACHABLE")
        if name == self.refused:
            raise ApplicationError("refused", type="WAREHOUSE_CURRENCY", non_retryable=True)
        self.calls.append(name)
        self.keys[step.request_id] += 1

    @activity.defn(name="orders.AdvanceReturn")
    async def advance(self, step: ReturnStep) -> Following:
        self.halted = step.halted or self.halted
        self.called("halted" if step.halted else "deadline" if step.passed_micros else "next", step)
        self.is_closing = self.is_closing or bool(step.passed_micros)
        return self.following()

    @activity.defn(name="fulfillment.ExpectReturn")
    async def expect(self, step: ReturnStep) -> Following:
        self.called("announce", step)
        self.is_announced = True
        return self.following()

    @activity.defn(name="fulfillment.CloseReturn")
    async def close(self, step: ReturnStep) -> Following:
        self.called("close", step)
        self.awaits_more = False
        return self.following()

    @activity.defn(name="inventory.TakeReturn")
    async def take(self, step: ReturnStep) -> Done:
        self.called("stock", step)
        return Done("2 to restock")

    @activity.defn(name="billing.CreditReturn")
    async def credit(self, step: ReturnStep) -> Following:
        self.called("credit", step)
        self.inspections.remove(step.inspection_id)
        self.to_net += [step.inspection_id] if self.is_netted else []
        return self.following()

    @activity.defn(name="billing.NetExchange")
    async def net(self, step: ReturnStep) -> Following:
        self.called("net", step)
        self.to_net.remove(step.inspection_id)
        return self.following()

    @activity.defn(name="billing.SettleExchange")
    async def settle(self, step: ReturnStep) -> Following:
        self.called("settle", step)
        self.is_advance = False
        return self.following()

    def activities(self) -> list[Any]:
        """Every step of a return."""
        return [self.advance, self.expect, self.close, self.take, self.credit, self.net, self.settle]


@asynccontextmanager
async def return_worker(client: Client, fake: FakeReturn, queue: str) -> AsyncIterator[None]:
    """A worker with the real workflow and fake steps."""
    worker = Worker(
        client, task_queue=queue, workflows=[ReturnWorkflow], activities=fake.activities(), max_cached_workflows=0
    )
    async with at_work(worker):
        yield


async def start(client: Client, queue: str) -> WorkflowHandle[Any, Any]:
    """The workflow of a new return."""
    number = f"RMA-{next(NUMBERS)}"
    ref = ReturnRef(f"rma_{uuid.uuid4().hex}", number, "SO-1001", 4)
    summary = f"{number} · SO-1001 · 4 units"
    return await client.start_workflow(
        names.RETURN_WORKFLOW, ref, id=names.return_workflow_id(number), task_queue=queue, static_summary=summary
    )


async def wake(handle: WorkflowHandle[Any, Any], name: str) -> None:
    """A signal of the outbox."""
    await handle.signal(name, ReturnNote(f"fact_{uuid.uuid4().hex}"))


async def quiet(handle: WorkflowHandle[Any, Any], events: int) -> WorkflowHistory:
    """The history once it holds at least so many events and no workflow task is open."""
    while True:
        history = await handle.fetch_history()
        kinds = [event.event_type for event in history.events]
        over = kinds.count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) + kinds.count(
            EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        )
        if len(kinds) >= events and kinds.count(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED) == over:
            return history
