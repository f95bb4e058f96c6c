"""Somebody cancels an order's workflow in Temporal, at any stage: no order is cancelled by it, and what is under way is done."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.workflows.driver import PlacedOrder, fake_worker, order_ref, place
from tests.workflows.fakes import FakeServices
from tests.workflows.queued import Send, cancelled_by_customer, earlier_worker, ended, fact
from workflows import names
from workflows.messages import Clearance, Receipt, Validation

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHIPPED = names.SHIPMENT_SHIPPED
BY_HAND = "Somebody stopped its workflow by hand."
UNDONE = ("fulfillment.CancelShipments", "inventory.ReleaseReservation", "billing.ReleaseCredit")
HELD = Validation("held", ["OVER_5000"], Clearance("waiting"))


def backordered() -> FakeServices:
    """Five units wait for stock."""
    return FakeServices(backordered=5)


def held() -> FakeServices:
    """People must look at it."""
    return FakeServices(validation=HELD)


def undeliverable() -> FakeServices:
    """No carrier serves the address."""
    return FakeServices(undeliverable=1, clearances=[Clearance("waiting")])


@pytest.mark.parametrize(
    ("services_of", "milestones"),
    [
        (held, ["interrupted"]),
        (undeliverable, ["undeliverable", "interrupted"]),
        (backordered, ["accepted", "interrupted"]),
        (FakeServices, ["accepted", "interrupted"]),
    ],
    ids=["in review", "without a carrier", "waiting for stock", "waiting for the warehouse"],
)
async def test_a_waiting_order_loses_its_run_and_nothing_else(
    temporal: Client, services_of: Callable[[], FakeServices], milestones: list[str]
) -> None:
    services, queue = services_of(), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.handle.cancel()
        outcome = await ended(order)

    assert outcome is None
    assert services.milestones() == milestones
    assert not set(UNDONE) & set(services.calls)
    assert services.recorded["interrupted"].waiting_for == BY_HAND


async def test_an_order_whose_run_is_stopped_before_it_begins_is_accepted_first(temporal: Client) -> None:
    services, queue, ref = FakeServices(), uuid.uuid4().hex, order_ref()
    handle = await temporal.start_workflow(
        names.ORDER_WORKFLOW, ref, id=names.order_workflow_id(ref.number), task_queue=queue
    )
    order = PlacedOrder(temporal, ref, Receipt(""))
    await handle.cancel()
    await order.notify(SHIPPED, "shp_1")

    async with fake_worker(temporal, services, queue):
        outcome = await ended(order)

    assert outcome is None
    assert services.milestones() == ["accepted", "interrupted"]
    assert services.calls.count("billing.IssueInvoice") == 1


async def closing(order: PlacedOrder) -> None:
    """Everything that an order waits for."""
    for kind in (SHIPPED, names.SHIPMENT_DELIVERED, names.PAYMENT_SETTLED):
        await order.notify(kind, "shp_1")


@pytest.mark.parametrize(
    ("step", "send", "milestones", "outcome"),
    [
        ("billing.IssueInvoice", fact(SHIPPED), ["accepted", "interrupted"], None),
        ("fulfillment.CancelShipments", cancelled_by_customer, ["accepted", "cancelled"], "cancelled"),
        ("inventory.ReleaseReservation", cancelled_by_customer, ["accepted", "cancelled"], "cancelled"),
        ("billing.ReleaseCredit", cancelled_by_customer, ["accepted", "cancelled"], "cancelled"),
        ("orders.RecordOrder", cancelled_by_customer, ["accepted", "cancelled"], "cancelled"),
        ("orders.CheckCompleteness", closing, ["accepted", "closed"], "completed"),
        ("orders.RecordOrder", closing, ["accepted", "closed"], "completed"),
    ],
    ids=["invoice", "ask", "stock back", "credit back", "record the cancellation", "is it complete", "record the end"],
)
async def test_a_step_under_way_is_done_and_what_follows_from_it_too(
    temporal: Client, step: str, send: Send, milestones: list[str], outcome: str | None
) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        services.absences[step] = 3  # it is tried patiently, so there is time to cancel
        sent = await send(order)
        await asyncio.wait_for(services.is_back.wait(), 60)
        await order.handle.cancel()
        came = await ended(order)
        answer = await sent if sent is not None else None

    assert came == outcome
    assert services.milestones() == milestones
    assert {name: services.calls.count(name) for name in UNDONE[1:]} == dict.fromkeys(
        UNDONE[1:], int(outcome == "cancelled")
    )
    assert answer is None or answer.is_cancelled


async def test_a_refused_step_is_recorded_though_the_run_is_stopped_meanwhile(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        services.refusals["inventory.ShipStock"] = "NO_SUCH_SHIPMENT"
        services.absences["orders.RecordOrder"] = 3
        await order.notify(SHIPPED, "shp_1")
        await asyncio.wait_for(services.is_back.wait(), 60)
        await order.handle.cancel()
        sent = await cancelled_by_customer(order)
        with pytest.raises(WorkflowFailureError):
            await order.handle.result()
        with pytest.raises(WorkflowUpdateFailedError) as unanswered:
            await sent

    assert services.milestones() == ["accepted", "interrupted"]
    assert services.recorded["interrupted"].waiting_for == "A step of its workflow was refused: no such shipment."
    assert isinstance(unanswered.value.cause, ApplicationError)
    assert unanswered.value.cause.type == names.INTERRUPTED


async def test_a_run_that_is_broken_off_while_it_takes_back_takes_everything_back(temporal: Client) -> None:
    """So runs do that were stopped by an earlier release."""
    services, queue = FakeServices(), uuid.uuid4().hex

    async with earlier_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        services.absences["inventory.ReleaseReservation"] = 3
        sent = await cancelled_by_customer(order)
        await asyncio.wait_for(services.is_back.wait(), 60)
        await order.handle.cancel()
        outcome = await ended(order)
        await asyncio.gather(sent, return_exceptions=True)

    assert outcome is None
    assert services.calls[-3:] == ["inventory.ReleaseReservation", "billing.ReleaseCredit", "orders.RecordOrder"]
    assert services.milestones() == ["accepted", "interrupted"]
