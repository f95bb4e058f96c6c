"""The harness itself: what it starts it stops, and what is lost is said at once."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.system.conftest import require
from tests.system.harness import System
from tests.system.trade import eventually


class SystemWithoutWorker(System):
    """Everything starts but the worker."""

    async def start_worker(self) -> None:
        """It cannot be started."""
        raise RuntimeError("no worker")


def listens(port: int) -> bool:
    """Whether somebody listens there."""
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=10):
        return True
    return False


def test_a_start_that_fails_stops_what_had_started(tmp_path: Path) -> None:
    system = SystemWithoutWorker(tmp_path, "sqlite")
    before = {child.pid for child in psutil.Process().children()}

    with pytest.raises(RuntimeError, match="no worker"):
        system.__enter__()

    def nothing_is_left() -> None:
        ports = (system.temporal_port, system.http_port, system.sink.port, *system.ports.values())
        assert [port for port in ports if listens(port)] == []
        assert {child.pid for child in psutil.Process().children()} <= before

    eventually(nothing_is_left)


def test_a_system_that_was_lost_fails_the_next_test_at_once(tmp_path: Path) -> None:
    system = System(tmp_path, "sqlite")
    system.lost = "the worker has ended"

    with pytest.raises(AssertionError, match="an earlier test has lost the system: the worker has ended"):
        require(system)
