"""The one step that asks Temporal itself: which orders' workflows ended without being able to clean up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from oms.orders.v1 import orders_pb2
from workflows import names
from workflows.activities.calls import Services
from workflows.messages import OrderIds

OF_LATE = timedelta(days=1)
"""Longer than anybody leaves the worker down."""

BATCH = 200

_TERMINATED = frozenset(
    {
        WorkflowExecutionStatus.TERMINATED,
        WorkflowExecutionStatus.TIMED_OUT,
        WorkflowExecutionStatus.FAILED,
        WorkflowExecutionStatus.CANCELED,
    }
)


class TemporalActivities:
    """What only Temporal knows of an order."""

    def __init__(self, client: Client, services: Services) -> None:
        self._client = client
        self._services = services

    @activity.defn(name="temporal.FindTerminated")
    async def find_terminated(self, lapsed: OrderIds) -> OrderIds:
        """Orders whose workflow was terminated and runs no code any more: of these, and of late those that nobody knows as ended.

        Some hundreds at most; the next round finds the others.
        """
        suspects = {**await self._closed_of_late(), **await self._living(order_ids=lapsed.order_ids)}
        return OrderIds([order_id for order_id in sorted(suspects) if await self._is_terminated(suspects[order_id])])

    async def _closed_of_late(self) -> dict[str, str]:
        """Orders of which a run ended that way while they live on; one that was reset lives on in another run."""
        since = (datetime.now(UTC) - OF_LATE).isoformat()
        query = (
            f"WorkflowType = '{names.ORDER_WORKFLOW}' AND CloseTime > '{since}' "
            "AND ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed', 'Canceled')"
        )
        pages = self._client.list_workflows(query, page_size=BATCH)
        found: dict[str, str] = {}
        while len(found) < BATCH:
            await pages.fetch_next_page()
            found |= await self._living(numbers=[names.order_number(run.id) for run in pages.current_page or ()])
            if not pages.next_page_token:
                break
        return dict(list(found.items())[:BATCH])

    async def _living(self, *, order_ids: Sequence[str] = (), numbers: Sequence[str] = ()) -> dict[str, str]:
        """Order id → number of those that have not ended by what the orders service says."""
        if not order_ids and not numbers:
            return {}
        request = orders_pb2.CheckLivenessRequest(order_ids=order_ids, order_numbers=numbers)
        response = await self._services.orders.CheckLiveness(request)
        return {order.order_id: order.number for order in response.living}

    async def _is_terminated(self, number: str) -> bool:
        try:
            description = await self._client.get_workflow_handle(names.order_workflow_id(number)).describe()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return description.status in _TERMINATED
