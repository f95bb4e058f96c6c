"""Where the walks go: one system in this process, its seams, a wholesaler, and what of it still works by itself."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper

from services.orders.policies import engine
from tests.system.boardroom import OVER_5000, Boardroom
from tests.system.harness import System
from tests.system.pending import pending
from tests.system.trade import Trade, ok
from tests.whole.faults import Faults

PATIENCE_S = 90.0
"""More than the longest pause that anybody makes by design: a mail waits a minute for a document that nobody answered for."""
TRIES = 4
ASKED = "SELECT operation_id FROM provider_operation WHERE state = 'asked'"


class Ground:
    """A wholesaler with a manager who approves, in a system whose processes may die."""

    def __init__(self, system: System, faults: Faults) -> None:
        self.system = system
        self.faults = faults
        self.trade = Trade(system)
        self.room = Boardroom(self.trade)
        self.room.hire("manager", roles=["approver"], positions=["manager"], limit="1000000.00")
        self.room.policy(OVER_5000, rules=[asdict(rule) for rule in engine.built_in().rules])
        self.left: list[str] = []
        self.warehouses = list(self.trade.warehouses({"w1": 900, "w2": 1000}).values())

    def answer(self, client: httpx.Client, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        """What is answered to a client who asks again, with the same key, when somebody died meanwhile."""
        deaths, left = len(self.faults.struck), TRIES
        while True:
            left -= 1
            try:
                answer = client.post(path, json=body, headers=headers)
            except httpx.TransportError:
                if len(self.faults.struck) == deaths or not left:
                    raise
                continue
            is_answered = answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR
            if is_answered or len(self.faults.struck) == deaths or not left:
                return answer

    def deliver(self, shipment: dict[str, Any], *, times: int) -> None:
        """The carrier's word, and again while somebody dies of it."""
        while True:
            deaths = len(self.faults.struck)
            with suppress(httpx.TransportError):
                codes = self.trade.deliver(shipment, times=times)
            if len(self.faults.struck) == deaths:
                assert all(code < httpx.codes.BAD_REQUEST for code in codes), codes
                return

    def until_quiet(self, handles: list[WorkflowHandle[Any, Any]]) -> None:
        """Wait until no message is under way and these workflows wait for people and time."""
        deadline = time.monotonic() + PATIENCE_S
        while left := self._under_way(handles):
            assert time.monotonic() < deadline, f"still under way: {left}"
            time.sleep(0.02)

    def _under_way(self, handles: list[WorkflowHandle[Any, Any]]) -> list[str]:
        if found := self._messages():
            return found
        before = [self._progress(handle) for handle in handles]
        found = self._messages()
        after = [self._progress(handle) for handle in handles]
        return found + [
            handle.id for handle, old, new in zip(handles, before, after, strict=True) if new[1] or new != old
        ]

    def _messages(self) -> list[str]:
        with self.system.processes["billing"].database.reading() as session:
            asked = [f"card operation {row.operation_id}" for row in session.execute(text(ASKED))]
        return pending(self.system) + asked

    def _progress(self, handle: WorkflowHandle[Any, Any]) -> tuple[int, bool]:
        try:
            found = self.system.on_loop(handle.describe())
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return 0, False
            raise
        raw = found.raw_description
        return found.history_length, raw.HasField("pending_workflow_task") or bool(raw.pending_activities)

    def skip(self, handle: WorkflowHandle[Any, Any], span: timedelta) -> None:
        """Time passes for one workflow; returns when its timers have fired."""
        self.system.on_loop(TimeSkipper(self.system.temporal).fast_forward(handle, span))

    def must_be_ready(self) -> None:
        """Everything behind the API answers."""
        said = self.system.api("admin").get("/readyz")
        assert said.status_code == httpx.codes.OK, said.text

    def broken(self) -> list[dict[str, Any]]:
        """Invariants that are broken, but for what walks have left behind that failed before."""
        rows = ok(self.system.api("auditor").get("/v1/audit/invariants"))["rows"]
        return [
            row
            for row in rows
            if row["violations"] and not all(any(one in offender for one in self.left) for offender in row["offenders"])
        ]
