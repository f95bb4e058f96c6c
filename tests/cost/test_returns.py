"""What a return costs: history events and billable actions, exact."""

from __future__ import annotations

import uuid

import pytest
from temporalio.client import Client

from tests.workflows.conftest import temporal  # noqa: F401  # the fixture
from tests.workflows.driver import actions
from tests.workflows.return_driver import FakeReturn, quiet, return_worker, start, wake
from workflows import names

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_return_from_request_to_credit_on_terms_and_automatic_costs_16_events_and_5_actions(
    temporal: Client,  # noqa: F811  # the fixture
) -> None:
    fake, queue = FakeReturn(), uuid.uuid4().hex

    async with return_worker(temporal, fake, queue):
        handle = await start(temporal, queue)
        await quiet(handle, 7)
        fake.inspections, fake.awaits_more = ["insp_1"], False
        await wake(handle, names.RETURN_INSPECTED)
        await handle.result()
        history = await handle.fetch_history()

    assert (len(history.events), actions(history)) == (16, 5)  # 20 and 6 are allowed
    assert sum(event.ByteSize() for event in history.events) <= 6 * 1024


async def test_a_review_of_a_return_costs_5_more_events_and_2_more_actions(
    temporal: Client,  # noqa: F811  # the fixture
) -> None:
    fake, queue = FakeReturn(state="requested"), uuid.uuid4().hex

    async with return_worker(temporal, fake, queue):
        handle = await start(temporal, queue)
        await quiet(handle, 5)
        fake.state = "authorized"
        await wake(handle, names.RETURN_DECIDED)
        await quiet(handle, 12)
        fake.inspections, fake.awaits_more = ["insp_1"], False
        await wake(handle, names.RETURN_INSPECTED)
        await handle.result()
        history = await handle.fetch_history()

    assert (len(history.events), actions(history)) == (21, 7)  # 8 and 3 more are allowed
