"""Orders whose workflow was terminated: found however many others ended that way of late."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from temporalio.client import WorkflowExecutionStatus

from oms.orders.v1 import orders_pb2
from workflows import names
from workflows.activities.temporal import BATCH, TemporalActivities
from workflows.messages import OrderIds


@dataclass
class Listing:
    """Pages as the SDK gives them: fetched one by one, the last without a token."""

    ids: list[str]
    page_size: int
    current_page: list[Any] | None = None
    next_page_token: bytes | None = None
    taken: int = 0

    async def fetch_next_page(self) -> None:
        page = self.ids[self.taken : self.taken + self.page_size]
        self.taken += len(page)
        self.current_page = [SimpleNamespace(id=names.order_workflow_id(number)) for number in page]
        self.next_page_token = b"more" if self.taken < len(self.ids) else None


@dataclass
class Everything:
    """Temporal with workflows that were terminated, and an orders service that knows which orders have ended."""

    terminated: list[str]
    ended: set[str] = field(default_factory=set)
    status: WorkflowExecutionStatus = WorkflowExecutionStatus.TERMINATED

    def list_workflows(self, _query: str, page_size: int) -> Listing:
        return Listing(self.terminated, page_size)

    def get_workflow_handle(self, _workflow_id: str) -> Any:
        return self

    async def describe(self) -> Any:
        return SimpleNamespace(status=self.status)

    async def CheckLiveness(self, request: orders_pb2.CheckLivenessRequest) -> orders_pb2.CheckLivenessResponse:
        living = [
            orders_pb2.LivingOrder(order_id=f"ord_{number}", number=number)
            for number in request.order_numbers
            if number not in self.ended
        ]
        return orders_pb2.CheckLivenessResponse(living=living)

    async def found(self) -> list[str]:
        temporal: Any = self
        services: Any = SimpleNamespace(orders=self)
        return (await TemporalActivities(temporal, services).find_terminated(OrderIds())).order_ids


async def test_orders_behind_many_that_were_freed_already_are_found() -> None:
    many = [f"SO-{number:04}" for number in range(3 * BATCH)]
    living = many[-2:]

    found = await Everything(many, ended=set(many[:-2])).found()

    assert found == [f"ord_{number}" for number in living]


async def test_a_round_finds_so_many_orders_that_one_question_holds_them() -> None:
    many = [f"SO-{number:04}" for number in range(3 * BATCH)]

    found = await Everything(many, ended=set(many[:10])).found()

    assert len(found) == BATCH


async def test_a_workflow_that_was_cancelled_by_hand_was_cut_short() -> None:
    assert await Everything(["SO-1"], status=WorkflowExecutionStatus.CANCELED).found() == ["ord_SO-1"]


async def test_a_workflow_that_was_reset_and_lives_on_was_not() -> None:
    assert await Everything(["SO-1"], status=WorkflowExecutionStatus.RUNNING).found() == []
