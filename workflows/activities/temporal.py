"""The one step that asks Temporal itself: which orders' workflows ended without being able to clean up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from workflows import names
from workflows.messages import OrderIds

OF_LATE = timedelta(days=1)
"""Longer than anybody leaves the worker down."""

BATCH = 200

_CUT_SHORT = frozenset(
    {WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT, WorkflowExecutionStatus.FAILED}
)


class TemporalActivities:
    """What only Temporal knows of an order."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="temporal.FindCutShort")
    async def find_cut_short(self, lapsed: OrderIds) -> OrderIds:
        """Orders whose workflow was terminated, timed out or failed and runs no code any more: of these, and of late."""
        suspects = sorted({*lapsed.order_ids, *await self._closed_of_late()})
        return OrderIds([order_id for order_id in suspects if await self._is_cut_short(order_id)])

    async def _closed_of_late(self) -> list[str]:
        """Orders of which a run ended that way; one that was reset lives on in another run."""
        since = (datetime.now(UTC) - OF_LATE).isoformat()
        query = (
            f"WorkflowType = '{names.ORDER_WORKFLOW}' AND CloseTime > '{since}' "
            "AND ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed')"
        )
        prefix = names.order_workflow_id("")
        found = self._client.list_workflows(query, limit=BATCH)
        return [run.id.removeprefix(prefix) async for run in found]

    async def _is_cut_short(self, order_id: str) -> bool:
        try:
            description = await self._client.get_workflow_handle(names.order_workflow_id(order_id)).describe()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return description.status in _CUT_SHORT
