"""What the workflow does with messages that are not true, and how a run goes on for a lost one: step by step."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from temporalio.client import Client

from tests.workflows.driver import PlacedOrder, fake_worker, order_ref, place, until_quiet
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.messages import Clearance, Completeness, ReleaseCleared, Standing, Validation

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPEN = Completeness(is_delivered=False, is_settled=False)
DONE = Completeness(is_delivered=True, is_settled=True)
UNDER_WAY = Standing("accepted", Clearance("cleared"), OPEN, is_accepted=True, has_credit=True, is_reserved=True)


async def closing(order: PlacedOrder) -> None:
    """The two messages by which an order ends, when they are true."""
    await order.notify(names.SHIPMENT_DELIVERED, "shp_1")
    await order.notify(names.PAYMENT_SETTLED)


async def test_an_order_is_closed_when_its_services_say_so_and_not_when_it_is_told(temporal: Client) -> None:
    services, queue = FakeServices(completeness=OPEN), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await closing(order)
        await until_quiet(order, 17)
        early = services.milestones()
        services.completeness = DONE
        await closing(order)
        await order.handle.result()

    assert early == ["accepted"]
    assert services.milestones() == ["accepted", "closed"]


async def test_a_shipment_that_nobody_told_of_is_invoiced_before_the_order_is_closed(temporal: Client) -> None:
    services, queue = FakeServices(completeness=replace(OPEN, left=["shp_1"])), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await closing(order)
        await until_quiet(order, 19)
        services.completeness = DONE
        await closing(order)
        await order.handle.result()

    assert services.calls.count("billing.IssueInvoice") == 1


async def test_a_shipment_that_has_not_left_is_not_invoiced_and_keeps_no_one_from_cancelling(temporal: Client) -> None:
    services, queue = FakeServices(left=frozenset()), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_nobody")
        await order.notify(names.SHIPMENT_DELIVERED, "shp_nobody")
        outcome = await order.cancel()
        await order.handle.result()

    assert outcome.is_cancelled
    assert "billing.IssueInvoice" not in services.calls


@pytest.mark.parametrize("is_held", [False, True])
async def test_a_cancellation_that_nobody_asked_for_takes_nothing_back(temporal: Client, is_held: bool) -> None:
    held = Validation("held", ["OVER_5000"], Clearance("waiting"))
    services = FakeServices(cancellation_id="", clearances=[Clearance("waiting" if is_held else "cleared")])
    services.validation = held if is_held else services.validation
    queue = uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        outcome = await order.cancel("can_nobody")
        services.cancellation_id = "can_1"
        true_one = await order.cancel("can_1")
        await order.handle.result()

    assert (outcome.is_cancelled, outcome.reason) == (
        False, "no such cancellation waits: ask for one through the order API"
    )  # fmt: skip
    assert true_one.is_cancelled
    assert services.calls.count("billing.ReleaseCredit") == 1


async def test_stock_that_has_not_come_is_not_recorded(temporal: Client) -> None:
    services, queue = FakeServices(backordered=5, released=0), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(is_ship_complete=True), queue)
        await order.notify(names.STOCK_ALLOCATED, "rcp_nobody", is_complete=True)
        await until_quiet(order, 15)
        await order.handle.terminate()

    assert services.milestones() == ["accepted"]


async def test_a_run_that_goes_on_has_keys_of_its_own_but_for_what_is_done_once_with_a_shipment(
    temporal: Client,
) -> None:
    standing = replace(UNDER_WAY, completeness=replace(OPEN, left=["shp_1"]))
    services, queue = FakeServices(standing=standing), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(resumption=2), queue)
        await closing(order)
        await order.handle.result()

    of_order = f"order/{order.order.order_id}/"
    keys = [key.removeprefix(of_order) for key in services.keys]
    assert [key for key in keys if not key.startswith("run-2/")] == ["ship/shp_1", "invoice/shp_1"]
    assert "billing.CommitCredit" not in services.calls
    assert "inventory.ReserveStock" not in services.calls


@pytest.mark.parametrize(
    ("standing", "calls"),
    [
        (Standing("closed", Clearance("ended"), DONE), []),
        (
            Standing("rejected", Clearance("rejected"), OPEN),
            ["fulfillment.CancelShipments", "inventory.ReleaseReservation", "billing.ReleaseCredit"],
        ),
    ],
)
async def test_an_order_that_has_ended_gives_back_what_it_holds_and_no_more(
    temporal: Client, standing: Standing, calls: list[str]
) -> None:
    services, queue = FakeServices(standing=standing), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(resumption=1), queue)
        await order.handle.result()

    assert services.calls == ["orders.GetStanding", *calls]


@pytest.mark.parametrize(("was_held", "is_forced"), [(True, True), (False, False)])
async def test_people_who_let_an_order_go_on_meanwhile_force_its_credit(
    temporal: Client, was_held: bool, is_forced: bool
) -> None:
    standing = Standing("accepted", Clearance("cleared"), OPEN, was_held=was_held)
    services, queue = FakeServices(standing=standing), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(resumption=1), queue)
        await order.handle.terminate()

    assert ("billing.AdjustCredit" in services.calls) is is_forced
    assert services.milestones() == ["accepted"]


async def test_an_order_that_was_cleared_and_not_yet_accepted_asks_again_what_it_may_release(temporal: Client) -> None:
    held = Clearance("waiting", waiting_for="support: release of facts changed hold")
    standing = Standing("accepted", Clearance("cleared", withholding_change_id="chg_1"), OPEN)
    services, queue = FakeServices(standing=standing, cleared_releases=[ReleaseCleared(False, held)]), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(resumption=1, clears_releases=True), queue)
        await order.handle.terminate()

    assert "fulfillment.ReleaseShipments" not in services.calls
    assert services.milestones() == ["accepted"]


async def test_what_a_payment_was_reversed_for_while_nobody_listened_is_recalled(temporal: Client) -> None:
    standing = Standing(
        "accepted", Clearance("cleared"), OPEN, is_accepted=True, is_reserved=True, unpaid_hold_id="hold_1"
    )
    services, queue = FakeServices(standing=standing), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(resumption=1), queue)
        await until_quiet(order, 11)
        await order.handle.terminate()

    assert services.calls.count("fulfillment.RecallUnpaid") == 1


async def test_what_the_lost_run_may_have_left_unrecorded_is_recorded_though_nothing_more_leaves(
    temporal: Client,
) -> None:
    services, queue = FakeServices(standing=UNDER_WAY, released=0, backordered=5), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(resumption=1), queue)
        await order.handle.terminate()

    assert services.milestones() == ["allocated"]
