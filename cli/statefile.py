"""What a running system says of itself in its folder: a lock, and a file with its processes and ports."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil

from cli.refusals import CommandRefused

STATE_FILE = "oms.json"
LOCK_FILE = "oms.pid"
FOLDERS = ("log", "run", "mail", "keys")
_ORPHAN_GRACE_S = 5.0


class AlreadyRunning(CommandRefused):
    """A supervisor holds this folder; the message says what to do."""


def option(var: Path) -> str:
    """What to add to a command so that it means this folder; nothing for the usual one."""
    return "" if var == Path("var") else f" --var {shlex.quote(str(var))}"


@contextmanager
def held(var: Path) -> Iterator[None]:
    """Hold the folder for this process; AlreadyRunning when another one does. The kernel frees it at any death.

    The lock file is gone afterwards, and so are folders that were made for it and in which nothing was put.
    """
    made = [folder for folder in (var, *var.parents) if not folder.exists()]
    try:
        lock = _locked(make_folder(var) / LOCK_FILE)
        if lock is None:
            raise AlreadyRunning(
                f"the system already runs in {var}{_pid_text(var)}: stop it with `oms down{option(var)}`, or start "
                "another with --var and --port-offset"
            )
        with lock:
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            try:
                yield
            finally:
                (var / LOCK_FILE).unlink(missing_ok=True)
    finally:
        for folder in made:
            with suppress(OSError):  # something is in it: it stays
                folder.rmdir()


def make_folder(folder: Path) -> Path:
    """The folder, made for its owner alone where it is missing; CommandRefused where that cannot be, or it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
        reason = "it cannot be written to"
    except OSError as refusal:
        reason = "it is a file" if folder.is_file() else refusal.strerror or str(refusal)
    raise CommandRefused(f"{folder} is no folder to work in ({reason}): name another with --var")


def for_owner(path: str, flags: int) -> int:
    """Open a file that only its owner may read, once it is made: an opener for open()."""
    return os.open(path, flags, 0o600)


def close_to_others(var: Path) -> None:
    """What this process and its children make from now on is their owner's alone, and so is what an earlier release left open here."""
    os.umask(0o077)
    for folder in (var / name for name in FOLDERS):
        if folder.is_dir():
            folder.chmod(0o700)
    for file in (*var.glob("*.db*"), *var.glob(STATE_FILE)):
        file.chmod(0o600)


def _locked(path: Path) -> IO[str] | None:
    """The lock file, held; None when somebody else holds it."""
    # a second and third try: somebody asking who holds it has it for a moment, and somebody who ends removes it
    for _ in range(3):
        lock = open(path, "a+", opener=for_owner)  # noqa: SIM115  # held until the folder is let go
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, lock):
                return lock
        except BlockingIOError:
            time.sleep(0.05)
        lock.close()
    return None


def _is_still(path: Path, lock: IO[str]) -> bool:
    try:
        return path.stat().st_ino == os.fstat(lock.fileno()).st_ino
    except FileNotFoundError:
        return False


def supervisor_pid(var: Path) -> int | None:
    """The process that holds the folder; None when nobody does."""
    try:
        with (var / LOCK_FILE).open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = lock.read().strip()
                return int(text) if text.isdigit() else None
    except (FileNotFoundError, NotADirectoryError):
        return None
    return None


def write(var: Path, state: dict[str, Any]) -> None:
    """Replace the state file in one step: a reader sees the old or the new one, never half."""
    draft = var / f".{STATE_FILE}.{os.getpid()}"
    draft.write_text(json.dumps(state, indent=2) + "\n")
    draft.replace(var / STATE_FILE)


def read(var: Path) -> dict[str, Any] | None:
    """The last state that a supervisor wrote here, running or not; None when there is none that can be read."""
    try:
        state = json.loads((var / STATE_FILE).read_text())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return None
    return state if isinstance(state, dict) else None


def end_orphans(var: Path) -> list[str]:
    """End what a supervisor that was killed left behind here; the names of what was still alive. Call while held.

    A process is one of ours only when its id and its start time are those written down: ids are used again.
    """
    ended = []
    for entry in (read(var) or {}).get("processes", []):
        if entry.get("pid") and _is_same(entry["pid"], entry.get("created_at")):
            _end_group(entry["pid"])
            ended.append(str(entry["name"]))
    return ended


def created_at(pid: int | None) -> float | None:
    """When a process began, as its identity beside its id; None when it is gone."""
    try:
        return psutil.Process(pid).create_time() if pid else None
    except psutil.Error:
        return None


def _is_same(pid: int, began: float | None) -> bool:
    now = created_at(pid)
    return now is not None and began is not None and abs(now - began) < 0.1


def _end_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
        psutil.Process(pid).wait(_ORPHAN_GRACE_S)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return  # it was quicker


def _pid_text(var: Path) -> str:
    pid = supervisor_pid(var)
    return f" (pid {pid})" if pid else ""
