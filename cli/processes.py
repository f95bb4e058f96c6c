"""A supervised process: what it is told, what it waits for, and how it is seen to be ready."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PARENT_WATCH = Path(__file__).with_name("parent_watch.py")
_LOG_LIMIT = 20_000_000
_KILLED_WITHIN_S = 10.0  # one that waits for a broken disk outlives even SIGKILL

Probe = Callable[[], Awaitable[bool]]
"""Asks whether a process is ready; never raises for "not yet"."""

State = Literal["waiting", "starting", "ready", "silent", "restarting", "done", "stopped"]
"""silent: it was ready, lives, and does not answer."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process of the system. `after` names those that must be ready before it may start; it stops before them, and
    before those it `uses`, which it can wait for by itself.

    One that `runs_once` (migrations) is ready when it has ended well, and is not started again. A `ready_file` is
    removed before each start and named to the process as OMS_READY_FILE; it writes the file when it is ready.
    """

    name: str
    command: tuple[str, ...]
    is_ready: Probe | None = None
    after: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    ready_file: Path | None = None
    runs_once: bool = False
    grace_s: float = 10.0


class Child:
    """A spec brought to life, perhaps more than once; `restarts` counts its deaths while it should have lived."""

    def __init__(self, spec: ProcessSpec, log_dir: Path) -> None:
        """Its output is appended to <log_dir>/<name>.log."""
        self.spec = spec
        self.log = log_dir / f"{spec.name}.log"
        self.state: State = "waiting"
        self.restarts = 0
        self.started_at: float | None = None
        self.process: asyncio.subprocess.Process | None = None
        self.up = asyncio.Event()
        self.gone = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self.process.pid if self.process is not None and self.process.returncode is None else None

    async def spawn(self) -> asyncio.subprocess.Process:
        """Start it in a session of its own, so that a Ctrl-C reaches it only through the supervisor."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        tied = (sys.executable, "-I", "-S", str(PARENT_WATCH), str(os.getpid()), *self.spec.command)
        env = {**os.environ, **self.spec.env}
        if self.spec.ready_file is not None:
            self.spec.ready_file.unlink(missing_ok=True)
            env["OMS_READY_FILE"] = str(self.spec.ready_file)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *tied,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                start_new_session=True,
            )
        self.started_at = time.time()
        self.state = "starting"
        return self.process

    async def terminate(self) -> bool:
        """Ask it to stop, wait its grace, then end it and whatever it started; False when even that does not end it."""
        if self.process is None:
            return True
        if self.process.returncode is None:
            self._signal(signal.SIGTERM)
            await self._end_within(self.spec.grace_s)
        self.kill()
        await self._end_within(_KILLED_WITHIN_S)
        return self.pid is None

    async def _end_within(self, seconds: float) -> None:
        assert self.process is not None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), seconds)

    def kill(self) -> None:
        """End its whole process group now."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return  # it and all it started are gone already

    def last_lines(self, lines: int = 3) -> str:
        """The end of its log, which usually says why it died."""
        if not self.log.exists():
            return ""
        text = self.log.read_bytes()[-4000:].decode(errors="replace")
        return "\n".join(line[:400] for line in text.strip().splitlines()[-lines:])


def describe_exit(code: int) -> str:
    """How a process ended, in words: "exit code 1", "killed by SIGKILL"."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
