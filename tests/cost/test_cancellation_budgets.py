"""What each outcome of a cancellation, and a stop of the workflow, costs: history events and billable actions, exact."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from tests.cost.test_budgets import cost, size
from tests.replay.cancellations import CANCELLATIONS, EARLIER
from tests.replay.record import lived
from tests.temporal import temporal_environment

COSTS = {
    "cancel_whole": (22, 5),  # placed: 11 and 2
    "cancel_held": (17, 5),
    "cancel_backordered": (22, 5),
    "cancel_declined": (35, 10),  # 28 and 8 without it
    "cancel_part": (45, 12),
    "cancel_part_in_review": (47, 14),
    "cancel_recall_yes": (57, 16),
    "cancel_recall_no": (53, 16),
    "stop_at_rest": (19, 5),
    "stop_held": (16, 5),
    "stop_with_cancel": (25, 6),
    "stop_with_shipment": (22, 6),
    "stop_with_decision": (22, 6),
    "stop_while_undone": (34, 9),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def temporal() -> AsyncIterator[Client]:
    async with temporal_environment(skips_time=False) as environment:
        yield environment.client


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", COSTS)
async def test_an_outcome_costs_what_it_may(temporal: Client, name: str) -> None:
    history = await lived(temporal, name)

    assert cost(history) == COSTS[name]
    assert size(history) <= 16 * 1024


def test_every_outcome_has_its_budget() -> None:
    assert {name for name in CANCELLATIONS if not name.startswith(EARLIER)} == set(COSTS)
