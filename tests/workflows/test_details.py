"""The table that the Temporal UI shows says whom an order waits for, what is short, and how it ended."""

from __future__ import annotations

import uuid

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client

from tests.workflows.driver import PlacedOrder, fake_worker, order_ref, place, until_quiet
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.details import details
from workflows.facts import OrderState
from workflows.messages import Clearance, Completeness, OrderRef, Standing, Validation

ORDER = OrderRef("ord_1", "SO-1001", 1, "cus_acme", "ACME", "web", "PO-7", 100_000, "USD", "1,000.00 USD", "terms")
CLEARED = Clearance("cleared")
# 2026-12-02 09:00 UTC
DUE = Clearance(
    "waiting", deadline_micros=1_796_202_000_000_000, deadline="escalate", subject_id="step_1",
    waiting_for="approver, accounting: release of credit, margin hold",
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "clearance", "words"),
    [
        (OrderState(is_held=True), DUE, "approver, accounting: release of credit, margin hold"),
        # the clearance names nobody
        (OrderState(is_held=True), Clearance("waiting"), "people who decide"),
        (OrderState(is_reserved=True), CLEARED, "warehouse and carrier"),
        (OrderState(is_reserved=True, backordered=15), CLEARED, "stock for 15 units"),
        (OrderState(is_reserved=True, backordered=15, shipped=1), CLEARED, "warehouse and carrier; stock for 15 units"),
        (OrderState(is_reserved=True, shipped=1, is_delivered=True), CLEARED, "payment"),
        # goods at work while people decide on a change
        (OrderState(is_reserved=True), Clearance("waiting", waiting_for="customer: answer"), "customer: answer"),
    ],
)
def test_an_order_that_waits_says_for_whom_and_for_what(state: OrderState, clearance: Clearance, words: str) -> None:
    shown = details(ORDER, state, clearance)

    assert f"| waiting on | {words} |" in shown
    assert "ended" not in shown


def test_a_deadline_is_told_with_its_instant() -> None:
    assert "| unless decided | escalate at 2026-12-02 09:00 UTC |" in details(ORDER, OrderState(is_held=True), DUE)


def test_what_a_pending_change_holds_back_is_told_with_its_end() -> None:
    withholding = Clearance(
        "cleared", "", DUE.deadline_micros, "resume_release", "chg_1", withholding_change_id="chg_1"
    )

    shown = details(ORDER, OrderState(is_reserved=True), withholding)

    assert "| held back | lines that a pending change touches |" in shown
    assert "| unless decided | resume release at 2026-12-02 09:00 UTC |" in shown


@pytest.mark.parametrize("outcome", ["completed", "cancelled", "rejected", "expired"])
def test_an_order_that_has_ended_says_how_and_waits_for_nobody(outcome: str) -> None:
    state = OrderState(is_reserved=True, backordered=15, shipped=2, is_delivered=True, is_settled=True)

    shown = details(ORDER, state, DUE, outcome)

    assert f"| ended | {outcome} |" in shown
    assert "waiting on" not in shown
    assert "unless decided" not in shown
    assert "| units backordered | 0 |" in shown
    assert "| settled | yes |" in shown


async def shown_of(order: PlacedOrder) -> str:
    """The table as the Temporal UI asks for it."""
    metadata: WorkflowMetadata = await order.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


@pytest.mark.asyncio(loop_scope="module")
async def test_a_held_order_shows_whom_it_waits_for_until_they_have_decided(temporal: Client) -> None:
    held = Validation("held", ["OVER_5000"], Clearance("waiting", waiting_for="approver: manager approval"))
    services, queue = FakeServices(validation=held, clearances=[CLEARED], backordered=15), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        before = await shown_of(order)
        await order.refresh(names.DECIDE, "dec_1")
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        await until_quiet(order, 20)
        after = await shown_of(order)

    assert "| waiting on | approver: manager approval |" in before
    assert "| waiting on | warehouse and carrier; stock for 15 units |" in after


@pytest.mark.asyncio(loop_scope="module")
async def test_a_completed_order_shows_that_it_has_ended_and_waits_for_no_payment(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        for fact, subject_id in (
            (names.SHIPMENT_SHIPPED, "shp_1"), (names.SHIPMENT_DELIVERED, "shp_1"), (names.PAYMENT_SETTLED, "")
        ):  # fmt: skip
            await order.notify(fact, subject_id)
        await order.handle.result()
        shown = await shown_of(order)

    assert "| ended | completed |" in shown
    assert "waiting on" not in shown
    assert "| settled | yes |" in shown


@pytest.mark.asyncio(loop_scope="module")
async def test_an_order_cancelled_while_held_shows_that_it_has_ended(temporal: Client) -> None:
    held = Validation("held", ["OVER_5000"], Clearance("waiting", waiting_for="approver: manager approval"))
    services, queue = FakeServices(validation=held), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.cancel()
        await order.handle.result()
        shown = await shown_of(order)

    assert "| ended | cancelled |" in shown
    assert "waiting on" not in shown


@pytest.mark.asyncio(loop_scope="module")
async def test_a_shortage_is_in_the_sentence_of_the_step_that_accepts_the_order(temporal: Client) -> None:
    services, queue = FakeServices(backordered=15), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        history = await order.history()

    said = [event.user_metadata.summary.data.decode() for event in history.events]
    assert f'"record that {order.order.number} is accepted, 15 units wait for stock"' in said


@pytest.mark.asyncio(loop_scope="module")
async def test_a_cancelled_order_is_not_said_to_wait_for_stock(temporal: Client) -> None:
    services, queue = FakeServices(backordered=15), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.cancel()
        await order.handle.result()
        history = await order.history()

    said = [event.user_metadata.summary.data.decode() for event in history.events]
    assert f'"record that {order.order.number} is cancelled"' in said


@pytest.mark.asyncio(loop_scope="module")
async def test_a_shipment_that_the_lost_run_invoiced_counts_once_though_it_is_told_again(temporal: Client) -> None:
    standing = Standing("accepted", CLEARED, Completeness(False, False), is_accepted=True, invoiced=["shp_1"])
    services, queue = FakeServices(standing=standing), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(resumption=1), queue)
        for shipment_id in ("shp_1", "shp_2"):
            events = len((await order.history()).events)
            await order.notify(names.SHIPMENT_SHIPPED, shipment_id)
            await until_quiet(order, events + 5)
        shown = await shown_of(order)
        await order.handle.terminate()

    assert "| shipments shipped | 2 |" in shown
