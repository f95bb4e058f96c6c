"""Waiting a while, and no longer, for what goes on by itself: who calls billing has a deadline, and the provider may have none."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillUnderWay
from typing import TypeVar

import structlog

log = structlog.get_logger()

Result = TypeVar("Result")

NAME = "cards-under-way"
_AT_ONCE = 6
"""How many callers have something under way at most: a provider that hangs must leave threads and connections to others."""
_QUEUED_S, _WAITED_S, _ENDED_S = 1.0, 2.0, 2.0
"""How long a caller waits for its turn and then for the answer, together well under the deadline of gRPC calls; and how long the
end of the process waits for what is under way. Its threads do not outlive it."""


class Patience:
    """Has things done on threads of their own, each in its caller's context; `waited_s` is for tests."""

    def __init__(self, waited_s: float = _WAITED_S) -> None:
        self._waited_s = waited_s
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    def wait(self, act: Callable[[], Result]) -> Result | None:
        """What comes of it, or what it raises; None when it has no turn, or is not done yet and goes on by itself."""
        if not self._turns.acquire(timeout=_QUEUED_S):
            return None
        future: Future[Result] = Future()
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(self._do, future, act), daemon=True, name=NAME)
        try:
            thread.start()
        except RuntimeError:  # no thread is to be had: nothing was begun
            self._turns.release()
            raise
        try:
            return future.result(self._waited_s)
        except StillUnderWay:
            if future.done():  # then it is what was raised, or it is done at this moment
                return future.result()
            future.add_done_callback(_log_failure)
            return None

    def end(self) -> None:
        """Begin nothing more, and give what is under way a moment: what is not recorded then is asked for again later."""
        for _ in range(_AT_ONCE):
            if not self._turns.acquire(timeout=_ENDED_S):
                return

    def _do(self, future: Future[Result], act: Callable[[], Result]) -> None:
        try:
            found = act()
        except BaseException as failure:  # noqa: BLE001  # it is raised where the result is waited for
            self._turns.release()
            future.set_exception(failure)
        else:
            self._turns.release()
            future.set_result(found)


def _log_failure(future: Future[Result]) -> None:
    if failure := future.exception():
        log.error("provider.operation_failed", exc_info=failure)
