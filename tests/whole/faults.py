"""A process that dies at a seam of this one: the n-th from now fails as if nobody had been there, before or after it was done."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest
from temporalio.exceptions import ApplicationError

import gateway.app
import services.orders.__main__
from services.runtime import grpc_server
from services.runtime.db import Database
from services.runtime.grpc_client import Unreachable
from services.runtime.outbox import OutboxRow
from services.runtime.relay import Relay, Route
from tests.faults import armed
from workflows.activities import calls

_READS = ("Get", "List", "Preview", "Quote", "Find", "Audit", "Check", "Render")
"""Nothing is lost at these; who renders no document in time is left alone for a minute by the mails that wait for one."""


class Died(Unreachable):
    """Nobody answers: what was not committed is gone, and what was committed nobody heard of."""


class Faults:
    """Counts the seams that are passed; `struck` names those at which somebody died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0
        self.struck: list[str] = []

    def arm(self, seams: int) -> None:
        """Whoever comes to the n-th seam from now dies there; 0 spares everybody."""
        with self._lock:
            self._left = seams

    def reached(self, point: str) -> None:
        """Somebody is at this seam."""
        if point.split(".")[1].startswith(_READS):
            return
        with self._lock:
            is_hit = self._left == 1
            self._left = max(0, self._left - 1)
            if is_hit:
                self.struck.append(point)
        if is_hit:
            raise Died(f"died at {point}")


@contextmanager
def planted() -> Iterator[Faults]:
    """Seams of all that runs in this process: commits and replies of calls and requests, deliveries of messages, steps of the worker.

    What starts afterwards has all of them.
    """
    faults = Faults()
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in (
            (Database, "transaction"),
            (grpc_server, "_run"),
            (Relay, "send_batch"),
            (gateway.app, "create_app"),
            (calls._Inbound, "execute_activity"),
        ):
            patch.setattr(owner, name, getattr(owner, name))  # so that it is put back
        armed.arm_transactions(faults.reached)
        armed.arm_rpcs("rpc", faults.reached)
        _arm_replies()
        _arm_relays(faults.reached)
        armed.arm_http(faults.reached)
        patch.setattr(services.orders.__main__, "create_app", gateway.app.create_app)
        armed.arm_steps(faults.reached)
        _arm_steps()
        yield faults


def _arm_replies() -> None:
    """Who dies before the reply leaves is away for whoever asked."""
    original = grpc_server._run

    @functools.wraps(original)
    def run(act: Callable[[Any, Any], Any], method: str, request: Any, context: Any) -> Any:
        try:
            return original(act, method, request, context)
        except Died as death:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(death))

    grpc_server._run = run


def _arm_relays(reached: Callable[[str], None]) -> None:
    """A relay that dies comes back at once and looks into its outbox again."""
    original = Relay.send_batch

    def armed_route(route: Route) -> Route:
        def deliver(rows: Sequence[OutboxRow]) -> Iterable[str]:
            kinds = "+".join(sorted({row.kind for row in rows}))
            reached(f"relay.{kinds}.before_delivery")
            delivered = list(route.deliver(rows))
            reached(f"relay.{kinds}.after_delivery")
            return delivered

        return replace(route, deliver=deliver)

    def send_batch(self: Relay, route: Route) -> bool:
        try:
            return original(self, armed_route(route))
        except Died:
            return True

    Relay.send_batch = send_batch  # type: ignore[method-assign]  # a seam wrapped from outside


def _arm_steps() -> None:
    """A worker that dies at a step is to its workflow what a service that is away is."""
    original = calls._Inbound.execute_activity

    async def execute_activity(self: Any, call: Any) -> Any:
        try:
            return await original(self, call)
        except Died as death:
            raise ApplicationError(str(death), type="UNREACHABLE") from death

    calls._Inbound.execute_activity = execute_activity  # type: ignore[method-assign,assignment]  # a seam wrapped from outside
