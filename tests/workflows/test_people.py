"""People in the workflow: reviews with deadlines, change orders, and messages that nobody may believe."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from tests.workflows.driver import PlacedOrder, fake_worker, order_ref, place, until_quiet
from tests.workflows.fakes import FakeServices
from workflows import names
from workflows.messages import Applied, Clearance, OrderOutcome, Recall, Validation

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLEARED = Clearance("cleared")
FIRST = ["billing.CommitCredit", "orders.ValidateOrder"]


def waiting(deadline: str = "", hours: float = 4, change_id: str = "") -> Clearance:
    """Waits for people, with a deadline so many hours from now."""
    due = int((datetime.now(UTC) + timedelta(hours=hours)).timestamp() * 1_000_000) if deadline else 0
    return Clearance("waiting", change_id, due, deadline, "stp_1" if deadline else "")


def reviewed(*clearances: Clearance, **more: object) -> FakeServices:
    """An order that validation hands to people; what the database says of it afterwards, look by look."""
    return FakeServices(
        validation=Validation("held", ["OVER_5000"], waiting()),
        clearances=list(clearances),
        **more,  # type: ignore[arg-type]  # fields of FakeServices
    )


def version_2(clearance: Clearance, *, is_applied: bool = True) -> Applied:
    return Applied(
        is_applied, 2 if is_applied else 1, 2_490_000, "24,900.00 USD", is_ship_complete=False, clearance=clearance
    )


async def to_cash(order: PlacedOrder) -> None:
    await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
    await order.notify(names.SHIPMENT_DELIVERED, "shp_1")
    await order.notify(names.PAYMENT_SETTLED)
    await order.handle.result()


async def test_a_decision_is_read_from_the_database_and_lets_the_order_go_on(temporal: Client) -> None:
    services, queue = reviewed(CLEARED), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        seen = await order.refresh(names.DECIDE, "dec_1")
        await to_cash(order)

    assert order.receipt.outcome == "held"
    assert seen.state == "cleared"
    assert services.calls[:4] == [*FIRST, "orders.GetClearance", "inventory.ReserveStock"]


@pytest.mark.parametrize("update", names.REFRESHES)
async def test_a_hand_sent_update_approves_nothing(temporal: Client, update: str) -> None:
    services, queue = reviewed(waiting()), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        seen = await order.refresh(update, "dec_forged")
        await order.handle.terminate()

    assert seen.state == "waiting"
    assert "inventory.ReserveStock" not in services.calls


@pytest.mark.parametrize("signal", names.FACTS)
async def test_a_hand_sent_signal_approves_nothing(temporal: Client, signal: str) -> None:
    services, queue = reviewed(waiting()), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        before = len((await order.history()).events)
        await order.notify(signal, "shp_forged", is_complete=True)
        await until_quiet(order, before + 5)
        await order.handle.terminate()

    assert services.calls == [*FIRST, "orders.GetClearance"]


async def test_a_decision_without_an_id_leaves_no_trace(temporal: Client) -> None:
    services, queue = reviewed(waiting()), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        before = len((await order.history()).events)
        with pytest.raises(WorkflowUpdateFailedError):
            await order.refresh(names.DECIDE, "")
        after = len((await order.history()).events)
        await order.handle.terminate()

    assert after == before


async def test_a_refusal_by_people_gives_the_credit_back_and_holds_no_stock(temporal: Client) -> None:
    services, queue = reviewed(Clearance("rejected")), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.refresh(names.DECIDE, "dec_1")
        outcome = await order.handle.result()

    assert outcome in ({"outcome": "rejected"}, OrderOutcome("rejected"))
    assert services.calls == [*FIRST, "orders.GetClearance", "billing.ReleaseCredit"]


async def test_deadlines_pass_one_after_the_other_until_the_review_runs_out_of_time(
    skipping: WorkflowEnvironment,
) -> None:
    begin = waiting("remind", 4)
    services, queue = FakeServices(validation=Validation("held", ["OVER_5000"], begin)), uuid.uuid4().hex
    services.clearances = [waiting("escalate", 24), waiting("expire_review", 120), Clearance("expired")]

    async with fake_worker(skipping.client, services, queue):
        order = await place(skipping.client, order_ref(), queue)
        outcome = await order.handle.result()

    assert outcome in ({"outcome": "expired"}, OrderOutcome("expired"))
    assert [name for name in services.calls if "Deadline" in name] == [
        "orders.PassDeadline remind",
        "orders.PassDeadline escalate",
        "orders.PassDeadline expire_review",
    ]


async def test_a_deadline_that_nobody_acts_on_fires_once(skipping: WorkflowEnvironment) -> None:
    begin = waiting("expire_consent", 4)
    services, queue = FakeServices(validation=Validation("held", ["OVER_5000"], begin)), uuid.uuid4().hex
    services.clearances = [begin, waiting()]

    async with fake_worker(skipping.client, services, queue):
        with skipping.with_time_skipping_disabled():
            order = await place(skipping.client, order_ref(), queue)
        await skipping.fast_forward(order.handle, timedelta(hours=9))
        seen = await order.refresh(names.CONSENT, "chg_1")
        await order.handle.terminate()

    assert seen.state == "waiting"
    assert services.calls.count("orders.PassDeadline expire_consent") == 1


async def test_an_order_left_waiting_past_a_deadline_is_found_in_temporal_until_somebody_decides(
    skipping: WorkflowEnvironment,
) -> None:
    begin = waiting("remind", 4)
    services, queue = FakeServices(validation=Validation("held", ["OVER_5000"], begin)), uuid.uuid4().hex
    services.clearances = [waiting(), CLEARED]

    async with fake_worker(skipping.client, services, queue):
        with skipping.with_time_skipping_disabled():
            order = await place(skipping.client, order_ref(), queue)
        at_first = await phase_of(order)
        await skipping.fast_forward(order.handle, timedelta(hours=4, seconds=5))
        await until_quiet(order, 13)
        parked = await phase_of(order)
        await order.refresh(names.DECIDE, "dec_1")
        decided = await phase_of(order)
        await order.handle.terminate()

    assert (at_first, parked, decided) == ("open", "in_review", "open")


async def phase_of(order: PlacedOrder) -> str:
    return str((await order.handle.describe()).typed_search_attributes[names.PHASE])


async def test_a_change_agreed_in_review_makes_a_version_and_waits_for_its_review(temporal: Client) -> None:
    services, queue = reviewed(waiting(change_id="chg_1"), CLEARED), uuid.uuid4().hex
    services.applied = version_2(waiting())

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        seen = await order.refresh(names.CONSENT, "chg_1")
        await order.refresh(names.DECIDE, "dec_1")
        await to_cash(order)

    assert seen.state == "waiting"
    assert services.calls[2:7] == [
        "orders.GetClearance",
        "billing.AdjustCredit",
        "orders.ApplyChange",
        "orders.GetClearance",
        "inventory.ReserveStock",
    ]


async def test_a_change_of_an_accepted_order_settles_warehouse_credit_version_and_stock_in_this_order(
    temporal: Client,
) -> None:
    services, queue = FakeServices(clearances=[Clearance("cleared", "chg_1")]), uuid.uuid4().hex
    services.applied = version_2(CLEARED)

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        before = len(services.calls)
        await order.refresh(names.AMEND, "chg_1")
        await to_cash(order)

    assert services.calls[before : before + 7] == [
        "orders.GetClearance",
        "fulfillment.RequestRecall",
        "billing.AdjustCredit",
        "orders.ApplyChange",
        "inventory.AdjustReservation",
        "fulfillment.ReleaseShipments",
        "orders.RecordOrder",
    ]
    assert services.milestones() == ["accepted", "changed", "closed"]


async def test_a_change_of_an_order_that_ships_complete_waits_for_what_the_new_version_lacks(temporal: Client) -> None:
    services, queue = FakeServices(clearances=[Clearance("cleared", "chg_1")]), uuid.uuid4().hex
    services.applied = replace(version_2(CLEARED), is_ship_complete=True)

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(is_ship_complete=True), queue)
        released_first = services.calls.count("fulfillment.ReleaseShipments")
        services.backordered = 5
        await order.refresh(names.AMEND, "chg_1")
        released_by_change = services.calls.count("fulfillment.ReleaseShipments")
        await order.notify(names.STOCK_ALLOCATED, is_complete=True)
        await to_cash(order)

    assert (released_first, released_by_change) == (1, 1)
    assert services.calls.count("fulfillment.ReleaseShipments") == 2


async def test_a_change_waits_for_the_warehouse_and_is_settled_by_its_answer(temporal: Client) -> None:
    agreed = Clearance("cleared", "chg_1")
    services, queue = FakeServices(clearances=[agreed, CLEARED, agreed]), uuid.uuid4().hex
    services.recalls, services.applied = [Recall("pending")], version_2(CLEARED)

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.refresh(names.AMEND, "chg_1")
        asked = [name for name in services.calls if name.startswith(("fulfillment.Req", "orders.Rec", "orders.App"))]
        await order.notify(names.RECALL_ANSWERED, "chg_1")
        await to_cash(order)

    assert asked == ["orders.RecordOrder", "fulfillment.RequestRecall", "orders.RecordChange recall"]
    assert "changed" in services.milestones()


async def test_a_warehouse_that_answers_before_its_recall_is_noted_is_asked_again(temporal: Client) -> None:
    agreed = Clearance("cleared", "chg_1")
    services, queue = FakeServices(clearances=[agreed, agreed, CLEARED]), uuid.uuid4().hex
    services.recalls, services.applied = [Recall("pending"), Recall("nothing_to_recall")], version_2(CLEARED)

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.refresh(names.AMEND, "chg_1")
        await to_cash(order)

    asked = [services.keys[key] for key in services.keys if "/recall/chg_1/" in key]
    assert asked == [1, 1]
    assert "changed" in services.milestones()


async def test_what_a_pending_recall_withheld_is_released_when_the_warehouse_refuses(temporal: Client) -> None:
    services, queue = FakeServices(clearances=[Clearance("cleared", "chg_1"), CLEARED]), uuid.uuid4().hex
    services.recalls = [Recall("pending")]

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.refresh(names.AMEND, "chg_1")
        before = services.calls.count("fulfillment.ReleaseShipments")
        await order.notify(names.RECALL_ANSWERED, "rcl_1")
        await to_cash(order)

    assert services.calls.count("fulfillment.ReleaseShipments") == before + 1
    assert "orders.ApplyChange" not in services.calls


async def test_a_change_that_the_warehouse_refuses_leaves_the_order_as_it_was(temporal: Client) -> None:
    services, queue = FakeServices(clearances=[Clearance("cleared", "chg_1"), CLEARED]), uuid.uuid4().hex
    services.recalls = [Recall("refused", "line 1 is picked")]

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.refresh(names.AMEND, "chg_1")
        await to_cash(order)

    assert "orders.RecordChange reject" in services.calls
    assert not {"billing.AdjustCredit", "orders.ApplyChange", "inventory.AdjustReservation"} & set(services.calls)


async def test_a_change_that_cannot_be_applied_gives_the_credit_of_the_old_total_back(temporal: Client) -> None:
    services, queue = FakeServices(clearances=[Clearance("cleared", "chg_1")]), uuid.uuid4().hex
    services.is_granted, services.applied = False, version_2(CLEARED, is_applied=False)

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.refresh(names.AMEND, "chg_1")
        await to_cash(order)

    committed = [key.split("/", 2)[2] for key in services.keys if "/credit/" in key]
    assert committed == ["credit/1", "credit/chg_1", "credit/chg_1/back"]
    assert services.forced == []
    assert "inventory.AdjustReservation" not in services.calls


async def test_credit_that_people_released_is_forced_at_the_total_of_the_version_in_force(temporal: Client) -> None:
    services, queue = reviewed(waiting(change_id="chg_1"), CLEARED, is_granted=False), uuid.uuid4().hex
    services.applied = version_2(waiting())

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.refresh(names.AMEND, "chg_1")
        await order.refresh(names.DECIDE, "dec_1")
        await to_cash(order)

    committed = [key.split("/", 2)[2] for key in services.keys if "/credit/" in key]
    assert committed == ["credit/1", "credit/chg_1", "credit/forced/v2"]


async def test_an_order_cancelled_in_review_ends_and_gives_its_credit_back(temporal: Client) -> None:
    services, queue = reviewed(waiting()), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        outcome = await order.cancel()
        await order.handle.result()

    assert outcome.is_cancelled
    assert services.calls[2:] == ["orders.GetClearance", "billing.ReleaseCredit", "orders.RecordOrder"]


async def test_a_cancellation_that_people_were_quicker_than_is_declined(temporal: Client) -> None:
    services, queue = reviewed(Clearance("rejected"), status="rejected"), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        outcome = await order.cancel()
        ended = await order.handle.result()

    assert (outcome.is_cancelled, outcome.reason) == (False, "the order is rejected already")
    assert ended in ({"outcome": "rejected"}, OrderOutcome("rejected"))
    assert services.calls[2:] == ["orders.GetClearance", "billing.ReleaseCredit", "orders.RecordOrder"]


async def test_a_decision_on_an_order_that_failed_is_refused(temporal: Client) -> None:
    services, queue = FakeServices(refusals={"inventory.ReserveStock": "BROKEN"}), uuid.uuid4().hex

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        with pytest.raises(WorkflowFailureError):
            await order.handle.result()
        with pytest.raises(RPCError, match="completed"):
            await order.refresh(names.DECIDE, "dec_1")
