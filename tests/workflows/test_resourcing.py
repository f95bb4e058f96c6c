"""Sourcing again: what the workflow asks, what it releases, and what it does when it was lost meanwhile."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from temporalio.client import Client

from tests.workflows.driver import fake_worker, order_ref, place, until_quiet
from tests.workflows.fakes import FakeServices
from tests.workflows.test_later_releases import ACCEPTED, ASK, HELD, READ, RELEASE, happens, later, summaries
from workflows import names
from workflows.messages import Clearance, Completeness, ReleaseCleared, Standing
from workflows.sourcing_messages import SourcedAgain

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGAIN, RECORD = "fulfillment.SourceAgain", "orders.RecordOrder"


async def test_what_cannot_come_from_where_it_was_to_is_sourced_released_and_recorded_with_its_sentence(
    temporal: Client,
) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(clears_releases=True), queue)
        await happens(order, names.SOURCING_ASKED)
        said = await summaries(order)
        await order.handle.terminate()

    assert services.calls == [*ACCEPTED, ASK, AGAIN, RECORD]
    assert services.recorded["sourced_again"].waiting_for == "Dallas is closed. Now wh_reno"
    assert f"source again what is open of {order.order.number}" in said


async def test_a_held_order_is_sourced_again_and_released_once_its_holds_are_gone(temporal: Client) -> None:
    services, queue = FakeServices(clearances=[Clearance("cleared")]), uuid.uuid4().hex
    services.cleared_releases = [ReleaseCleared(is_clear=False, clearance=HELD)]

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(clears_releases=True), queue)
        await happens(order, names.SOURCING_ASKED)
        held = later(services)
        await happens(order, names.HOLDS_RELEASED)
        await order.handle.terminate()

    assert held == [ASK, AGAIN, RECORD]
    assert later(services)[3:] == [READ, ASK, RELEASE, RECORD]


async def test_a_message_of_which_inventory_knows_nothing_records_nothing(temporal: Client) -> None:
    services, queue = FakeServices(sourced=[SourcedAgain(is_asked=False)]), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(clears_releases=True), queue)
        await happens(order, names.SOURCING_ASKED)
        await order.handle.terminate()

    assert later(services) == [ASK, AGAIN]


async def test_what_another_recall_asks_for_is_sourced_again_once_that_is_answered(temporal: Client) -> None:
    services = FakeServices(sourced=[SourcedAgain(is_asked=True, why="first", is_to_be_repeated=True)])
    queue = uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(clears_releases=True), queue)
        await happens(order, names.SOURCING_ASKED)
        await happens(order, names.RECALL_ANSWERED)
        await order.handle.terminate()

    assert later(services) == [ASK, AGAIN, RECORD, READ, ASK, AGAIN, RECORD]
    assert len([key for key in services.keys if "/source/" in key]) == 2


async def test_a_run_that_goes_on_for_a_lost_one_sources_again_what_was_asked_meanwhile(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex
    services.standing = Standing(
        "accepted",
        Clearance("cleared"),
        Completeness(False, False),
        is_accepted=True,
        has_credit=True,
        is_reserved=True,
        is_sourcing_asked=True,
    )

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(resumption=1, clears_releases=True), queue)
        await until_quiet(order, 12)
        await order.handle.terminate()

    assert services.calls.count(AGAIN) == 1


async def test_the_service_is_away_and_the_step_is_tried_again_under_the_same_key(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex
    services.absences[AGAIN] = 3

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(clears_releases=True), queue)
        await order.notify(names.SOURCING_ASKED, "srq_1")
        async with asyncio.timeout(60):
            await services.is_back.wait()
        await until_quiet(order, 20)
        await order.handle.terminate()

    assert [count for key, count in services.keys.items() if "/source/" in key] == [1]
    assert services.milestones()[-1] == "sourced_again"
