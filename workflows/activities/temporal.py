"""The one step that asks Temporal itself: which orders' workflows ended without being able to clean up."""

from __future__ import annotations

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from workflows import names
from workflows.messages import OrderIds

_CUT_SHORT = frozenset(
    {WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT, WorkflowExecutionStatus.FAILED}
)


class TemporalActivities:
    """What only Temporal knows of an order."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="temporal.FindCutShort")
    async def find_cut_short(self, orders: OrderIds) -> OrderIds:
        """Orders whose workflow was terminated, timed out or failed: it runs no code any more."""
        return OrderIds([order_id for order_id in orders.order_ids if await self._is_cut_short(order_id)])

    async def _is_cut_short(self, order_id: str) -> bool:
        try:
            description = await self._client.get_workflow_handle(names.order_workflow_id(order_id)).describe()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return description.status in _CUT_SHORT
