"""The budget table of README: history events, billable actions and bytes of one order, exact."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowHistory

from tests.temporal import temporal_environment
from tests.workflows.driver import actions, fake_worker, order_ref, payment_worker, place, until_quiet
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.messages import Clearance, Validation

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def temporal() -> AsyncIterator[Client]:
    async with temporal_environment(skips_time=False) as environment:
        yield environment.client


def cost(history: WorkflowHistory) -> tuple[int, int]:
    """Events and billable actions."""
    return len(history.events), actions(history)


def size(history: WorkflowHistory) -> int:
    """Bytes of all events as the server stores them."""
    return sum(event.ByteSize() for event in history.events)


async def test_placed_shipped_and_invoiced_costs_17_events_and_5_actions(temporal: Client) -> None:
    queue = uuid.uuid4().hex

    async with fake_worker(temporal, FakeServices(), queue):
        order = await place(temporal, order_ref(), queue)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        history = await until_quiet(order, 17)
        await order.handle.terminate()

    assert cost(history) == (17, 5)


async def test_the_same_to_delivered_and_paid_costs_28_events_and_8_actions(temporal: Client) -> None:
    queue = uuid.uuid4().hex

    async with fake_worker(temporal, FakeServices(), queue):
        order = await place(temporal, order_ref(), queue)
        await order.notify(names.SHIPMENT_SHIPPED, f"shp_{uuid.uuid4().hex}")
        await until_quiet(order, 17)
        await order.notify(names.SHIPMENT_DELIVERED, f"shp_{uuid.uuid4().hex}")
        await until_quiet(order, 21)
        await order.notify(names.PAYMENT_SETTLED)
        await order.handle.result()
        history = await order.history()

    assert cost(history) == (28, 8)  # one of them asks whether it is true
    assert size(history) <= 8 * 1024


async def test_a_card_instead_of_terms_costs_6_more_events_and_1_more_action_to_delivered_and_paid(
    temporal: Client,
) -> None:
    queue, services = uuid.uuid4().hex, FakeServices()

    async with fake_worker(temporal, services, queue), payment_worker(temporal, services):
        order = await place(temporal, order_ref(payment_method="card", pays_by_card=True), queue)
        await order.notify(names.SHIPMENT_SHIPPED, f"shp_{uuid.uuid4().hex}")
        await until_quiet(order, 23)
        await order.notify(names.SHIPMENT_DELIVERED, f"shp_{uuid.uuid4().hex}")
        await until_quiet(order, 27)
        await order.notify(names.PAYMENT_SETTLED)
        await order.handle.result()
        history = await order.history()

    assert cost(history) == (34, 9)  # 28 and 8 on terms
    assert size(history) <= 9 * 1024


async def test_each_further_shipment_costs_6_events_and_2_actions(temporal: Client) -> None:
    queue = uuid.uuid4().hex

    async with fake_worker(temporal, FakeServices(), queue):
        order = await place(temporal, order_ref(), queue)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        first = cost(await until_quiet(order, 17))
        await order.notify(names.SHIPMENT_SHIPPED, "shp_2")
        second = cost(await until_quiet(order, 23))
        await order.handle.terminate()

    assert (second[0] - first[0], second[1] - first[1]) == (6, 2)


async def test_a_hold_released_by_people_costs_5_more_events_and_2_more_actions(temporal: Client) -> None:
    queue = uuid.uuid4().hex

    async with fake_worker(
        temporal, FakeServices(validation=Validation("held", ["THRESHOLD"], Clearance("waiting"))), queue
    ):
        order = await place(temporal, order_ref(), queue)
        await order.notify(names.HOLDS_RELEASED)
        await until_quiet(order, 16)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        history = await until_quiet(order, 22)
        await order.handle.terminate()

    assert cost(history) == (22, 7)


async def test_one_approval_with_its_deadline_timer_costs_8_more_events_and_3_more_actions(temporal: Client) -> None:
    queue = uuid.uuid4().hex
    due = int((datetime.now(UTC) + timedelta(hours=4)).timestamp() * 1_000_000)
    waiting = Clearance("waiting", deadline_micros=due, deadline="remind", subject_id=f"stp_{uuid.uuid4().hex}")
    services = FakeServices(validation=Validation("held", ["OVER_5000"], waiting), clearances=[Clearance("cleared")])

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.refresh(names.DECIDE, f"dec_{uuid.uuid4().hex}")
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        history = await until_quiet(order, 25)
        await order.handle.terminate()

    assert cost(history) == (25, 8)  # 17 and 5 without the approval


async def test_a_backorder_filled_later_costs_7_events_and_2_actions_of_which_asking_the_rules_again_is_1_event(
    temporal: Client,
) -> None:
    queue = uuid.uuid4().hex

    async with fake_worker(temporal, FakeServices(backordered=5), queue):
        order = await place(temporal, order_ref(clears_releases=True), queue)
        first = cost(await until_quiet(order, 11))
        await order.notify(names.STOCK_ALLOCATED, "rcp_1", is_complete=True)
        history = await until_quiet(order, 18)
        await order.handle.terminate()

    second = cost(history)
    assert (second[0] - first[0], second[1] - first[1]) == (7, 2)
    asked = [event for event in history.events if b"check the rules again" in event.user_metadata.summary.data]
    assert len(asked) == 1


async def test_an_order_that_is_sourced_again_costs_7_events_and_2_actions(temporal: Client) -> None:
    queue = uuid.uuid4().hex

    async with fake_worker(temporal, FakeServices(), queue):
        order = await place(temporal, order_ref(clears_releases=True), queue)
        first = cost(await until_quiet(order, 11))
        await order.notify(names.SOURCING_ASKED, "srq_1")
        second = cost(await until_quiet(order, 18))
        await order.handle.terminate()

    assert (second[0] - first[0], second[1] - first[1]) == (7, 2)
