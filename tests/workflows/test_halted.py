"""Open orders that no workflow carries on: found whatever Temporal's list says, and told a batch at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from oms.orders.v1 import orders_pb2
from workflows import names
from workflows.activities.temporal import BATCH, PAGE, TemporalActivities
from workflows.messages import Done, Halted


@dataclass
class Everything:
    """Temporal with what it lists and what it knows of each workflow, and an orders service with its open orders."""

    open_orders: list[str]
    listed: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    known: dict[str, WorkflowExecutionStatus] = field(default_factory=dict)
    described: list[str] = field(default_factory=list)
    placed_before: list[int] = field(default_factory=list)

    async def list_workflows(self, query: str, page_size: int) -> AsyncIterator[Any]:
        for number in sorted(self.failing if "TemporalReportedProblems" in query else self.listed):
            yield SimpleNamespace(id=names.order_workflow_id(number))

    def get_workflow_handle(self, workflow_id: str) -> Any:
        number = names.order_number(workflow_id)

        async def describe() -> Any:
            self.described.append(number)
            if number not in self.known:
                raise RPCError("no such workflow", RPCStatusCode.NOT_FOUND, b"")
            return SimpleNamespace(status=self.known[number])

        return SimpleNamespace(describe=describe)

    async def ListOpenOrders(self, request: orders_pb2.ListOpenOrdersRequest) -> orders_pb2.ListOpenOrdersResponse:
        self.placed_before.append(request.placed_before_micros)
        behind = [number for number in self.open_orders if f"ord_{number}" > request.cursor][: request.limit]
        page = [orders_pb2.LivingOrder(order_id=f"ord_{number}", number=number) for number in behind]
        cursor = page[-1].order_id if len(page) == request.limit else ""
        return orders_pb2.ListOpenOrdersResponse(orders=page, next_cursor=cursor)

    async def searched(self) -> Halted:
        temporal: Any = self
        services: Any = SimpleNamespace(orders=self)
        return await TemporalActivities(temporal, services).find_halted(Done())

    async def found(self) -> Halted:
        """What the search finds, whenever it was."""
        return replace(await self.searched(), searched_micros=0)


@pytest.mark.parametrize(
    ("status", "is_lost"),
    [
        (None, True),
        (WorkflowExecutionStatus.TERMINATED, True),
        (WorkflowExecutionStatus.FAILED, True),
        (WorkflowExecutionStatus.CANCELED, True),
        (WorkflowExecutionStatus.TIMED_OUT, True),
        (WorkflowExecutionStatus.COMPLETED, True),
        (WorkflowExecutionStatus.RUNNING, False),
    ],
)
async def test_an_open_order_is_lost_unless_its_workflow_runs(
    status: WorkflowExecutionStatus | None, is_lost: bool
) -> None:
    known = {"SO-1": status} if status is not None else {}

    found = await Everything(["SO-1"], known=known).found()

    assert found == Halted(["ord_SO-1"] if is_lost else [], [])


async def test_an_order_whose_workflow_is_listed_is_not_looked_up() -> None:
    everything = Everything(["SO-1", "SO-2"], listed={"SO-1"})

    found = await everything.found()

    assert (found.lost, everything.described) == (["ord_SO-2"], ["SO-2"])


async def test_an_order_whose_workflow_fails_again_and_again_is_stuck_and_not_lost() -> None:
    found = await Everything(["SO-1", "SO-2"], listed={"SO-1", "SO-2"}, failing={"SO-2"}).found()

    assert found == Halted([], ["ord_SO-2"])


async def test_every_page_of_open_orders_is_looked_through() -> None:
    many = [f"SO-{number:04}" for number in range(PAGE + 2)]

    found = await Everything(many, listed=set(many[:-1])).found()

    assert found == Halted([f"ord_{many[-1]}"], [])


async def test_of_very_many_a_batch_is_told_and_that_it_is_not_all() -> None:
    many = [f"SO-{number:04}" for number in range(3 * BATCH)]

    found = await Everything(many).found()

    assert (len(found.lost), found.is_all) == (BATCH, False)


async def test_the_search_says_from_when_on_it_looked_at_no_order() -> None:
    everything = Everything(["SO-1"], listed={"SO-1"})

    found = await everything.searched()

    assert everything.placed_before == [found.searched_micros]
