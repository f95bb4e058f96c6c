"""Ports for systems that start beside others: none that the kernel may give to an outgoing connection meanwhile, and none twice."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import tempfile
import threading
from pathlib import Path
from typing import IO

from cli.ports import Ports

FIRST, END, BLOCK = 20_000, 32_000, 100
"""The kernel's own begin at 32,768. A process holds whole blocks, by a lock on a file that ends with it."""

_taking = threading.Lock()
_left: list[int] = []
_held: list[IO[str]] = []


def free_port() -> int:
    """A port that nobody listens on, and that no other process of this user is given here."""
    with _taking:
        for _ in range(END - FIRST):
            if not _left:
                _left.extend(_block())
            port = _left.pop()
            with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
                return port
    raise _none_left()


def free_ports() -> Ports:
    """As many as a system needs."""
    return Ports(**{name: free_port() for name in Ports().by_name()})


def _block() -> range:
    folder = Path(tempfile.gettempdir()) / f"oms-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    firsts = list(range(FIRST, END, BLOCK))
    random.shuffle(firsts)
    for first in firsts:
        lock = (folder / str(first)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        _held.append(lock)
        return range(first, first + BLOCK)
    raise _none_left()


def _none_left() -> RuntimeError:
    return RuntimeError(f"other processes hold every port from {FIRST} to {END - 1}: end some test runs")
