"""A system of real processes in a temporary folder on free ports, which starts in time or not at all, and is gone at the end whatever happens."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.parallel import in_time
from bench.ports import free_ports
from cli import running
from cli.ports import Ports

STARTED_WITHIN_S = 180.0
_KILLED_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class System:
    """What runs: its folder, its ports and the state that the supervisor wrote when all was ready."""

    var: Path
    ports: Ports
    state: dict[str, Any]

    @property
    def url(self) -> str:
        """Where the public API is."""
        return f"http://127.0.0.1:{self.ports.http}"

    @property
    def temporal(self) -> str:
        """Where Temporal is."""
        return f"127.0.0.1:{self.ports.temporal}"

    @property
    def started_in_s(self) -> float:
        """From the first process to the API's readiness."""
        return float(self.state["ready_at"] - self.state["started_at"])

    def processes(self) -> dict[str, psutil.Process]:
        """Name → process of everything that runs, the supervisor included."""
        pids = {entry["name"]: entry["pid"] for entry in self.state["processes"] if entry["pid"]}
        return {name: psutil.Process(pid) for name, pid in {**pids, "supervisor": self.state["pid"]}.items()}


@contextlib.contextmanager
def system(program: tuple[str, ...] = ("cli", "up"), started_within_s: float = STARTED_WITHIN_S) -> Iterator[System]:
    """Start everything, and stop it at the end; `program` is the module, with its first arguments, that serves it.

    Raises NotInTime when it is not ready in time; nothing of it is left then either.
    """
    with tempfile.TemporaryDirectory(prefix="oms-bench-") as folder:
        var, ports = Path(folder).resolve(), free_ports()
        try:
            state = in_time(lambda: running.start_detached(var, ports, program), started_within_s)
            yield System(var, ports, state)
        finally:
            _end(var)


def _end(var: Path) -> None:
    """Stop the system in this folder, and kill what a stop or a start that failed left of it."""
    try:
        running.stop(var)
    finally:
        supervisors = [each for each in psutil.Process().children(recursive=True) if _serves(each, var)]
        left = [process for each in supervisors for process in (each, *each.children(recursive=True))]
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=_KILLED_WITHIN_S)


def _serves(process: psutil.Process, var: Path) -> bool:
    try:
        return str(var) in process.cmdline()
    except psutil.Error:
        return False  # it ended meanwhile
