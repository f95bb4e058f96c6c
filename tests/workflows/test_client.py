from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from services.runtime.grpc_client import Unreachable
from services.runtime.settings import ServiceSettings
from tests.workflows.driver import order_ref
from workflows import __main__ as worker_process
from workflows import names
from workflows.client import OrderWorkflows, search_attributes
from workflows.messages import CancelOrder, FactNote


async def test_every_call_says_that_temporal_is_away_and_nothing_else() -> None:
    workflows = OrderWorkflows("127.0.0.1:1", "default")

    with pytest.raises(Unreachable):
        await workflows.place(order_ref(), timedelta(seconds=1))
    with pytest.raises(Unreachable):
        await workflows.cancel("SO-1", CancelOrder("can_1"), timedelta(seconds=1))
    with pytest.raises(Unreachable):
        workflows.start(order_ref())
    with pytest.raises(Unreachable):
        workflows.signal("SO-1", "shipment_shipped", FactNote("fact_1"))
    assert not await workflows.is_reachable()
    workflows.close()


async def test_a_call_that_does_not_come_back_is_one_that_temporal_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workflows = OrderWorkflows("127.0.0.1:1", "default", within=timedelta(seconds=0.1))

    async def never_connected() -> Any:
        await asyncio.sleep(3600)

    monkeypatch.setattr(workflows, "_connected", never_connected)

    with pytest.raises(Unreachable, match="no answer"):
        workflows.signal("ord_1", "shipment_shipped", FactNote("fact_1"))
    with pytest.raises(Unreachable, match="no answer"):
        await workflows.is_reachable()
    workflows.close()


async def test_after_the_end_of_its_thread_every_call_is_refused_at_once() -> None:
    workflows = OrderWorkflows("127.0.0.1:1", "default")
    workflows.close()

    with pytest.raises(Unreachable, match="stopping"):
        workflows.start(order_ref())
    with pytest.raises(Unreachable, match="stopping"):
        await workflows.cancel("ord_1", CancelOrder("can_1"), timedelta(seconds=1))


async def test_a_worker_does_not_wait_for_a_temporal_that_takes_connections_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_process, "CONNECT_TRY_S", 0.2)
    monkeypatch.setattr(worker_process, "CONNECT_WITHIN_S", 0.1)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = ServiceSettings(temporal_target=f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(RuntimeError, match="Temporal does not answer at"):
            await worker_process.connect(settings)


def test_an_order_is_found_by_its_number_and_by_every_search_attribute() -> None:
    order = order_ref(number="SO-1019")

    found_by = {pair.key: pair.value for pair in search_attributes(order)}

    assert names.order_workflow_id(order.number) == "order/SO-1019"
    assert names.order_number("order/SO-1019") == "SO-1019"
    assert set(found_by) == set(names.SEARCH_ATTRIBUTES)
    assert found_by[names.NUMBER] == "SO-1019"


class NotReady:
    """A Temporal that says of every update that the workflow's task has failed and is tried again."""

    async def execute_update_with_start_workflow(self, *_: Any, **__: Any) -> Any:
        raise RPCError("Workflow Task in failed state", RPCStatusCode.FAILED_PRECONDITION, b"")


async def test_a_workflow_whose_task_has_failed_has_no_answer_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    workflows = OrderWorkflows("127.0.0.1:1", "default")

    async def connected() -> Any:
        return NotReady()

    monkeypatch.setattr(workflows, "_connected", connected)

    assert await workflows.place(order_ref(), timedelta(seconds=1)) is None
    workflows.close()
