"""The sweep of what ended orders hold, with steps that answer from memory."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from tests.workflows.driver import at_work
from workflows import names
from workflows.__main__ import keep_scheduled
from workflows.messages import Done, Halted, OrderIds, OrderStep, Stopped
from workflows.return_messages import LostReturns
from workflows.sweeps import COUNTS, EVERY, LEASES, LOST, LOST_RETURNS, PAST_DATES, SweepWorkflow, schedule_sweeps

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Remains:
    """Orders whose leases have run out, those of them that have ended, one that a service refuses to free, and those in trouble."""

    lapsed: list[str]
    ended: list[str] = field(default_factory=list)
    halted: Halted = field(default_factory=Halted)
    refused: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)

    @activity.defn(name="inventory.ListLapsedReservations")
    async def list_lapsed(self, _ask: Done) -> OrderIds:
        return OrderIds(self.lapsed)

    @activity.defn(name="temporal.FindHalted")
    async def find_halted(self, _ask: Done) -> Halted:
        return self.halted

    @activity.defn(name="temporal.FindLostReturns")
    async def find_lost_returns(self, _ask: Done) -> LostReturns:
        return LostReturns(["rma_1"], is_all=True, searched_micros=7)

    @activity.defn(name="orders.RecordLostReturns")
    async def record_lost_returns(self, lost: LostReturns) -> Done:
        self.calls += [(f"lost before {lost.searched_micros}", return_id) for return_id in lost.return_ids]
        return Done()

    @activity.defn(name="orders.CheckLiveness")
    async def check_liveness(self, _orders: OrderIds) -> OrderIds:
        return OrderIds(self.ended)

    @activity.defn(name="fulfillment.CancelShipments")
    async def cancel_shipments(self, step: OrderStep) -> Stopped:
        self.calls.append(("stop", step.order_id))
        if step.order_id == self.refused:
            raise ApplicationError("refused", type="SHIPMENTS_UNKNOWN", non_retryable=True)
        return Stopped(0, 0)

    @activity.defn(name="inventory.ReleaseReservation")
    async def release_reservation(self, step: OrderStep) -> Done:
        self.calls.append(("stock", step.order_id))
        return Done()

    @activity.defn(name="billing.ReleaseCredit")
    async def release_credit(self, step: OrderStep) -> Done:
        self.calls.append(("credit", step.order_id))
        return Done()

    @activity.defn(name="orders.RecordHalted")
    async def record_halted(self, halted: Halted) -> Done:
        self.calls += [("lost", order_id) for order_id in halted.lost]
        self.calls += [("failing", order_id) for order_id in halted.failing]
        return Done()

    @activity.defn(name="orders.CancelPastDates")
    async def cancel_past_dates(self, _ask: Done) -> OrderIds:
        return OrderIds(self.lapsed)

    @activity.defn(name="inventory.RenewLeases")
    async def renew_leases(self, orders: OrderIds) -> Done:
        self.calls += [("renew", order_id) for order_id in orders.order_ids]
        return Done()

    @activity.defn(name="fulfillment.RecallUncovered")
    async def recall_uncovered(self, _ask: Done) -> OrderIds:
        return OrderIds(self.lapsed)

    async def swept(self, client: Client, duty: str = LEASES) -> dict[str, int]:
        queue = uuid.uuid4().hex
        steps: list[Any] = [self.list_lapsed, self.find_halted, self.check_liveness, self.cancel_shipments,
                            self.release_reservation, self.release_credit, self.record_halted, self.renew_leases, self.cancel_past_dates,
                            self.find_lost_returns, self.record_lost_returns, self.recall_uncovered]  # fmt: skip
        async with at_work(Worker(client, task_queue=queue, workflows=[SweepWorkflow], activities=steps)):
            found = await client.execute_workflow(
                names.SWEEP_WORKFLOW, duty, id=f"sweep-{queue}", task_queue=queue, result_type=dict
            )
        return dict(found["found"])


async def test_orders_that_nobody_carries_on_are_told_and_keep_what_they_hold(temporal: Client) -> None:
    remains = Remains([], halted=Halted(["ord_1"], ["ord_2"]))

    found = await remains.swept(temporal, LOST)

    assert remains.calls == [("lost", "ord_1"), ("failing", "ord_2")]
    assert found == {"lost": 1, "failing": 1}


async def test_returns_that_nobody_carries_on_are_told(temporal: Client) -> None:
    remains = Remains([])

    assert await remains.swept(temporal, LOST_RETURNS) == {"lost": 1}
    assert remains.calls == [("lost before 7", "rma_1")]


async def test_what_is_past_its_date_is_asked_to_be_cancelled(temporal: Client) -> None:
    assert await Remains(["ord_1", "ord_2"]).swept(temporal, PAST_DATES) == {"asked": 2}


async def test_what_counts_took_leaves_shipments_that_have_not_heard(temporal: Client) -> None:
    assert await Remains(["ord_1", "ord_2"]).swept(temporal, COUNTS) == {"recalled": 2}


async def test_an_order_that_cannot_be_freed_holds_up_no_other(temporal: Client) -> None:
    remains = Remains(["ord_1", "ord_2", "ord_3"], ended=["ord_1", "ord_2"], refused="ord_1")

    found = await remains.swept(temporal)

    assert remains.calls == [("stop", "ord_1"), ("stop", "ord_2"), ("stock", "ord_2"), ("credit", "ord_2"),
                             ("renew", "ord_3")]  # fmt: skip
    assert found == {"freed": 1, "renewed": 1}


class Asked:
    """A Temporal, or none, that tells when it was asked for three schedules."""

    def __init__(self, temporal: Client | None = None) -> None:
        self._temporal = temporal
        self._count = 0
        self.three_times = asyncio.Event()

    async def create_schedule(self, *asked: Any) -> None:
        self._count += 1
        try:
            if self._temporal is None:
                raise RPCError("nobody listens", RPCStatusCode.UNAVAILABLE, b"")
            await self._temporal.create_schedule(*asked)
        finally:
            if self._count >= len(EVERY):
                self.three_times.set()


async def keep(asked: Asked) -> None:
    """Keep schedules until three were asked for."""
    keeping = asyncio.create_task(keep_scheduled(cast("Client", asked), every_s=0.01))
    try:
        async with asyncio.timeout(60):
            await asked.three_times.wait()
        assert not keeping.done()
    finally:
        keeping.cancel()


async def test_schedules_that_are_lost_with_the_database_of_temporal_are_made_again(temporal: Client) -> None:
    await schedule_sweeps(temporal)
    for duty in EVERY:
        await temporal.get_schedule_handle(f"sweep/{duty}").delete()

    await keep(Asked(temporal))

    kept = [await temporal.get_schedule_handle(f"sweep/{duty}").describe() for duty in EVERY]
    assert [one.id for one in kept] == [f"sweep/{duty}" for duty in EVERY]


async def test_a_temporal_that_is_away_is_asked_for_the_schedules_again() -> None:
    await keep(Asked())
