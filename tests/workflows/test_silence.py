"""A warehouse that says nothing: the workflow's timer acts on it, a late word still decides, and what is withdrawn is asked no more."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.workflows.driver import fake_worker, order_ref, place, until_quiet
from tests.workflows.fakes import FakeServices
from tests.workflows.test_later_releases import summaries
from tests.workflows.test_people import CLEARED, to_cash, version_2
from workflows import names
from workflows.messages import Clearance, Recall

AGREED = Clearance("cleared", "chg_1")
ASKED = Recall("pending", may_be_withdrawn=True)


def silent_until(hours: int) -> Clearance:
    due = int((datetime.now(UTC) + timedelta(hours=hours)).timestamp() * 1_000_000)
    return Clearance("cleared", "", due, "escalate_recall", "chg_1", "", "answer to the recall", "chg_1")


async def test_a_silence_is_acted_upon_by_a_timer_and_a_late_word_decides(skipping: WorkflowEnvironment) -> None:
    services, queue = FakeServices(clearances=[AGREED, silent_until(2), silent_until(4), AGREED]), uuid.uuid4().hex
    services.recalls, services.applied = [ASKED], version_2(CLEARED)

    async with fake_worker(skipping.client, services, queue):
        with skipping.with_time_skipping_disabled():
            order = await place(skipping.client, order_ref(), queue)
            await order.refresh(names.AMEND, "chg_1")
        await skipping.fast_forward(order.handle, timedelta(hours=3))
        await until_quiet(order, 12)
        phase = (await order.handle.describe()).typed_search_attributes[names.PHASE]
        said = await summaries(order)
        with skipping.with_time_skipping_disabled():
            await order.notify(names.RECALL_ANSWERED, "rcl_1")
            await to_cash(order)

    passed = [call for call in services.calls if call.startswith("orders.PassDeadline")]
    assert passed == ["orders.PassDeadline escalate_recall"]
    assert phase == "open"
    assert f"Escalation: answer to the recall of {order.order.number}" in said
    assert "changed" in services.milestones()
    assert "fulfillment.WithdrawRecall" not in services.calls


async def test_a_cancellation_that_is_withdrawn_is_asked_back_no_more(temporal: Client) -> None:
    waiting = silent_until(2)
    services, queue = FakeServices(clearances=[AGREED, waiting, waiting, CLEARED]), uuid.uuid4().hex
    services.recalls = [ASKED]

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.refresh(names.AMEND, "chg_1")
        await order.refresh(names.AMEND, "chg_1")  # delivered again: it still waits
        before = services.calls.count("fulfillment.WithdrawRecall")
        await order.refresh(names.AMEND, "chg_1")
        await order.notify(names.RECALL_ANSWERED, "rcl_1")
        await to_cash(order)

    assert (before, services.calls.count("fulfillment.WithdrawRecall")) == (0, 1)
    assert "orders.ApplyChange" not in services.calls


async def test_another_cancellation_is_asked_for_only_once_the_withdrawn_one_is_not(temporal: Client) -> None:
    services, queue = (
        FakeServices(clearances=[AGREED, silent_until(2), Clearance("cleared", "chg_2")]),
        uuid.uuid4().hex,
    )
    services.recalls, services.applied = [ASKED], version_2(CLEARED)

    async with fake_worker(temporal, services, queue):
        order = await place(temporal, order_ref(), queue)
        await order.refresh(names.AMEND, "chg_1")
        await order.refresh(names.AMEND, "chg_2")
        await to_cash(order)

    asked = [call for call in services.calls if "Recall" in call]
    assert asked == ["fulfillment.RequestRecall", "fulfillment.WithdrawRecall", "fulfillment.RequestRecall"]
    assert "changed" in services.milestones()
