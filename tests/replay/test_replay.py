"""Orders that are under way must survive a new release: every stored history replays on today's workflow."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from tests.replay.record import HISTORIES, LIVES
from workflows import names
from workflows.messages import OrderOutcome, OrderRef, Receipt
from workflows.order import OrderWorkflow

STORED = sorted(HISTORIES.glob("*.json"))


def read(stored: Path) -> WorkflowHistory:
    """A stored history as the server gave it."""
    return WorkflowHistory.from_json(f"order/{stored.stem}", stored.read_text())


@pytest.mark.parametrize("stored", STORED, ids=[path.stem for path in STORED])
async def test_a_stored_history_replays(stored: Path) -> None:
    history = await asyncio.to_thread(read, stored)

    result = await Replayer(workflows=[OrderWorkflow]).replay_workflow(history, raise_on_replay_failure=False)

    assert result.replay_failure is None


def test_every_life_has_its_stored_history() -> None:
    assert {path.stem for path in STORED} == set(LIVES)


@workflow.defn(name=names.ORDER_WORKFLOW)
class _ForgetsToReserve:
    """A planted bug: a workflow that no longer does what running orders did."""

    @workflow.run
    async def run(self, order: OrderRef) -> OrderOutcome:
        await workflow.sleep(1)
        return OrderOutcome("completed")

    @workflow.update(name=names.PLACE)
    async def place(self) -> Receipt:
        return Receipt("accepted")


async def test_a_workflow_that_changed_its_steps_is_found_out() -> None:
    history = await asyncio.to_thread(read, HISTORIES / "to_cash.json")

    with pytest.raises(NondeterminismError):
        await Replayer(workflows=[_ForgetsToReserve], workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(
            history
        )
