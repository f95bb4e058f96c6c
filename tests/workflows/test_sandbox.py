"""The sandbox at work: it still stops what a turn may not do, and asks a story whose payload it has where somebody wants to know."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import PayloadCodec, SerializationContext, WithSerializationContext
from temporalio.worker import Worker

from tests.workflows.driver import at_work, order_ref, place
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.messages import OrderOutcome
from workflows.order import OrderWorkflow
from workflows.sandbox import sandbox
from workflows.worker import PASSED_THROUGH

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Sealed(PayloadCodec, WithSerializationContext):
    """Seals each payload with the id of the workflow that it belongs to, and opens no other."""

    def __init__(self, owner: str = "") -> None:
        self.owner = owner

    def with_context(self, context: SerializationContext) -> Sealed:
        return Sealed(str(context.workflow_id)) if hasattr(context, "workflow_id") else self

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"sealed", "owner": self.owner.encode()}, data=payload.SerializeToString())
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self.opened(payload) for payload in payloads]

    def opened(self, payload: Payload) -> Payload:
        assert payload.metadata["owner"].decode() == self.owner
        return Payload.FromString(payload.data)


@workflow.defn
class Prying:
    """A planted bug: a story that reads a file in its turn."""

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
        workflow_runner=sandbox(client.data_converter, *PASSED_THROUGH, "tests"),
    )
    return at_work(worker)


async def test_an_order_lives_its_life_in_the_sandbox_of_the_worker(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex

    async with working(temporal, queue, services):
        order = await place(temporal, order_ref(), queue)
        for kind in (names.SHIPMENT_SHIPPED, names.SHIPMENT_DELIVERED, names.PAYMENT_SETTLED):
            await order.tell(kind, "shp_1")
        outcome = await order.handle.result()

    assert outcome in ({"outcome": "completed"}, OrderOutcome("completed"))
    assert services.milestones() == ["accepted", "closed"]


async def test_a_story_that_reads_a_file_is_stopped_at_work(temporal: Client, tmp_path: Path) -> None:
    queue, path = uuid.uuid4().hex, tmp_path / "told.txt"
    path.write_text("secret")

    async with working(temporal, queue, FakeServices()):
        told = await temporal.execute_workflow(Prying.run, str(path), id=queue, task_queue=queue)

    assert told.startswith("stopped: ")


async def test_a_codec_is_told_whose_payload_it_has(temporal: Client) -> None:
    converter = dataclasses.replace(temporal.data_converter, payload_codec=Sealed())
    client = Client(temporal.service_client, namespace=temporal.namespace, data_converter=converter)
    services, queue = FakeServices(), uuid.uuid4().hex

    async with working(client, queue, services):
        order = await place(client, order_ref(), queue)
        cancelled = await order.cancel()
        await order.handle.result()

    assert cancelled.is_cancelled
    assert services.milestones() == ["accepted", "cancelled"]
