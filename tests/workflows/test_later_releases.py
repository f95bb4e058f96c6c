"""Releases after the acceptance: the rules are asked again first, and what they or a pending change hold back waits."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.workflows.driver import PlacedOrder, fake_worker, order_ref, place, until_quiet
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.messages import Applied, Clearance, OrderRef, Recall, Receipt, ReleaseCleared

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLEARED = Clearance("cleared")
HELD = Clearance("waiting", waiting_for="support: release of facts changed hold")
WITHHOLDING = Clearance("cleared", withholding_change_id="chg_1")
ASK, RELEASE, READ = "orders.ClearRelease", "fulfillment.ReleaseShipments", "orders.GetClearance"
ACCEPTED = [
    "billing.CommitCredit",
    "orders.ValidateOrder",
    "inventory.ReserveStock",
    RELEASE,
    "orders.RecordOrder",
]
"""Until its acceptance an order asks the rules once."""


def backordered(**more: object) -> OrderRef:
    return order_ref(clears_releases=True, **more)


async def fill(order: PlacedOrder, *, is_complete: bool = True) -> None:
    events = len((await order.history()).events)
    await order.notify(names.STOCK_ALLOCATED, "rcp_1", is_complete=is_complete)
    await until_quiet(order, events + 5)


async def happens(order: PlacedOrder, kind: str) -> None:
    events = len((await order.history()).events)
    await order.notify(kind, "hold_1")
    await until_quiet(order, events + 5)


async def summaries(order: PlacedOrder) -> list[str]:
    """What steps and timers are called in the history."""
    events = (await order.history()).events
    return [event.user_metadata.summary.data.decode().strip('"') for event in events]


def later(services: FakeServices) -> list[str]:
    return services.calls[len(ACCEPTED) :]


async def test_a_backorder_fill_asks_the_rules_before_it_goes_to_a_warehouse(temporal: Client) -> None:
    services, queue = FakeServices(backordered=5), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(), queue)
        await fill(order)
        said = await summaries(order)
        await order.handle.terminate()

    assert services.calls == [*ACCEPTED, ASK, RELEASE, "orders.RecordOrder"]
    assert f"check the rules again before {order.order.number} goes to its warehouses" in said


async def test_what_the_rules_hold_ships_nothing_until_the_last_hold_is_released(temporal: Client) -> None:
    services, queue = FakeServices(backordered=5, clearances=[CLEARED]), uuid.uuid4().hex
    services.cleared_releases = [ReleaseCleared(is_clear=False, clearance=HELD)]

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(), queue)
        await fill(order)
        held = later(services)
        await happens(order, names.HOLDS_RELEASED)
        await order.handle.terminate()

    assert held == [ASK]
    assert later(services)[1:] == [READ, ASK, RELEASE, "orders.RecordOrder"]
    assert "billing.ReleaseCredit" not in services.calls


async def test_a_held_accepted_order_is_cancelled_and_gives_everything_back(temporal: Client) -> None:
    services, queue = FakeServices(backordered=5), uuid.uuid4().hex
    services.cleared_releases = [ReleaseCleared(is_clear=False, clearance=HELD)]

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(), queue)
        await fill(order)
        outcome = await order.cancel()
        await order.handle.result()

    assert outcome.is_cancelled
    assert services.calls.count(RELEASE) == 1
    assert {"billing.ReleaseCredit", "inventory.ReleaseReservation"} <= set(services.calls)


async def test_an_order_that_ships_complete_is_released_when_inventory_says_that_the_last_unit_has_come(
    temporal: Client,
) -> None:
    services, queue = FakeServices(backordered=5), uuid.uuid4().hex
    services.released = 0

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(is_ship_complete=True), queue)
        await fill(order)
        partly = list(services.calls)
        services.backordered, services.released = 0, 1
        await fill(order)
        await order.handle.terminate()

    assert partly[len(ACCEPTED) - 1 :] == [ASK, RELEASE]
    assert services.calls[len(partly) :] == [ASK, RELEASE, "orders.RecordOrder"]


async def test_a_refused_recall_asks_the_rules_before_the_release_and_what_leaves_is_recorded(temporal: Client) -> None:
    services, queue = FakeServices(clearances=[CLEARED]), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(), queue)
        await happens(order, names.RECALL_ANSWERED)
        await order.handle.terminate()

    assert later(services) == [READ, ASK, RELEASE, "orders.RecordOrder"]


async def test_a_refused_recall_records_nothing_when_nothing_leaves(temporal: Client) -> None:
    services, queue = FakeServices(clearances=[CLEARED]), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(), queue)
        services.released = 0
        await happens(order, names.RECALL_ANSWERED)
        await order.handle.terminate()

    assert later(services) == [READ, ASK, RELEASE]


@pytest.mark.parametrize("state", ["cleared", "waiting"])
async def test_a_change_that_was_just_applied_asks_no_second_time_and_releases_nothing_of_a_held_order(
    temporal: Client, state: str
) -> None:
    agreed = replace(CLEARED, change_id="chg_1")
    services, queue = FakeServices(clearances=[agreed]), uuid.uuid4().hex
    services.applied = Applied(
        is_applied=True,
        version=2,
        total_minor=100,
        total_text="1.00 USD",
        is_ship_complete=False,
        clearance=Clearance(state),
    )

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(), queue)
        await order.refresh(names.AMEND, "chg_1")
        await order.handle.terminate()

    assert ASK not in services.calls
    assert services.calls.count(RELEASE) == (2 if state == "cleared" else 1)


async def test_a_pending_change_is_named_to_the_release_and_its_end_releases_what_it_held_back(
    temporal: Client,
) -> None:
    services, queue = FakeServices(backordered=5, clearances=[CLEARED]), uuid.uuid4().hex
    services.cleared_releases = [ReleaseCleared(is_clear=True, clearance=WITHHOLDING)]

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(), queue)
        await fill(order)
        await order.refresh(names.CONSENT, "chg_1")
        await order.handle.terminate()

    assert later(services) == [ASK, RELEASE, "orders.RecordOrder", READ, ASK, RELEASE, "orders.RecordOrder"]
    assert services.withheld_by == ["", "chg_1", ""]


async def test_a_change_that_cannot_be_applied_after_all_releases_what_it_held_back(temporal: Client) -> None:
    services, queue = FakeServices(backordered=5), uuid.uuid4().hex
    services.cleared_releases = [ReleaseCleared(is_clear=True, clearance=WITHHOLDING)]
    services.clearances = [replace(WITHHOLDING, change_id="chg_1"), CLEARED]
    services.recalls = [Recall("refused", "picked")]

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(), queue)
        await fill(order)
        await order.refresh(names.AMEND, "chg_1")
        await order.handle.terminate()

    assert later(services)[-3:] == [ASK, RELEASE, "orders.RecordOrder"]
    assert services.withheld_by == ["", "chg_1", ""]


async def test_the_last_holds_release_lets_go_what_a_pending_change_does_not_touch(temporal: Client) -> None:
    services, queue = FakeServices(backordered=5, clearances=[WITHHOLDING]), uuid.uuid4().hex
    services.cleared_releases = [
        ReleaseCleared(is_clear=False, clearance=replace(HELD, withholding_change_id="chg_1")),
        ReleaseCleared(is_clear=True, clearance=WITHHOLDING),
    ]

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(), queue)
        await fill(order)
        await happens(order, names.HOLDS_RELEASED)
        await order.handle.terminate()

    assert later(services) == [ASK, READ, ASK, RELEASE, "orders.RecordOrder"]
    assert services.withheld_by == ["", "chg_1"]


async def test_a_change_still_pending_keeps_what_it_holds_back(temporal: Client) -> None:
    services, queue = FakeServices(backordered=5, clearances=[WITHHOLDING]), uuid.uuid4().hex
    services.cleared_releases = [ReleaseCleared(is_clear=True, clearance=WITHHOLDING)]

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(), queue)
        await fill(order)
        await order.refresh(names.CONSENT, "chg_1")
        await order.handle.terminate()

    assert later(services) == [ASK, RELEASE, "orders.RecordOrder", READ]


async def test_after_the_policys_time_the_order_goes_on_and_is_not_called_parked(skipping: WorkflowEnvironment) -> None:
    due = int((datetime.now(UTC) + timedelta(hours=24)).timestamp() * 1_000_000)
    withholding = Clearance("cleared", "", due, "resume_release", "chg_1", "", "change that is pending", "chg_1")
    services, queue = FakeServices(backordered=5, clearances=[CLEARED]), uuid.uuid4().hex
    services.cleared_releases = [ReleaseCleared(is_clear=True, clearance=withholding)]

    async with fake_worker(skipping.client, services, queue):
        with skipping.with_time_skipping_disabled():
            order = await place(skipping.client, backordered(), queue)
            await fill(order)
        await skipping.fast_forward(order.handle, timedelta(hours=25))
        await until_quiet(order, 24)
        phase = (await order.handle.describe()).typed_search_attributes[names.PHASE]
        said = await summaries(order)
        await order.handle.terminate()

    assert later(services)[3:] == ["orders.PassDeadline resume_release", ASK, RELEASE, "orders.RecordOrder"]
    assert services.withheld_by == ["", "chg_1", ""]
    assert phase == "open"
    assert f"Release deadline: change that is pending of {order.order.number}" in said


async def test_a_change_that_is_proposed_before_the_acceptance_is_looked_at_before_the_first_release(
    temporal: Client,
) -> None:
    services, queue = FakeServices(clearances=[WITHHOLDING]), uuid.uuid4().hex
    services.cleared_releases = [ReleaseCleared(is_clear=True, clearance=WITHHOLDING)]
    services.absences["inventory.ReserveStock"] = 3  # long enough for somebody to propose
    ref = backordered()

    async with fake_worker(temporal, services, queue):
        placing = asyncio.create_task(place(temporal, ref, queue))
        await asyncio.wait_for(services.is_back.wait(), 60)
        await PlacedOrder(temporal, ref, Receipt("")).refresh(names.AMEND, "chg_1")
        order = await placing
        await order.handle.terminate()

    assert services.calls[2:6] == ["inventory.ReserveStock", ASK, RELEASE, "orders.RecordOrder"]
    assert services.withheld_by == ["chg_1"]


async def test_an_order_that_was_placed_before_releases_were_cleared_asks_from_its_next_release_on(
    temporal: Client,
) -> None:
    services, queue = FakeServices(backordered=5), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await fill(order)
        await order.handle.terminate()

    assert later(services) == [ASK, RELEASE, "orders.RecordOrder"]


async def test_the_rest_of_what_fits_is_released_when_there_is_room_and_nothing_is_recorded_of_what_has_none(
    temporal: Client,
) -> None:
    """Three units wait for credit, then one, then none; a wake without room releases nothing that is new."""
    services, queue = FakeServices(clearances=[CLEARED], backordered=0), uuid.uuid4().hex
    services.uncovered = [3, 1, 0]

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, backordered(), queue)
        await happens(order, names.HOLDS_RELEASED)
        await happens(order, names.HOLDS_RELEASED)
        await happens(order, names.HOLDS_RELEASED)
        await order.handle.terminate()

    released = [READ, ASK, RELEASE, "orders.RecordOrder"]
    assert later(services) == [*released, *released, READ]
