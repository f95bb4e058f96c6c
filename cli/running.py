"""One embedded system from start to stop, and what it writes down about itself on the way."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cli import statefile
from cli.embedded import specs
from cli.ports import Ports, require_free
from cli.processes import Child, ProcessSpec
from cli.readiness import http_ready
from cli.refusals import CommandRefused
from cli.supervisor import StartFailed, Supervisor

SpecsOf = Callable[[Path, Ports], Sequence[ProcessSpec]]

READY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 120.0  # one after the other stops, each in its grace, who depends on the next
STARTED_WITHIN_S = 900.0  # longer than the supervisor gives migrations and everything after them
_DETACHED_LOG = "oms.log"


class Logbook:
    """Keeps the state file true, and tells a person what happens."""

    def __init__(self, var: Path, ports: Ports, say: Callable[[str], None]) -> None:
        """`say` gets one line for each event."""
        self._var = var
        self._ports = ports
        self._say = say
        self._began = time.time()
        self._ready_at: float | None = None
        self.children: dict[str, Child] = {}

    def report(self, child: Child, words: str) -> None:
        """Write down and say what happened to a process; on a full disk neither, and the system goes on."""
        with suppress(OSError):  # the next event writes all of it again
            self.write()
            if words != "starting":
                self._say(f"{child.spec.name:<14}{words}")

    def ready(self) -> None:
        """The whole system can work."""
        self._ready_at = time.time()
        self.write()
        self._say(f"ready in {self._ready_at - self._began:.1f} s: {self.url}/docs · stop with Ctrl-C or `oms down`")

    @property
    def url(self) -> str:
        """Where the public API is."""
        return f"http://127.0.0.1:{self._ports.http}"

    def write(self) -> None:
        """Replace the state file."""
        state = {
            "pid": os.getpid(),
            "started_at": self._began,
            "ready_at": self._ready_at,
            "url": self.url,
            "temporal_ui": f"http://127.0.0.1:{self._ports.temporal_ui}",
            "ports": self._ports.by_name(),
            "processes": [_entry(child) for child in self.children.values()],
        }
        statefile.write(self._var, state)


def _entry(child: Child) -> dict[str, Any]:
    return {
        "name": child.spec.name,
        "state": child.state,
        "pid": child.pid,
        "created_at": statefile.created_at(child.pid),
        "port": child.spec.port,
        "restarts": child.restarts,
        "started_at": child.started_at,
        "log": str(child.log),
    }


def serve(var: Path, ports: Ports, say: Callable[[str], None], specs_of: SpecsOf = specs) -> None:
    """Run the system in this process until SIGTERM or Ctrl-C; raises CommandRefused when it cannot start."""
    var = var.resolve()
    with statefile.held(var):
        _make_room(var, ports, say)
        processes = specs_of(var, ports)
        statefile.close_to_others(var)
        for folder in statefile.FOLDERS:
            statefile.make_folder(var / folder)
        asyncio.run(_serve(var, ports, say, processes))


def _make_room(var: Path, ports: Ports, say: Callable[[str], None]) -> None:
    """End what an earlier system left in the held folder, and refuse a taken port, before anything of this one is there."""
    for name in statefile.end_orphans(var):
        say(f"{name:<14}was left behind by a system that was killed: ended")
    require_free(ports)


async def _serve(var: Path, ports: Ports, say: Callable[[str], None], processes: Sequence[ProcessSpec]) -> None:
    logbook = Logbook(var, ports, say)
    supervisor = Supervisor(processes, var / "log", report=logbook.report)
    logbook.children = supervisor.children
    stop_requested = _stop_on_signals(supervisor)
    stopping = asyncio.create_task(stop_requested.wait())
    living = asyncio.create_task(_live(supervisor, logbook))
    try:
        await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if living.done():
            living.result()  # raises why it ended
    finally:
        living.cancel()
        await supervisor.stop()
        logbook.write()


async def _live(supervisor: Supervisor, logbook: Logbook) -> None:
    await supervisor.start()
    is_ready = http_ready(f"{logbook.url}/readyz")
    deadline = time.monotonic() + READY_WITHIN_S
    while not await is_ready():
        if time.monotonic() > deadline:
            words = supervisor.children["orders"].last_lines()
            raise StartFailed(f"the API at {logbook.url}/readyz does not get ready; the log of orders ends:\n{words}")
        await asyncio.sleep(0.05)
    logbook.ready()
    await supervisor.run()


def _stop_on_signals(supervisor: Supervisor) -> asyncio.Event:
    """An event that the first SIGTERM or Ctrl-C sets; the second ends every process at once."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            supervisor.kill()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop


def start_detached(
    var: Path, ports: Ports, program: tuple[str, ...] = ("cli", "up"), within_s: float = STARTED_WITHIN_S
) -> dict[str, Any]:
    """Start the system in a process of its own and return its state once it is ready; CommandRefused when it is not.

    `program` is the module, with its first arguments, that serves it.
    """
    var = var.resolve()
    with statefile.held(var):
        _make_room(var, ports, lambda _line: None)
    statefile.make_folder(var)
    statefile.make_folder(var / "log")
    log_path = var / "log" / _DETACHED_LOG
    said_before = log_path.stat().st_size if log_path.exists() else 0
    command = [sys.executable, "-m", *program, "--var", str(var), "--ports", ports.as_text()]
    with open(log_path, "ab", opener=statefile.for_owner) as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        )
    state = _await_ready(process, var, within_s)
    if state is not None:
        return state
    said = log_path.read_bytes()[said_before:].decode(errors="replace").strip()
    raise CommandRefused(said or f"the system did not start (exit code {process.returncode}); see {log_path}")


def _await_ready(process: subprocess.Popen[bytes], var: Path, within_s: float) -> dict[str, Any] | None:
    """The system's state once it is ready; None when it has ended instead. One that does neither in time is killed."""
    deadline = time.monotonic() + within_s
    while process.poll() is None:
        state = statefile.read(var)
        if state is not None and state["pid"] == process.pid and state["ready_at"]:
            return state
        if time.monotonic() > deadline:
            process.kill()
            raise CommandRefused(f"the system was not ready within {within_s:.0f} s and was ended; see {var / 'log'}")
        time.sleep(0.05)
    return None


def stop(var: Path) -> bool:
    """Stop the system in this folder and wait until it has ended; False when none runs."""
    pid = statefile.supervisor_pid(var)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOPPED_WITHIN_S
    while statefile.supervisor_pid(var) is not None:
        if time.monotonic() > deadline:
            raise CommandRefused(f"the system (pid {pid}) does not stop: `oms down` once more ends it without grace")
        time.sleep(0.05)
    return True


def current(var: Path) -> dict[str, Any] | None:
    """The state of the system that runs in this folder; None when none does."""
    return statefile.read(var) if statefile.supervisor_pid(var) is not None else None
