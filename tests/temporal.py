"""One Temporal dev server a test process, for the tests that need one: with search attributes, and time that can be skipped.

The SDK may print a Rust panic from `local_activities.rs` later: it leaves the timer of a failed try running when it tries a quick step
again, and the timer finds nobody when the worker has stopped within two seconds. It ends that timer and nothing else.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from cli.embedded import temporal_settings
from workflows import names

START_TRIES = 5


def temporal_binary() -> str:
    """The `temporal` command: on PATH, or beside the interpreter."""
    beside = Path(sys.executable).parent / "temporal"
    found = shutil.which("temporal") or (str(beside) if beside.exists() else None)
    if found is None:
        raise RuntimeError("the temporal command is missing: run `make setup`")
    return found


@asynccontextmanager
async def temporal_environment(*, skips_time: bool, port: int | None = None) -> AsyncIterator[WorkflowEnvironment]:
    """A dev server in memory, on a free port unless one is given; with `skips_time` a wait of 30 days passes in a second.

    Without it time passes as it does, and a test may still move one workflow forward (fast_forward).
    """
    common: dict[str, Any] = {
        "port": port,
        "dev_server_existing_path": temporal_binary(),
        "search_attributes": list(names.SEARCH_ATTRIBUTES),
        "dev_server_log_level": "error",
        "dev_server_extra_args": [
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            *temporal_settings(),
        ],
    }
    start = WorkflowEnvironment.start_time_skipping_v2 if skips_time else WorkflowEnvironment.start_local
    async with await _started(start, common) as environment:
        yield environment


async def _started(start: Callable[..., Awaitable[WorkflowEnvironment]], common: dict[str, Any]) -> WorkflowEnvironment:
    """The SDK gives a server five seconds; on a busy machine it is asked again."""
    for _ in range(START_TRIES - 1):
        try:
            return await start(**common)
        except RuntimeError as failure:
            if "did not start within" not in str(failure):
                raise
    return await start(**common)


STALL_S = 60
"""How long a turn of a workflow may stand still in a test process."""


def patient(worker: Worker) -> Worker:
    """The worker, for a process that has everything in it: one that stands still for two seconds means no harm.

    The SDK takes such a turn for a deadlock and throws an exception into its thread, wherever it is, be it a callback that cannot
    pass it on. It has no option for how long it waits but its debugger's, which also leaves the sandbox and the thread.
    """
    definitions = worker._workflow_worker
    if definitions is None or definitions._deadlock_timeout_seconds != 2:
        raise RuntimeError(
            "the SDK's worker keeps its deadlock timeout elsewhere: look for it and mend tests.temporal.patient"
        )
    definitions._deadlock_timeout_seconds = STALL_S
    return worker
