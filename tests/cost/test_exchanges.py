"""What an exchange costs more than its return: history events and billable actions, exact."""

from __future__ import annotations

import uuid

import pytest
from temporalio.client import Client

from tests.workflows.conftest import temporal  # noqa: F401  # the fixture
from tests.workflows.driver import actions
from tests.workflows.return_driver import FakeReturn, quiet, return_worker, start, wake
from workflows import names

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _cost(client: Client, fake: FakeReturn) -> tuple[int, int]:
    queue = uuid.uuid4().hex
    async with return_worker(client, fake, queue):
        handle = await start(client, queue)
        await quiet(handle, 7)
        fake.inspections, fake.awaits_more = ["insp_1"], False
        await wake(handle, names.RETURN_INSPECTED)
        await handle.result()
        history = await handle.fetch_history()
    return len(history.events), actions(history)


async def test_an_exchange_of_the_same_sku_costs_what_its_return_does(
    temporal: Client,  # noqa: F811  # the fixture
) -> None:
    assert await _cost(temporal, FakeReturn()) == (16, 5)


async def test_another_sku_costs_one_event_more_to_net_its_credit(
    temporal: Client,  # noqa: F811  # the fixture
) -> None:
    fake = FakeReturn(is_netted=True)

    assert await _cost(temporal, fake) == (17, 5)
    assert fake.calls[-3:] == ["stock", "credit", "net"]


async def test_an_advance_costs_one_event_more_to_settle_what_did_not_come(
    temporal: Client,  # noqa: F811  # the fixture
) -> None:
    fake = FakeReturn(is_advance=True)

    assert await _cost(temporal, fake) == (17, 5)
    assert fake.calls[-3:] == ["stock", "credit", "settle"]
