"""Asks the evaluator process: within a deadline, and its death is an answer."""

from __future__ import annotations

import atexit
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog

from services.kernel.errors import Conflict
from services.runtime.predicates.evaluator_process import CPU_S, MEMORY_BYTES

log = structlog.get_logger()

WITHIN_S = 5.0
"""For one run, on a machine that is busy, and for one's turn; the limit of processor time ends a run earlier."""
_ROUNDS = 4
"""How many times that all runs of one question may take."""
_NO_TIME_LEFT = "the rules before it took all the time that there is"
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
        """The answer of each predicate. One of which the process died is not run again for a while; the others still are.

        They run together, because turning facts into what CEL reads costs hundreds of times what a predicate does; where the process dies
        of it, one by one until it is known of which. Each run has `within_s`, all have a few times that. Conflict EVALUATOR_BUSY when others ask
        for longer: that is no fault of a predicate.
        """
        within = within_s or self._within_s
        until = time.monotonic() + _ROUNDS * within
        answers: dict[str, Answer] = {}
        is_together = True
        while left := [one for one in dict.fromkeys(predicates) if one not in answers]:
            if time.monotonic() > until:
                answers |= dict.fromkeys(left, _NO_TIME_LEFT)
                break
            asked = left if is_together else left[:1]
            found = self._answers(shared, each, asked, within)
            answers |= found
            is_together = not is_together and isinstance(found[asked[0]], str)
        return [answers[one] for one in predicates]

    def _answers(
        self, shared: Mapping[str, Any], each: Sequence[Mapping[str, Any]], asked: Sequence[str], within_s: float
    ) -> dict[str, Answer]:
        """Predicate → its answer, in one run; those that were run are missing where the process died of several."""
        with self._turn(within_s):
            answers: dict[str, Answer] = {one: why for one in asked if (why := self._why_given_up(one))}
            runnable = [one for one in asked if one not in answers]
            if not runnable:
                return answers
            found, death = self._exchange({"shared": shared, "each": each, "predicates": runnable}, within_s)
            if death and len(runnable) == 1:
                self._give_up(runnable[0], death)
                found = [death]
            elif death:
                return answers
            return answers | dict(zip(runnable, found, strict=True))

    @contextmanager
    def _turn(self, within_s: float) -> Iterator[None]:
        """The process for oneself: the time of a run begins when it is one's turn."""
        if not self._lock.acquire(timeout=within_s):
            raise Conflict("EVALUATOR_BUSY", "the rules of other orders are being evaluated: try again in a moment")
        try:
            yield
        finally:
            self._lock.release()

    def _why_given_up(self, predicate: str) -> str:
        until, why = self._given_up.get(predicate, (0.0, ""))
        return why if time.monotonic() < until else ""

    def _give_up(self, predicate: str, why: str) -> None:
        now = time.monotonic()
        self._given_up = {one: (until, said) for one, (until, said) in self._given_up.items() if now < until}
        self._given_up[predicate] = (now + self._given_up_s, why)
        log.warning("evaluator.died", why=why)

    def _exchange(self, request: Mapping[str, Any], within_s: float) -> tuple[list[Answer], str]:
        """The answers, or why the process died before the last one; empty when it did not."""
        child = self._living()
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            child.kill()

        ender = threading.Timer(within_s, end)
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
                    return [], self._buried(child)
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
