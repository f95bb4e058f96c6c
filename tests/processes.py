"""Processes of a test that cannot outlive it, nor keep it reading from them for ever."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Process = TypeVar("Process", bound="subprocess.Popen[Any]")

_KILLED_WITHIN_S = 10


@contextmanager
def ended(process: Process, within_s: float = 60) -> Iterator[Process]:
    """The process, which is killed when the block is left, or earlier when `within_s` are over."""
    watch = threading.Timer(within_s, process.kill)
    watch.daemon = True
    watch.start()
    try:
        yield process
    finally:
        watch.cancel()
        process.kill()
        process.wait(_KILLED_WITHIN_S)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
