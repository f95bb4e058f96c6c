"""What the workflow does when a ship confirm is said to be reversed: what it did for it is taken back, once."""

from __future__ import annotations

import uuid

import pytest
from temporalio.client import Client

from tests.workflows.driver import fake_worker, order_ref, place, until_quiet
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.messages import Clearance, Completeness, Standing

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAKEN_BACK = ["inventory.ReverseIssue", "billing.ReverseShipmentBilling"]


async def test_stock_and_invoice_are_taken_back_and_the_order_can_be_cancelled_again(temporal: Client) -> None:
    services, queue = FakeServices(never_left=frozenset({"shp_1"})), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        await order.notify(names.SHIPMENT_REVERSED, "shp_1")
        await order.notify(names.SHIPMENT_REVERSED, "shp_1")
        while TAKEN_BACK[1] not in services.calls:
            await until_quiet(order, 1)
        outcome = await order.cancel()
        await order.handle.result()

    assert outcome.is_cancelled
    assert [name for name in services.calls if name in TAKEN_BACK] == TAKEN_BACK


async def test_what_nobody_reversed_is_not_taken_back(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.notify(names.SHIPMENT_REVERSED, "shp_1")
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        await order.notify(names.SHIPMENT_DELIVERED, "shp_1")
        await order.notify(names.PAYMENT_SETTLED)
        await order.handle.result()

    assert "billing.ReverseShipmentBilling" not in services.calls
    assert services.calls.count("billing.IssueInvoice") == 1


async def test_an_order_that_is_cancelled_before_anybody_told_of_the_reversal_takes_it_back_first(
    temporal: Client,
) -> None:
    services, queue = FakeServices(never_left=frozenset({"shp_1"})), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.cancel()
        await order.handle.result()

    released = services.calls.index("inventory.ReleaseReservation")
    assert [services.calls.index(name) < released for name in TAKEN_BACK] == [True, True]


async def test_a_run_that_goes_on_for_a_lost_one_takes_back_what_had_not_left(temporal: Client) -> None:
    open_still = Completeness(is_delivered=False, is_settled=False)
    standing = Standing(
        "accepted",
        Clearance("cleared"),
        open_still,
        is_accepted=True,
        has_credit=True,
        is_reserved=True,
        never_left=["shp_1"],
    )
    services = FakeServices(standing=standing, completeness=open_still, never_left=frozenset({"shp_1"}))
    queue = uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(resumption=1), queue)
        await until_quiet(order, 5)
        await order.handle.terminate()

    assert [name for name in services.calls if name in TAKEN_BACK] == TAKEN_BACK
