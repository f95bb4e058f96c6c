"""Run a command within a time, with whatever it starts: `python3 tests/limit.py MINUTES COMMAND…`.

When the time is up, every Python process of it that dumps its stacks on SIGABRT does so, then all are killed and the exit code is
124. In any case what outlives the command is named and ended, and the CPU of everything that ran is printed. Standard library only:
a build machine runs it before anything is installed.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

OUT_OF_TIME = 124
_BECOME_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of <linux/prctl.h>: what loses its parent becomes ours, not init's
_DUMPING_S = 5.0
_ENDING_S = 10.0
_POLL_S = 0.1


def main(arguments: list[str]) -> int:
    """Run it; the command's exit code, or 124 when the time was up."""
    if len(arguments) < 2 or not _is_number(arguments[0]):
        print("Usage: python3 tests/limit.py MINUTES COMMAND…", file=sys.stderr)
        return 2
    _adopt_orphans()
    began = time.monotonic()
    command = subprocess.Popen(arguments[1:])
    _hand_on_signals(command.pid)
    code = _wait(command.pid, began + float(arguments[0]) * 60)
    if code is None:
        _say(f"{' '.join(arguments[1:4])} … is not done after {arguments[0]} minutes; its stacks:")
        _dump_stacks()
    _end_what_is_left(is_expected=code is None)
    used, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    cpu = used.ru_utime + used.ru_stime
    _say(f"CPU {_minutes(cpu)} (user {used.ru_utime:.0f} s, sys {used.ru_stime:.0f} s) in {_minutes(took)}")
    return OUT_OF_TIME if code is None else code


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"


def _say(words: str) -> None:
    print(f"limit: {words}", file=sys.stderr, flush=True)


def _adopt_orphans() -> None:
    """Processes that detach themselves, such as a database server, are still ended and counted."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_BECOME_SUBREAPER, 1, 0, 0, 0)


def _hand_on_signals(pid: int) -> None:
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the command as well, and the command ends


def _wait(pid: int, deadline: float) -> int | None:
    """The command's exit code once it has ended; None when it is out of time. Orphans that end meanwhile are reaped."""
    while time.monotonic() < deadline:
        for ended, status in _reaped():
            if ended == pid:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
        time.sleep(_POLL_S)
    return None


def _reaped() -> Iterator[tuple[int, int]]:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status


def _dump_stacks() -> None:
    for pid, _ in _descendants():
        if _dumps_on_abort(pid):
            _send(pid, signal.SIGABRT)
            time.sleep(_POLL_S)  # one after the other, so that their lines do not mix
    _settle(_DUMPING_S)


def _dumps_on_abort(pid: int) -> bool:
    """Does this Python catch SIGABRT, which is what faulthandler does?"""
    try:
        is_python = "python" in Path(f"/proc/{pid}/exe").resolve().name
        caught = next(
            line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt")
        )
    except (OSError, StopIteration):
        return False
    return is_python and bool(int(caught.split()[1], 16) >> (signal.SIGABRT - 1) & 1)


def _end_what_is_left(*, is_expected: bool) -> None:
    _settle(1.0)
    left = _descendants()
    if left and not is_expected:
        _say("still running, and ended now: " + ", ".join(f"{name} ({pid})" for pid, name in left))
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid, _ in _descendants():
            _send(pid, number)
        if _settle(_ENDING_S):
            return


def _settle(within_s: float) -> bool:
    """Wait until nothing is left that we started; False when the time is over first."""
    deadline = time.monotonic() + within_s
    while True:
        left = _descendants()
        for _ in _reaped():  # after the look: what had ended by then is reaped, and so counted
            pass
        if not left or time.monotonic() > deadline:
            return not left
        time.sleep(_POLL_S)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _descendants() -> list[tuple[int, str]]:
    """Process id and name of all that this process has started, and of what those have."""
    children: dict[int, list[tuple[int, str]]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        state, parent = rest.split()[:2]
        if state != "Z":
            children.setdefault(int(parent), []).append((int(folder.name), name))
    found: list[tuple[int, str]] = []
    parents = [os.getpid()]
    while parents:
        for pid, name in children.get(parents.pop(), []):
            found.append((pid, name))
            parents.append(pid)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
