"""The bare baseline: what an order of the same shape costs on this machine with empty steps and nothing else around.

One workflow by update-with-start, four ordinary activities with empty bodies, then twice a signal followed by two more. Its
worker is a process of its own with the same options as ours: `python -m bench.baseline TARGET`.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import uuid
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

from workflows.sandbox import sandbox

QUEUE = "bench-baseline"


@activity.defn(name="empty")
async def empty(_step: str) -> str:
    """Do nothing."""
    return "done"


@workflow.defn(name="Baseline")
class Baseline:
    """Eight empty steps around one update and two signals."""

    def __init__(self) -> None:
        self.is_answered = False
        self.facts = 0

    @workflow.run
    async def run(self, order_id: str) -> str:
        """The whole life."""
        for number in range(4):
            await self.step(f"{order_id}/{number}")
        self.is_answered = True
        for turn in range(2):
            await workflow.wait_condition(lambda awaited=turn: self.facts > awaited)  # type: ignore[misc]  # a default binds the turn
            for number in range(2):
                await self.step(f"{order_id}/{turn}/{number}")
        return "done"

    async def step(self, name: str) -> None:
        """One ordinary activity."""
        await workflow.execute_activity(empty, name, start_to_close_timeout=timedelta(seconds=10))

    @workflow.update
    async def place(self) -> str:
        """Answer after the first four steps."""
        await workflow.wait_condition(lambda: self.is_answered)
        return "placed"

    @workflow.signal
    def fact(self) -> None:
        """Go on."""
        self.facts += 1


async def one(client: Client) -> None:
    """One life from start to end."""
    workflow_id = f"bench/{uuid.uuid4().hex}"
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        Baseline.run,
        workflow_id,
        id=workflow_id,
        task_queue=QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await client.execute_update_with_start_workflow(Baseline.place, start_workflow_operation=start)
    handle = client.get_workflow_handle(workflow_id)
    await handle.signal(Baseline.fact)
    await handle.signal(Baseline.fact)
    await handle.result()


async def measure(target: str, orders: int, at_once: int) -> float:
    """Orders per second, `at_once` in flight; a worker process must be running."""
    client = await Client.connect(target)
    places = asyncio.Semaphore(at_once)

    async def queued() -> None:
        async with places:
            await one(client)

    await asyncio.gather(*(one(client) for _ in range(3)))  # warm: caches, connections
    began = time.perf_counter()
    await asyncio.gather(*(queued() for _ in range(orders)))
    return orders / (time.perf_counter() - began)


async def serve(target: str) -> None:
    """Run the baseline's worker until the process is ended."""
    client = await Client.connect(target)
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[Baseline],
        activities=[empty],
        workflow_runner=sandbox(client.data_converter, "bench"),
        graceful_shutdown_timeout=timedelta(seconds=1),
        max_cached_workflows=1000,
    )
    gc.freeze()  # as our worker does
    await worker.run()


if __name__ == "__main__":
    from bench import baseline  # noqa: PLW0406  # the main module cannot pass through the sandbox as our stories do

    asyncio.run(baseline.serve(sys.argv[1]))
