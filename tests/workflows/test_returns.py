"""The workflow of a return does what the orders database says comes next, and nothing else."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client, WorkflowFailureError

from tests.workflows.return_driver import FakeReturn, quiet, return_worker, start, wake
from workflows import names

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_each_inspection_is_taken_into_stock_and_credited_once(temporal: Client) -> None:
    fake, queue = FakeReturn(), uuid.uuid4().hex

    async with return_worker(temporal, fake, queue):
        handle = await start(temporal, queue)
        await quiet(handle, 7)
        for last in (False, True):
            fake.inspections, fake.awaits_more = [f"insp_{last}"], not last
            await wake(handle, names.RETURN_INSPECTED)
            if not last:
                await quiet(handle, 14)
        state = await handle.result()

    assert state == "closed"
    assert fake.calls == ["next", "announce", "next", "stock", "credit", "next", "stock", "credit"]
    assert {count for key, count in fake.keys.items() if "stock" in key or "credit" in key} == {1}


async def test_goods_that_never_come_are_given_up_at_the_deadline(temporal: Client) -> None:
    fake, queue = FakeReturn(deadline=datetime.now(UTC) + timedelta(seconds=2)), uuid.uuid4().hex

    async with return_worker(temporal, fake, queue):
        handle = await start(temporal, queue)
        await handle.result()

    assert fake.calls == ["next", "announce", "deadline", "close"]


async def test_a_return_waits_for_support_without_a_timer_and_ends_when_it_is_denied(temporal: Client) -> None:
    fake, queue = FakeReturn(state="requested"), uuid.uuid4().hex

    async with return_worker(temporal, fake, queue):
        handle = await start(temporal, queue)
        await quiet(handle, 5)
        fake.state = "denied"
        await wake(handle, names.RETURN_DECIDED)
        state = await handle.result()

    assert (state, fake.calls) == ("denied", ["next", "next"])


async def test_a_service_that_is_away_is_waited_for_under_the_same_key(temporal: Client) -> None:
    fake, queue = FakeReturn(), uuid.uuid4().hex

    async with return_worker(temporal, fake, queue):
        handle = await start(temporal, queue)
        await quiet(handle, 7)
        fake.inspections, fake.awaits_more, fake.away = ["insp_1"], False, 3
        await wake(handle, names.RETURN_INSPECTED)
        await handle.result()

    assert fake.calls == ["next", "announce", "next", "stock", "credit"]


async def test_a_refusal_ends_the_run_and_says_so_and_the_next_run_goes_on(temporal: Client) -> None:
    fake, queue = FakeReturn(refused="stock"), uuid.uuid4().hex

    async with return_worker(temporal, fake, queue):
        handle = await start(temporal, queue)
        await quiet(handle, 7)
        fake.inspections, fake.awaits_more = ["insp_1"], False
        await wake(handle, names.RETURN_INSPECTED)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        halted = fake.halted
        fake.refused = ""
        state = await (await start(temporal, queue)).result()

    assert halted == "A step of its workflow was refused: warehouse currency."
    assert (state, fake.calls[-3:]) == ("closed", ["next", "stock", "credit"])
