"""Asks the evaluator process: within a deadline, and its death is an answer."""

from __future__ import annotations

import atexit
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog

from services.runtime.predicates.evaluator_process import CPU_S, MEMORY_BYTES

log = structlog.get_logger()

WITHIN_S = 5.0
"""For all predicates of one question, on a machine that is busy; the limit of processor time ends them earlier."""
GIVEN_UP_S = 300.0
"""How long a predicate of which the process died is not run again: each order would wait for the deadline anew."""
_ENDED_WITHIN_S = 5.0
_PROGRAM = Path(__file__).with_name("evaluator_process.py")

Answer = Sequence[tuple[int, bool | str]] | str
"""Of one predicate: contexts by their place and what it says of them, where that is not false; or why it could not be run."""


class Evaluator:
    """One process, started when it is first needed and again after each death. Safe from many threads: one asks at a time."""

    def __init__(self, within_s: float = WITHIN_S, given_up_s: float = GIVEN_UP_S) -> None:
        self._within_s = within_s
        self._given_up_s = given_up_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._given_up: dict[str, tuple[float, str]] = {}

    def ask(
        self,
        shared: Mapping[str, Any],
        each: Sequence[Mapping[str, Any]],
        predicates: Sequence[str],
        within_s: float | None = None,
    ) -> list[Answer]:
        """The answer of each predicate. One of which the process died is not run again for a while; the others still are."""
        found: list[Answer] = []
        until = time.monotonic() + (within_s or self._within_s)
        while len(found) < len(predicates):
            remaining = predicates[len(found) :]
            if why := self._why_given_up(remaining[0]):
                found.append(why)
                continue
            runnable = [one for one in remaining if not self._why_given_up(one)]
            with self._lock:
                request = {"shared": shared, "each": each, "predicates": runnable, "together": False}
                answers, death = self._exchange(request, until)
            found += self._in_order(remaining, answers)
            if death:
                self._forget_old()
                self._given_up[runnable[len(answers)]] = (time.monotonic() + self._given_up_s, death)
                log.warning("evaluator.died", why=death)
        return found

    def is_borne(
        self,
        shared: Mapping[str, Any],
        each: Sequence[Mapping[str, Any]],
        predicates: Sequence[str],
        within_s: float | None = None,
    ) -> bool:
        """Whether the process runs all of them on all contexts and lives. Much quicker than to ask, and not said which one it is."""
        request = {"shared": shared, "each": each, "predicates": predicates, "together": True}
        with self._lock:
            _answers, death = self._exchange(request, time.monotonic() + (within_s or self._within_s))
        return not death

    def _in_order(self, remaining: Sequence[str], answers: list[Answer]) -> list[Answer]:
        """Answers with those given up between them, as far as they go."""
        ready, left = [], iter(answers)
        for predicate in remaining:
            answer = self._why_given_up(predicate) or next(left, None)
            if answer is None:
                break
            ready.append(answer)
        return ready

    def _why_given_up(self, predicate: str) -> str:
        until, why = self._given_up.get(predicate, (0.0, ""))
        return why if time.monotonic() < until else ""

    def _forget_old(self) -> None:
        now = time.monotonic()
        self._given_up = {one: (until, why) for one, (until, why) in self._given_up.items() if now < until}

    def _exchange(self, request: Mapping[str, Any], until: float) -> tuple[list[Answer], str]:
        """The answers that came, and why the process died before the last one; empty when it did not."""
        child = self._living()
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            child.kill()

        ender = threading.Timer(max(until - time.monotonic(), 0.0), end)
        ender.daemon = True
        ender.start()
        answers: list[Answer] = []
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            with suppress(BrokenPipeError):  # it died: no answer comes
                child.stdin.write(json.dumps(request) + "\n")
                child.stdin.flush()
            for _predicate in request["predicates"]:
                line = child.stdout.readline()
                if not line.endswith("\n"):
                    return answers, self._buried(child)
                answers.append([(place, verdict) for place, verdict in json.loads(line)])
        finally:
            ender.cancel()
        if is_late.is_set():
            self._end(child)  # the last answer and the deadline met: the next one to ask must not find it dying
        return answers, ""

    def _living(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() is not None:
            command = [sys.executable, "-I", str(_PROGRAM)]
            self._child = subprocess.Popen(  # noqa: S603  # a program of ours, and nothing of the request in the command
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        return self._child

    def _buried(self, child: subprocess.Popen[str]) -> str:
        self._end(child)
        code = child.returncode
        if code == -signal.SIGXCPU:
            return f"it takes more than {CPU_S} s of processor time"
        if code == -signal.SIGKILL:
            return "it did not answer in time"
        return f"it takes more than {MEMORY_BYTES >> 20} MiB of memory, or breaks what runs it"

    def _end(self, child: subprocess.Popen[str]) -> None:
        for pipe in (child.stdin, child.stdout):
            with suppress(BrokenPipeError):
                assert pipe is not None
                pipe.close()
        try:
            child.wait(_ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(_ENDED_WITHIN_S)
        self._child = None

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._child is not None:
                self._child.kill()
                self._end(self._child)


@lru_cache(maxsize=1)
def shared_evaluator() -> Evaluator:
    """The one of this process; it ends with it."""
    evaluator = Evaluator()
    atexit.register(evaluator.close)
    return evaluator
