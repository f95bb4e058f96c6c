"""Returns that are under way must survive a new release: every stored history replays on today's workflow."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.replay.record_returns import LIVES, RETURNS
from workflows.returns import ReturnWorkflow

STORED = sorted(RETURNS.glob("*.json"))


@pytest.mark.parametrize("stored", STORED, ids=[path.stem for path in STORED])
async def test_a_stored_history_of_a_return_replays(stored: Path) -> None:
    text = await asyncio.to_thread(stored.read_text)
    history = WorkflowHistory.from_json(f"return/{stored.stem}", text)

    result = await Replayer(workflows=[ReturnWorkflow]).replay_workflow(history, raise_on_replay_failure=False)

    assert result.replay_failure is None


def test_every_life_of_a_return_has_its_stored_history() -> None:
    assert {path.stem for path in STORED} == set(LIVES)
