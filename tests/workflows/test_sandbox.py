"""The sandbox of the worker: it stops what a turn may not do."""

from __future__ import annotations

import uuid
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tests.workflows.driver import at_work, order_ref, place
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.messages import OrderOutcome
from workflows.order import OrderWorkflow
from workflows.worker import RESTRICTIONS

pytestmark = pytest.mark.asyncio(loop_scope="module")


@workflow.defn
class Prying:
    """A planted bug: a workflow that reads a file in its turn."""

    @workflow.run
    async def run(self, path: str) -> str:
        try:
            with open(path) as file:  # noqa: ASYNC230, PTH123  # the bug that the test plants
                return file.read()
        except workflow.NondeterminismError as stopped:
            return f"stopped: {stopped}"


def working(client: Client, queue: str, services: FakeServices) -> AbstractAsyncContextManager[None]:
    """A worker with the sandbox of the real one and fake steps."""
    activities: Any = services.activities()
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[OrderWorkflow, Prying],
        activities=activities,
        workflow_runner=SandboxedWorkflowRunner(restrictions=RESTRICTIONS.with_passthrough_modules("tests")),
    )
    return at_work(worker)


async def test_an_order_lives_its_life_in_the_sandbox_of_the_worker(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex

    async with working(temporal, queue, services):
        order = await place(temporal, order_ref(), queue)
        for kind in (names.SHIPMENT_SHIPPED, names.SHIPMENT_DELIVERED, names.PAYMENT_SETTLED):
            await order.notify(kind, "shp_1")
        outcome = await order.handle.result()

    assert outcome in ({"outcome": "completed"}, OrderOutcome("completed"))
    assert services.milestones() == ["accepted", "closed"]


async def test_a_workflow_that_reads_a_file_is_stopped_at_work(temporal: Client, tmp_path: Path) -> None:
    queue, path = uuid.uuid4().hex, tmp_path / "told.txt"
    path.write_text("secret")

    async with working(temporal, queue, FakeServices()):
        notified = await temporal.execute_workflow(Prying.run, str(path), id=queue, task_queue=queue)

    assert notified.startswith("stopped: ")
