"""Open returns that no workflow carries on, whatever Temporal's list says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from oms.orders.v1 import orders_pb2 as pb
from workflows.activities.lost_returns import LostReturnActivities
from workflows.activities.temporal import BATCH, PAGE
from workflows.messages import Done
from workflows.return_messages import LostReturns


@dataclass
class Everything:
    """Temporal with what it lists and what it knows of each workflow, and an orders service with its open returns."""

    open_returns: list[str]
    listed: list[str] = field(default_factory=list)
    known: dict[str, WorkflowExecutionStatus] = field(default_factory=dict)
    described: list[str] = field(default_factory=list)
    recorded: list[pb.RecordLostReturnsRequest] = field(default_factory=list)

    async def list_workflows(self, query: str, page_size: int) -> AsyncIterator[Any]:
        assert "'ReturnWorkflow'" in query
        for number in self.listed[:page_size]:
            yield SimpleNamespace(id=f"return/{number}")

    def get_workflow_handle(self, workflow_id: str) -> Any:
        async def describe() -> Any:
            self.described.append(workflow_id)
            if workflow_id not in self.known:
                raise RPCError("no such workflow", RPCStatusCode.NOT_FOUND, b"")
            return SimpleNamespace(status=self.known[workflow_id])

        return SimpleNamespace(describe=describe)

    async def ListOpenReturns(self, request: pb.ListOpenReturnsRequest) -> pb.ListOpenReturnsResponse:
        behind = [number for number in self.open_returns if f"rma_{number}" > request.cursor][: request.limit]
        page = [pb.OpenReturn(return_id=f"rma_{number}", number=number) for number in behind]
        cursor = page[-1].return_id if len(page) == request.limit else ""
        return pb.ListOpenReturnsResponse(returns=page, next_cursor=cursor)

    async def RecordLostReturns(self, request: pb.RecordLostReturnsRequest) -> pb.RecordLostReturnsResponse:
        self.recorded.append(request)
        return pb.RecordLostReturnsResponse(opened_count=1, resolved_count=2)

    @property
    def steps(self) -> LostReturnActivities:
        temporal: Any = self
        services: Any = SimpleNamespace(orders=self)
        return LostReturnActivities(temporal, services)

    async def found(self) -> tuple[list[str], bool]:
        lost = await self.steps.find_lost_returns(Done())
        return lost.return_ids, lost.is_all


@pytest.mark.parametrize(
    ("status", "is_lost"),
    [
        (None, True),
        (WorkflowExecutionStatus.TERMINATED, True),
        (WorkflowExecutionStatus.FAILED, True),
        (WorkflowExecutionStatus.COMPLETED, True),
        (WorkflowExecutionStatus.RUNNING, False),
    ],
)
async def test_an_open_return_is_lost_unless_its_workflow_runs(
    status: WorkflowExecutionStatus | None, is_lost: bool
) -> None:
    known = {"return/RMA-1": status} if status is not None else {}

    assert await Everything(["RMA-1"], known=known).found() == (["rma_RMA-1"] if is_lost else [], True)


async def test_a_return_whose_workflow_is_listed_is_not_looked_up() -> None:
    everything = Everything(["RMA-1", "RMA-2"], listed=["RMA-1"])

    assert await everything.found() == (["rma_RMA-2"], True)
    assert everything.described == ["return/RMA-2"]


async def test_every_page_is_looked_through_and_of_very_many_a_batch_is_told() -> None:
    many = [f"RMA-{number:04}" for number in range(PAGE + 2)]
    last = Everything(many, known={f"return/{number}": WorkflowExecutionStatus.RUNNING for number in many[:-1]})

    ids, is_all = await Everything(many).found()

    assert await last.found() == ([f"rma_{many[-1]}"], True)
    assert (len(ids), is_all) == (BATCH, False)


async def test_what_was_found_is_told_as_it_was_found() -> None:
    everything = Everything([])

    done = await everything.steps.record_lost_returns(LostReturns(["rma_1"], False, 7))

    assert done == Done("1 new, 2 over")
    assert everything.recorded == [pb.RecordLostReturnsRequest(return_ids=["rma_1"], is_all=False, searched_micros=7)]
