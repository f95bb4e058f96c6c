"""A system of real processes in a temporary folder on free ports, stopped at the end whatever happens."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.ports import free_ports
from cli import running
from cli.ports import Ports


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


@contextmanager
def system(program: tuple[str, ...] = ("cli", "up")) -> Iterator[System]:
    """Start everything, and stop it at the end; `program` is the module, with its first arguments, that serves it."""
    with tempfile.TemporaryDirectory(prefix="oms-bench-") as folder:
        var, ports = Path(folder), free_ports()
        try:
            yield System(var, ports, running.start_detached(var, ports, program))
        finally:
            running.stop(var)


@contextmanager
def baseline_worker(target: str) -> Iterator[psutil.Process]:
    """The baseline's own worker process."""
    process = subprocess.Popen([sys.executable, "-m", "bench.baseline", target])
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
