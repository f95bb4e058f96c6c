from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from services.runtime.grpc_client import Unreachable
from tests.workflows.driver import order_ref
from workflows.client import OrderWorkflows
from workflows.messages import CancelOrder, FactNote


async def test_every_call_says_that_temporal_is_away_and_nothing_else() -> None:
    workflows = OrderWorkflows("127.0.0.1:1", "default")

    with pytest.raises(Unreachable):
        await workflows.place(order_ref(), timedelta(seconds=1))
    with pytest.raises(Unreachable):
        await workflows.cancel("ord_1", CancelOrder("can_1"), timedelta(seconds=1))
    with pytest.raises(Unreachable):
        workflows.start(order_ref())
    with pytest.raises(Unreachable):
        workflows.signal("ord_1", "shipment_shipped", FactNote("fact_1"))
    assert not await workflows.is_reachable()
    workflows.close()


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
