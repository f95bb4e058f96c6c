"""Housekeeping on a schedule: free what ended orders hold, find orders and returns without a workflow, finish counts, check invariants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from workflows import names
    from workflows.messages import AuditCount, Done, Halted, OrderIds, OrderStep, Stopped
    from workflows.return_messages import LostReturns
    from workflows.steps import step

LEASES = "leases"
LOST = "lost"
LOST_RETURNS = "lost_returns"
AUDIT = "audit"
PAST_DATES = "past_dates"
COUNTS = "counts"
EVERY = {
    LEASES: timedelta(minutes=5),
    LOST: timedelta(minutes=5),
    LOST_RETURNS: timedelta(minutes=5),
    AUDIT: timedelta(hours=1),
    PAST_DATES: timedelta(minutes=15),
    COUNTS: timedelta(minutes=5),
}
SEARCH_TIMEOUT = timedelta(minutes=10)
"""How long it may take to go through all open orders."""
SERVICES = ("orders", "inventory", "fulfillment", "billing", "notifications")


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: orders freed, or invariants broken."""

    found: dict[str, int]


@workflow.defn(name=names.SWEEP_WORKFLOW)
class SweepWorkflow:
    """One round of a named housekeeping duty."""

    @workflow.run
    async def run(self, duty: str) -> Swept:
        """Do the duty once."""
        if duty == LEASES:
            return Swept(await self.free_lapsed())
        if duty == LOST:
            return Swept(await self.find_lost())
        if duty == LOST_RETURNS:
            return Swept(await self.find_lost_returns())
        if duty == PAST_DATES:
            return Swept(await self.cancel_past_dates())
        if duty == COUNTS:
            return Swept(await self.finish_counts())
        return Swept(await self.audit())

    async def cancel_past_dates(self) -> dict[str, int]:
        """What has not shipped of orders whose cancel-after day is over is asked to be cancelled, once."""
        found = await step("orders.CancelPastDates", Done(), OrderIds, summary="which cancel-after days are over?")
        return {"asked": len(found.order_ids)}

    async def finish_counts(self) -> dict[str, int]:
        """What counts took from orders leaves their shipments, where whoever counted could not see to it."""
        found = await step(
            "fulfillment.RecallUncovered", Done(), OrderIds, summary="which counts left goods in shipments?"
        )
        return {"recalled": len(found.order_ids)}

    async def find_lost(self) -> dict[str, int]:
        """Tell of open orders whose workflow is gone or cannot go on: exceptions, until they are repaired."""
        halted = await workflow.execute_activity(
            "temporal.FindHalted",
            Done(),
            result_type=Halted,
            start_to_close_timeout=SEARCH_TIMEOUT,
            retry_policy=RetryPolicy(maximum_attempts=3),
            summary="which open orders does no workflow carry on?",
        )
        count = len(halted.lost) + len(halted.failing)
        await step("orders.RecordHalted", halted, Done, summary=f"record {count} orders that do not go on")
        if count:
            found = {"lost": halted.lost, "failing": halted.failing}
            workflow.logger.error("orders do not go on", extra=found)
        return {"lost": len(halted.lost), "failing": len(halted.failing)}

    async def find_lost_returns(self) -> dict[str, int]:
        """Tell of open returns whose workflow is gone: exceptions, until they are repaired."""
        lost = await workflow.execute_activity(
            "temporal.FindLostReturns",
            Done(),
            result_type=LostReturns,
            start_to_close_timeout=SEARCH_TIMEOUT,
            retry_policy=RetryPolicy(maximum_attempts=3),
            summary="which open returns does no workflow carry on?",
        )
        count = len(lost.return_ids)
        await step("orders.RecordLostReturns", lost, Done, summary=f"record {count} returns that do not go on")
        if count:
            workflow.logger.error("returns do not go on", extra={"lost_returns": lost.return_ids})
        return {"lost": count}

    async def free_lapsed(self) -> dict[str, int]:
        """Free what ended orders hold; living orders get a new lease, whether or not their workflow runs: they can be repaired."""
        lapsed = await step("inventory.ListLapsedReservations", Done(), OrderIds, summary="which leases have run out?")
        if not lapsed.order_ids:
            return {"freed": 0, "renewed": 0}
        liveness = await step("orders.CheckLiveness", lapsed, OrderIds, summary="which of these orders have ended?")
        ended = set(liveness.order_ids)
        freed = [order_id for order_id in lapsed.order_ids if order_id in ended and await self.settle(order_id)]
        living = [order_id for order_id in lapsed.order_ids if order_id not in ended]
        if living:
            await step("inventory.RenewLeases", OrderIds(living), Done, summary=f"renew {len(living)} leases")
        return {"freed": len(freed), "renewed": len(living)}

    async def settle(self, order_id: str) -> bool:
        """Free what the order holds; False for one that a service refuses, which holds up no other."""
        try:
            await self.free(order_id)
        except FailureError as refused:
            if is_cancelled_exception(refused):
                raise
            workflow.logger.error("an order cannot be freed", extra={"order_id": order_id, "why": str(refused)})
            return False
        return True

    async def free(self, order_id: str) -> None:
        """Shipments that have not left, stock and credit of an ended order."""
        stop = OrderStep(f"order/{order_id}/sweep/stop", order_id, reason="the order ended")
        await step("fulfillment.CancelShipments", stop, Stopped, summary=f"stop what has not left of {order_id}")
        stock = OrderStep(f"order/{order_id}/sweep/stock", order_id, reason="the order ended")
        await step("inventory.ReleaseReservation", stock, Done, summary=f"free the stock of {order_id}")
        credit = OrderStep(f"order/{order_id}/sweep/credit", order_id)
        await step("billing.ReleaseCredit", credit, Done, summary=f"give back the credit of {order_id}")

    async def audit(self) -> dict[str, int]:
        """Broken invariants over all services; each is logged for whoever watches the logs."""
        broken: dict[str, int] = {}
        for service in SERVICES:
            count = await step(f"{service}.Audit", Done(), AuditCount, summary=f"audit {service}")
            broken.update(count.violations)
        if broken:
            workflow.logger.error("audit found broken invariants", extra={"broken": broken})
        return broken


async def schedule_sweeps(client: Client) -> None:
    """Make sure that every duty has its schedule; schedules that exist stay as they are."""
    for duty, every in EVERY.items():
        action = ScheduleActionStartWorkflow(
            names.SWEEP_WORKFLOW,
            duty,
            id=f"sweep/{duty}",
            task_queue=names.ORDER_QUEUE,
            static_summary=f"housekeeping: {duty}",
        )
        schedule = Schedule(
            action=action,
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
        )
        try:
            await client.create_schedule(f"sweep/{duty}", schedule)
        except ScheduleAlreadyRunningError:
            continue  # made at an earlier start
