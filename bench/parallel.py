"""Threads of a load driver, which always end or are left behind: nobody waits longer than a stated time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

Given = TypeVar("Given")
Result = TypeVar("Result")

START_S, EACH_S = 60.0, 1.0
_END_S = 5.0

Tasks = SimpleQueue[tuple[Future[Any], Callable[[], Any]]]


class NotInTime(Exception):
    """Work was not done within its time; the message says how much of it."""


def for_each(
    act: Callable[[Given], Result], given: Iterable[Given], at_once: int, within_s: float | None = None
) -> list[Result]:
    """The result of `act` for each, in order, on `at_once` threads; the first failure is raised and what has not begun is dropped.

    Raises NotInTime after `within_s`, which is START_S and EACH_S for each where nobody says otherwise.
    """
    futures, tasks = _tasks(act, given)
    limit_s = START_S + EACH_S * len(futures) if within_s is None else within_s
    ends_at = time.monotonic() + limit_s
    threads = [Thread(target=_work, args=(tasks,), daemon=True, name=f"load-{number}") for number in range(at_once)]
    for thread in threads:
        thread.start()
    try:
        results = _results(futures, ends_at, limit_s)
    finally:
        for future in futures:
            future.cancel()
    for thread in threads:
        thread.join(_END_S)
    return results


def in_time(act: Callable[[], Result], within_s: float) -> Result:
    """The result of `act`; raises NotInTime when it takes longer."""
    return for_each(lambda _: act(), [None], 1, within_s)[0]


def _tasks(act: Callable[[Given], Result], given: Iterable[Given]) -> tuple[list[Future[Result]], Tasks]:
    futures: list[Future[Result]] = []
    tasks: Tasks = SimpleQueue()
    for each in given:
        futures.append(Future())
        tasks.put((futures[-1], lambda each=each: act(each)))  # type: ignore[misc]  # a default binds the turn
    return futures, tasks


def _work(tasks: Tasks) -> None:
    while True:  # ends when no task is left
        try:
            future, act = tasks.get_nowait()
        except Empty:
            return
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(act())
        except Exception as failure:  # noqa: BLE001  # it is raised where the result is asked for
            future.set_exception(failure)


def _results(futures: Sequence[Future[Result]], ends_at: float, limit_s: float) -> list[Result]:
    results = []
    for future in futures:
        try:
            results.append(future.result(max(0.0, ends_at - time.monotonic())))
        except TimeoutError:
            if future.done():  # it was the act that ran into a timeout of its own
                raise
            undone = sum(not each.done() for each in futures)
            raise NotInTime(f"{undone} of {len(futures)} are not done after {limit_s:.0f} s") from None
    return results
