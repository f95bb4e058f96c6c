"""Threads of a test that cannot outlive it: every wait for them ends, and whoever still works then is named with where it stands."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillWorking
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, Self, TypeVar

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

WITHIN_S = 60.0
AFTER_FAILURE_S = 1.0
_SHOWN_FRAMES = 6


class Crew:
    """`size` daemon threads that work off what is submitted, in order; used as ThreadPoolExecutor is, within a time.

    All that is submitted must be done `within_s` after the crew began. When the block fails, what has not begun is dropped.
    """

    def __init__(self, size: int, within_s: float = WITHIN_S) -> None:
        self._ends_at = time.monotonic() + within_s
        self._within_s = within_s
        self._queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._at_work: set[threading.Thread] = set()
        self._raised: list[BaseException] = []
        self._threads = [threading.Thread(target=self._work, daemon=True, name=f"crew-{n}") for n in range(size)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, failure: BaseException | None, trace: object) -> None:
        if failure is not None:
            self._drop()
        self._end(self.left_s() if failure is None else min(self.left_s(), AFTER_FAILURE_S))
        if standing := self.standing():
            self._drop()
            words = f"after {self._within_s:g} s still at work:\n{standing}"
            if failure is None:
                raise AssertionError(words)
            failure.add_note(words)

    def submit(
        self, act: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Future[Result]:
        """Have it done; `result()` of what comes back is for whoever waits, and waits no longer than the crew has."""
        future: Future[Result] = _Bounded(self)
        self._queue.put((future, lambda: act(*arguments, **named)))
        return future

    def map(self, act: Callable[..., Result], *arguments: Iterable[Any]) -> list[Result]:
        """What it gives for each, in order; the first failure is raised once all before it are done."""
        futures = [self.submit(act, *each) for each in zip(*arguments, strict=False)]
        return [future.result() for future in futures]

    def left_s(self) -> float:
        """How long the crew may still work."""
        return max(0.0, self._ends_at - time.monotonic())

    def standing(self) -> str:
        """Each thread at work, with the last lines of its stack, and what others raised; empty when none is at work."""
        frames = sys._current_frames()
        stacks = [
            f"{thread.name}\n{''.join(traceback.format_stack(frames[thread.ident])[-_SHOWN_FRAMES:])}"
            for thread in self._threads
            if thread in self._at_work and thread.ident in frames
        ]
        return "\n".join([*stacks, *(f"another raised {failure!r}" for failure in self._raised)] if stacks else [])

    def _work(self) -> None:
        own = threading.current_thread()
        while (task := self._queue.get()) is not None:
            future, act = task
            if not future.set_running_or_notify_cancel():
                continue
            self._at_work.add(own)
            try:
                future.set_result(act())
            except BaseException as failure:  # noqa: BLE001  # it is raised where the result is asked for
                self._raised.append(failure)
                future.set_exception(failure)
            self._at_work.discard(own)

    def _end(self, within_s: float) -> None:
        ends_at = time.monotonic() + within_s
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(max(0.0, ends_at - time.monotonic()))

    def _drop(self) -> None:
        while True:
            try:
                task = self._queue.get_nowait()
            except Empty:
                return
            if task is not None:
                task[0].cancel()


class _Bounded(Future[Result]):
    """A future that is waited for no longer than its crew may work."""

    def __init__(self, crew: Crew) -> None:
        super().__init__()
        self._crew = crew

    def result(self, timeout: float | None = None) -> Result:
        """The result, or what was raised instead."""
        self._wait(timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What was raised, or None."""
        self._wait(timeout)
        return super().exception(0)

    def _wait(self, timeout: float | None) -> None:
        try:
            super().exception(self._crew.left_s() if timeout is None else timeout)
        except StillWorking:
            if timeout is not None:
                raise
            raise AssertionError(f"still at work:\n{self._crew.standing()}") from None


def at_once(
    acts: Iterable[Callable[[], Result]], within_s: float = WITHIN_S, *, threads: int | None = None
) -> list[Result]:
    """All acts, on a thread each unless fewer are named, the first of each begun together; their results in order.

    A failure of one is raised when all are done.
    """
    acts = list(acts)
    size = min(threads or len(acts), len(acts))
    start = threading.Barrier(size, timeout=within_s)

    def begin_together(act: Callable[[], Result]) -> Result:
        start.wait()
        return act()

    with Crew(size, within_s) as crew:
        futures = [crew.submit(begin_together, act) for act in acts[:size]]
        futures += [crew.submit(act) for act in acts[size:]]
    return [future.result() for future in futures]


def until(is_so: Callable[[], object], within_s: float = WITHIN_S) -> None:
    """Wait until something is true of other threads or processes; the waiting itself proves nothing."""
    ends_at = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < ends_at, f"not so within {within_s:g} s"
        time.sleep(0.005)
