"""Undo: what a workflow takes back when an order does not come about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from temporalio.exceptions import FailureError


async def _to_its_end(action: asyncio.Future[object]) -> asyncio.CancelledError | None:
    """Wait for an action whatever happens to whoever waits; gives the cancellation that came meanwhile, for later."""
    cancellation = None
    while True:
        try:
            await asyncio.shield(action)
        except asyncio.CancelledError as asked:
            if action.cancelled():
                raise
            cancellation = asked
        else:
            return cancellation


class Undo:
    """A stack of actions to take back, pushed before the action (a timed-out action may have happened), run last first.

    Leaving the block without `keep()` takes everything back: on rejection and cancellation of the order alike. An error takes
    nothing back: after a bug or its eviction the same workflow goes on from its history, and after a step that was refused for
    good a later run goes on from what is there.
    """

    def __init__(self) -> None:
        self._actions: list[Callable[[], Awaitable[object]]] = []

    def push(self, action: Callable[[], Awaitable[object]]) -> None:
        """Remember how to take back what comes next. The action must be harmless when nothing was done."""
        self._actions.append(action)

    def keep(self) -> None:
        """What was done stays."""
        self._actions.clear()

    async def take_back(self) -> None:
        """Run the actions, last first, once; a cancellation of the workflow waits until they are through.

        An action that is refused does not keep the others from being taken back; the first refusal is raised at the end.
        """
        refusals: list[FailureError] = []
        cancellation: asyncio.CancelledError | None = None
        while self._actions:
            action = asyncio.ensure_future(self._actions.pop()())
            try:
                cancellation = await _to_its_end(action) or cancellation
            except FailureError as refusal:
                refusals.append(refusal)
        if cancellation is not None:
            raise cancellation
        if refusals:
            raise refusals[0]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.take_back()
