"""Orders by card: each invoice is captured on a queue of its own, and orders from before there was a provider go as they did."""

from __future__ import annotations

import uuid

import pytest
from temporalio.client import Client

from tests.workflows.driver import fake_worker, order_ref, payment_worker, place, until_quiet
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.messages import Clearance, Completeness, Standing

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_each_invoice_is_captured_once_under_a_key_of_its_shipment(temporal: Client) -> None:
    queue, services = uuid.uuid4().hex, FakeServices()

    async with fake_worker(temporal, services, queue), payment_worker(temporal, services):
        order = await place(temporal, order_ref(payment_method="card", pays_by_card=True), queue)
        for shipment_id in ("shp_1", "shp_2"):
            await order.notify(names.SHIPMENT_SHIPPED, shipment_id)
        await until_quiet(order, 23)
        await order.notify(names.SHIPMENT_DELIVERED)
        await order.notify(names.PAYMENT_SETTLED)
        await order.handle.result()

    keys = [f"order/{order.order.order_id}/capture/{shipment_id}" for shipment_id in ("shp_1", "shp_2")]
    assert [services.keys[key] for key in keys] == [1, 1]
    assert services.calls.count("billing.CaptureInvoice") == 2
    assert services.credit_by == ["card"]


async def test_an_order_by_card_from_before_there_was_a_provider_counts_against_credit_and_is_not_captured(
    temporal: Client,
) -> None:
    queue, services = uuid.uuid4().hex, FakeServices()

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(payment_method="card"), queue)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        await until_quiet(order, 17)
        await order.handle.terminate()

    assert services.credit_by == ["terms"]
    assert "billing.CaptureInvoice" not in services.calls


async def test_a_run_that_goes_on_for_a_lost_one_captures_what_was_invoiced(temporal: Client) -> None:
    standing = Standing(
        "accepted", Clearance("cleared"), Completeness(True, True), is_accepted=True, has_credit=True, is_reserved=True,
        invoiced=["shp_1"],
    )  # fmt: skip
    queue, services = uuid.uuid4().hex, FakeServices(standing=standing)

    async with fake_worker(temporal, services, queue), payment_worker(temporal, services):
        order = await place(temporal, order_ref(payment_method="card", pays_by_card=True, resumption=1), queue)
        await order.handle.result()

    assert services.keys[f"order/{order.order.order_id}/capture/shp_1"] == 1


async def test_a_run_that_goes_on_captures_nothing_of_an_order_that_billing_counts_against_credit(
    temporal: Client,
) -> None:
    standing = Standing(
        "accepted", Clearance("cleared"), Completeness(True, True), is_accepted=True, has_credit=True, is_reserved=True,
        invoiced=["shp_1"], is_on_credit=True,
    )  # fmt: skip
    queue, services = uuid.uuid4().hex, FakeServices(standing=standing)

    async with fake_worker(temporal, services, queue), payment_worker(temporal, services):
        order = await place(temporal, order_ref(payment_method="card", pays_by_card=True, resumption=1), queue)
        await order.handle.result()

    assert "billing.CaptureInvoice" not in services.calls
