"""The one step that asks Temporal itself: which open orders no workflow carries on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from oms.orders.v1 import orders_pb2
from workflows import names
from workflows.activities.calls import Services
from workflows.messages import Done, Halted

YOUNG = timedelta(minutes=1)
"""An order that was placed so lately may just be starting."""
BATCH = 200
"""So many of a kind are told at once, by order id; the others are told once these go on. `oms repair` starts every lost one."""
PAGE = 500

_RUNNING = f"WorkflowType = '{names.ORDER_WORKFLOW}' AND ExecutionStatus = 'Running'"
_FAILING = (
    f"{_RUNNING} AND TemporalReportedProblems IN ('category=WorkflowTaskFailed', 'category=WorkflowTaskTimedOut')"
)
"""What the server itself says of a workflow whose next step failed again and again."""


class TemporalActivities:
    """What only Temporal knows of an order."""

    def __init__(self, client: Client, services: Services) -> None:
        self._client = client
        self._services = services

    @activity.defn(name="temporal.FindHalted")
    async def find_halted(self, _ask: Done) -> Halted:
        """Open orders without a running workflow, and those whose workflow fails; Temporal's list may lag, so each suspect is looked up."""
        before = micros_of(datetime.now(UTC) - YOUNG)
        running, failing_numbers = await self._numbers(_RUNNING), await self._numbers(_FAILING)
        lost: list[str] = []
        failing: list[str] = []
        request = orders_pb2.ListOpenOrdersRequest(placed_before_micros=before, limit=PAGE)
        while True:
            page = await self._services.orders.ListOpenOrders(request)
            for order in page.orders:
                if order.number not in running and not await is_running(
                    self._client, names.order_workflow_id(order.number)
                ):
                    lost.append(order.order_id)
                elif order.number in failing_numbers:
                    failing.append(order.order_id)
            is_all = len(lost) <= BATCH and len(failing) <= BATCH
            if not page.next_cursor or not is_all:
                return Halted(lost[:BATCH], failing[:BATCH], is_all, before)
            request.cursor = page.next_cursor

    async def _numbers(self, query: str) -> set[str]:
        return {names.order_number(run.id) async for run in self._client.list_workflows(query, page_size=PAGE)}


async def is_running(client: Client, workflow_id: str) -> bool:
    """Whether a workflow runs, as Temporal knows it now."""
    try:
        description = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return False
        raise
    return description.status == WorkflowExecutionStatus.RUNNING


def micros_of(instant: datetime) -> int:
    """Microseconds since the epoch."""
    return int(instant.timestamp() * 1_000_000)
