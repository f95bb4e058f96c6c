"""Which open returns no workflow carries on: orders knows the returns, Temporal the workflows."""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio import activity
from temporalio.client import Client

from oms.orders.v1 import orders_pb2 as pb
from workflows import names
from workflows.activities.calls import Services
from workflows.activities.temporal import BATCH, PAGE, YOUNG, is_running, micros_of
from workflows.messages import Done
from workflows.return_messages import LostReturns

_RUNNING = f"WorkflowType = '{names.RETURN_WORKFLOW}' AND ExecutionStatus = 'Running'"


class LostReturnActivities:
    """The two steps of the sweep over returns."""

    def __init__(self, client: Client, services: Services) -> None:
        self._client = client
        self._services = services

    @activity.defn(name="temporal.FindLostReturns")
    async def find_lost_returns(self, _ask: Done) -> LostReturns:
        """Open returns without a running workflow; Temporal's list may lag, so each suspect is looked up."""
        before = micros_of(datetime.now(UTC) - YOUNG)
        running = {run.id async for run in self._client.list_workflows(_RUNNING, page_size=PAGE)}
        lost: list[str] = []
        request = pb.ListOpenReturnsRequest(requested_before_micros=before, limit=PAGE)
        while True:
            page = await self._services.orders.ListOpenReturns(request)
            for found in page.returns:
                workflow_id = names.return_workflow_id(found.number)
                if workflow_id not in running and not await is_running(self._client, workflow_id):
                    lost.append(found.return_id)
            if not page.next_cursor or len(lost) > BATCH:
                return LostReturns(lost[:BATCH], len(lost) <= BATCH, before)
            request.cursor = page.next_cursor

    @activity.defn(name="orders.RecordLostReturns")
    async def record_lost_returns(self, lost: LostReturns) -> Done:
        """Tell of open returns that no workflow carries on."""
        request = pb.RecordLostReturnsRequest(
            return_ids=lost.return_ids, is_all=lost.is_all, searched_micros=lost.searched_micros
        )
        response = await self._services.orders.RecordLostReturns(request)
        return Done(f"{response.opened_count} new, {response.resolved_count} over")
