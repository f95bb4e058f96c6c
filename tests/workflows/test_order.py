"""The order's workflow, step by step, on a real Temporal server with steps that answer from memory."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.workflows.driver import fake_worker, order_ref, place, until_quiet
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.compensation import Undo
from workflows.messages import Clearance, OrderOutcome, Validation

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_order_is_placed_shipped_delivered_and_paid(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        await order.notify(names.SHIPMENT_DELIVERED, "shp_1")
        await order.notify(names.PAYMENT_SETTLED)
        outcome = await order.handle.result()

    assert order.receipt.outcome == "accepted"
    assert outcome == {"outcome": "completed"} or outcome == OrderOutcome("completed")
    assert services.milestones() == ["accepted", "closed"]
    assert not [name for name in services.calls if "Release" in name and name != "fulfillment.ReleaseShipments"]
    assert [name for name in services.calls if name in ("inventory.ShipStock", "billing.IssueInvoice")] == [
        "inventory.ShipStock",
        "billing.IssueInvoice",
    ]


async def test_a_rejected_order_gives_its_credit_back_and_holds_no_stock(temporal: Client) -> None:
    services, queue = FakeServices(validation=Validation("rejected", ["UNKNOWN_SKU"])), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.handle.result()

    assert order.receipt.outcome == "rejected"
    assert order.receipt.reasons == ["UNKNOWN_SKU"]
    assert services.calls == ["billing.CommitCredit", "orders.ValidateOrder", "billing.ReleaseCredit"]


async def test_a_held_order_goes_on_by_itself_when_its_holds_are_released(temporal: Client) -> None:
    services, queue = (
        FakeServices(validation=Validation("held", ["CREDIT"], Clearance("waiting")), is_granted=False),
        uuid.uuid4().hex,
    )

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        before = list(services.calls)
        await order.notify(names.HOLDS_RELEASED)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        await order.notify(names.SHIPMENT_DELIVERED, "shp_1")
        await order.notify(names.PAYMENT_SETTLED)
        await order.handle.result()

    assert order.receipt.outcome == "held"
    assert before == ["billing.CommitCredit", "orders.ValidateOrder"]
    assert services.calls[2:5] == ["orders.GetClearance", "billing.AdjustCredit", "inventory.ReserveStock"]


async def test_an_order_that_no_carrier_serves_waits_for_people_and_goes_on_when_they_have_acted(
    temporal: Client,
) -> None:
    services, queue = (
        FakeServices(undeliverable=2, clearances=[Clearance("waiting"), Clearance("cleared")]),
        uuid.uuid4().hex,
    )

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        held = list(services.calls)
        services.clearances = [Clearance("cleared"), Clearance("waiting"), Clearance("cleared")]
        await order.notify(names.HOLDS_RELEASED)  # and there is still no carrier
        await order.notify(names.HOLDS_RELEASED)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        await order.notify(names.SHIPMENT_DELIVERED, "shp_1")
        await order.notify(names.PAYMENT_SETTLED)
        await order.handle.result()

    assert (order.receipt.outcome, order.receipt.reasons) == ("held", ["CARRIER_MISSING"])
    assert held[2:] == ["inventory.ReserveStock", "orders.RecordOrder", "orders.GetClearance"]
    assert services.milestones() == ["undeliverable", "undeliverable", "accepted", "closed"]
    assert services.calls.count("inventory.ReserveStock") == 3


async def test_an_order_that_no_carrier_serves_can_be_cancelled(temporal: Client) -> None:
    services, queue = (
        FakeServices(undeliverable=1, clearances=[Clearance("waiting")], status="cancelled"),
        uuid.uuid4().hex,
    )

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        outcome = await order.cancel()
        ended = await order.handle.result()

    assert outcome.is_cancelled
    assert ended == {"outcome": "cancelled"}
    assert services.calls[-3:] == ["inventory.ReleaseReservation", "billing.ReleaseCredit", "orders.RecordOrder"]


async def test_a_backorder_is_released_when_stock_comes(temporal: Client) -> None:
    services, queue = FakeServices(backordered=5), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(is_ship_complete=True), queue)
        released_before = services.calls.count("fulfillment.ReleaseShipments")
        await order.notify(names.STOCK_ALLOCATED, is_complete=True)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        await order.notify(names.SHIPMENT_DELIVERED)
        await order.notify(names.PAYMENT_SETTLED)
        await order.handle.result()

    assert released_before == 0
    assert services.calls.count("fulfillment.ReleaseShipments") == 1
    assert "allocated" in services.milestones()


async def test_cancelling_before_shipping_takes_everything_back_last_first(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        outcome = await order.cancel()
        await order.handle.result()

    assert outcome.is_cancelled
    assert services.stops == [True, False]
    taken_back = [
        name for name in services.calls if name.startswith(("inventory.Rel", "billing.Rel", "fulfillment.Can"))
    ]
    assert taken_back[-2:] == ["inventory.ReleaseReservation", "billing.ReleaseCredit"]
    assert services.milestones()[-1] == "cancelled"


async def test_a_cancellation_after_shipping_is_refused_and_leaves_no_event(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
        before = len((await until_quiet(order, 17)).events)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await order.cancel()
        after = len((await order.history()).events)
        await order.handle.terminate()

    assert "return" in str(refused.value.cause)
    assert after == before


async def test_a_cancellation_that_loses_the_race_against_the_truck_changes_nothing(temporal: Client) -> None:
    services, queue = FakeServices(shipped=1), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        outcome = await order.cancel()
        await order.handle.terminate()

    assert not outcome.is_cancelled
    assert services.stops == [True]
    assert "inventory.ReleaseReservation" not in services.calls
    assert "billing.ReleaseCredit" not in services.calls


async def test_a_fact_sent_three_times_is_one_event(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        for _ in range(3):
            await order.notify(names.SHIPMENT_SHIPPED, "shp_1", fact_id="fact_once")
        await order.notify(names.SHIPMENT_DELIVERED)
        await order.notify(names.PAYMENT_SETTLED)
        await order.handle.result()

    assert services.calls.count("billing.IssueInvoice") == 1


async def test_a_service_that_is_away_is_asked_patiently_with_the_same_key(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex
    services.absences["inventory.ReserveStock"] = 3

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.handle.terminate()

    assert order.receipt.outcome == "accepted"
    assert services.keys[f"order/{order.order.order_id}/reserve/1"] == 1


async def test_a_step_that_is_refused_for_good_ends_the_workflow_and_never_the_order(temporal: Client) -> None:
    services, queue = FakeServices(), uuid.uuid4().hex
    services.refusals["fulfillment.ReleaseShipments"] = "NO_RATE"

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        with pytest.raises(WorkflowFailureError):
            await order.handle.result()

    assert order.receipt.outcome == "failed"
    assert not {"inventory.ReleaseReservation", "billing.ReleaseCredit"} & set(services.calls)
    assert services.milestones() == ["interrupted"]
    assert services.recorded["interrupted"].waiting_for == "A step of its workflow was refused: no rate."


@pytest.mark.parametrize(("backordered", "is_backordered"), [(0, False), (5, True)])
async def test_the_workflow_says_whether_units_wait_so_that_nobody_asks_for_nothing(
    temporal: Client, backordered: int, is_backordered: bool
) -> None:
    services, queue = FakeServices(backordered=backordered), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.handle.terminate()

    assert services.recorded["accepted"].is_backordered is is_backordered


@pytest.mark.parametrize(
    ("error", "taken_back"),
    [(None, ["third", "second", "first"]), (ApplicationError("the step"), []), (ValueError("a bug"), [])],
)
async def test_an_action_that_is_refused_keeps_no_other_from_being_taken_back_and_an_error_takes_back_nothing(
    error: Exception | None, taken_back: list[str]
) -> None:
    done: list[str] = []

    def action(name: str, *, is_refused: bool = False) -> Callable[[], Awaitable[object]]:
        async def take_back() -> None:
            done.append(name)
            if is_refused:
                raise ApplicationError(f"{name} is refused")

        return take_back

    async def definition() -> None:
        async with Undo() as undo:
            undo.push(action("first"))
            undo.push(action("second", is_refused=True))
            undo.push(action("third", is_refused=True))
            if error is not None:
                raise error

    with pytest.raises(type(error or ApplicationError("")), match=str(error or "third is refused")):
        await definition()

    assert done == taken_back
