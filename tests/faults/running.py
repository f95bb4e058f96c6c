"""The whole system as real processes under the supervisor, in a folder of its own, with armed kill points."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import httpx

from bench.ports import free_ports
from cli.embedded import SERVICES, database_url, specs
from cli.processes import ProcessSpec
from cli.supervisor import Backoff, Supervisor
from services.runtime.auth import LocalIssuer
from tests.faults.health import Health
from tests.faults.loss import losing
from tests.faults.patient import Patient
from tests.faults.points import FOLDER_VARIABLE, PLANTED_VARIABLE, Armoury
from tests.system.trade import wait_for

Result = TypeVar("Result")

PROCESSES = (*SERVICES, "worker")
AT_ONCE = Backoff(first_s=0.05, most_s=0.05)
TIME_MAY_BE_SKIPPED = ("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true")
START_S = 90.0
READY_S = 60.0
"""A process that is not ready for so long is gone for good: the supervisor gives it no more than this to start."""
STOP_S = 60.0
DEATH_S = 10.0
FOR_GOOD_S = 3600.0
_WATCH_EVERY_S = 0.25


class Issuer(Protocol):
    """Whoever gives people their tokens."""

    def token(self, *, sub: str, roles: Sequence[str], company: str | None = None) -> str:
        """A token of this person."""
        ...


class Mailbox:
    """What the mail sink keeps on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, EmailMessage] = {}

    @property
    def messages(self) -> list[EmailMessage]:
        """Every mail, in the order of arrival."""
        for file in sorted(self._folder.glob("*.eml")):
            if file.name not in self._read:
                self._read[file.name] = message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=default)
        return list(self._read.values())


class RunningSystem:
    """Everything, as `oms up` runs it; who dies is back at once. Use as a context manager.

    `planted` names a bug to plant, such as "fulfillment marks first" or "billing asks anew"; `notified` is what our processes are
    told beyond what `oms up` tells them. It stands in for tests.system.harness.System where a Trade needs one. `health` knows when a process is down for good or the API
    answers nobody any more; whoever asks or waits is told.
    """

    issuer: Issuer

    def __init__(self, folder: Path, planted: str = "", notified: Mapping[str, str] | None = None) -> None:
        self.var = folder
        self.folder = folder
        self.ports = free_ports()
        self.base_url = f"http://127.0.0.1:{self.ports.http}"
        self.points = Armoury(folder / "points")
        self.sink = Mailbox(folder / "mail")
        self.answers: Counter[int | str] = Counter()
        self.health = Health()
        for name in ("log", "run", "mail", "keys"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._planted = planted
        self._notified = notified or {}
        self._supervisor = Supervisor(self._specs(), folder / "log", backoff=AT_ONCE)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="supervisor")
        self._killing = threading.Lock()
        self._stack = ExitStack()
        self._clients: dict[tuple[str, str | None, bool], httpx.Client] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        with ExitStack() as stack:
            stack.callback(self._stop)
            self._on_loop(self._supervisor.start(), "the start", START_S)
            self.issuer = self._issuer()
            self.wait_ready()
            watching = asyncio.run_coroutine_threadsafe(self._watch(), self._loop)
            stack.callback(watching.cancel)
            stack.enter_context(losing(database_url(self.var, "orders"), lambda: self.kill("orders", FOR_GOOD_S)))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()
        self._stack.close()

    def _issuer(self) -> Issuer:
        return LocalIssuer(self.var / "keys")

    def _stop(self) -> None:
        """End all processes and the supervisor's loop; fails for what does not end, when everything else has."""
        try:
            self._on_loop(self._end_processes(), "the stop", STOP_S)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)
            assert not self._thread.is_alive(), "the supervisor's event loop does not end"

    async def _end_processes(self) -> None:
        self._supervisor.kill()
        await self._supervisor.stop()

    def _on_loop(self, work: Coroutine[Any, Any, Result], what: str, within_s: float) -> Result:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(within_s)
        except TimeoutError:
            if not future.cancel():
                raise
            raise AssertionError(f"{what} takes longer than {within_s:.0f} s: {self._states()}") from None

    def _states(self) -> str:
        return ", ".join(f"{name} is {child.state}" for name, child in self._supervisor.children.items())

    async def _watch(self) -> None:
        """Report a process that is down for longer than any start may take; how long one may be silent, the supervisor says."""
        well_at = dict.fromkeys(self._supervisor.children, time.monotonic())
        while True:
            for name, child in self._supervisor.children.items():
                if child.state in {"ready", "silent", "done"}:
                    well_at[name] = time.monotonic()
                elif time.monotonic() - well_at[name] > READY_S:
                    self.health.report(f"{name} is down for {READY_S:.0f} s; its log ends:\n{child.last_lines()}")
            await asyncio.sleep(_WATCH_EVERY_S)

    def _specs(self) -> Sequence[ProcessSpec]:
        return [self._prepared(spec) for spec in specs(self.var, self.ports)]

    def _prepared(self, spec: ProcessSpec) -> ProcessSpec:
        if spec.name == "temporal":  # a test may move an order's workflow forward
            return replace(spec, command=(*spec.command, *TIME_MAY_BE_SKIPPED))
        return self._armed(spec) if spec.name in PROCESSES else spec

    def _armed(self, spec: ProcessSpec) -> ProcessSpec:
        module = spec.command[-1]
        armed = {FOLDER_VARIABLE: str(self.var / "points"), PLANTED_VARIABLE: self._planted, "OMS_LOG_LEVEL": "INFO"}
        env = {**spec.env, **armed, **self._notified}
        return replace(spec, command=(sys.executable, "-m", "tests.faults.armed", module), env=env)

    def wait_for(self, check: Callable[[], Result | None], what: str, within_s: float = 60) -> Result:
        """Look again and again until something is found, or the system is lost."""

        def checked() -> Result | None:
            self.health.check()
            return check()

        return wait_for(checked, what, within_s)

    def wait_ready(self, within_s: float = READY_S) -> None:
        """Wait until the API says that everything behind it answers; if it does not in that time, the system is lost."""
        deadline = time.monotonic() + within_s
        while said := self._missing():
            self.health.check()
            if time.monotonic() > deadline:
                raise self.health.report(f"the system did not get ready in {within_s:.0f} s: {said}")
            time.sleep(0.05)

    def _missing(self) -> str:
        """What the system says of what it lacks; nothing when it is ready."""
        try:
            answer = httpx.get(f"{self.base_url}/readyz", timeout=5)
        except httpx.TransportError as absence:
            return f"{absence!r}; {self._states()}"
        children = (self._supervisor.children[name] for name in (*PROCESSES, "temporal"))
        is_ready = answer.status_code == 200 and all(child.state == "ready" for child in children)
        return "" if is_ready else f"{answer.text}; {self._states()}"

    def api(self, role: str, company: str | None = None, *, is_patient: bool = True) -> httpx.Client:
        """An HTTP client that carries a token of this role; a patient one retries until it is answered."""
        key = (role, company, is_patient)
        if key not in self._clients:
            token = self.issuer.token(sub=f"{role}@{company or 'staff'}", roles=[role], company=company)
            self._clients[key] = httpx.Client(
                base_url=self.base_url,
                headers={"Authorization": f"Bearer {token}"},
                timeout=30,
                transport=Patient(self.answers, self.health) if is_patient else None,
            )
        return self._clients[key]

    def pid(self, name: str) -> int | None:
        """The process id; None while it is down."""
        return self._supervisor.children[name].pid

    def restarts(self, name: str) -> int:
        """How often the process died while it should have lived."""
        return self._supervisor.children[name].restarts

    def send(self, name: str, number: signal.Signals) -> None:
        """Signal a process that runs."""
        pid = self.pid(name)
        assert pid is not None, f"{name} is down already"
        os.kill(pid, number)

    def kill(self, name: str, down_s: float) -> None:
        """End a process with kill -9 and have it back no sooner than after `down_s`."""
        with self._killing:
            self._supervisor._backoff = Backoff(first_s=down_s, most_s=down_s)
            before = self.restarts(name)
            try:
                self.wait_for(lambda: self._is_dead(name, before) or None, f"the death of {name}", DEATH_S)
            finally:
                self._supervisor._backoff = AT_ONCE

    def _is_dead(self, name: str, before: int) -> bool:
        """Whether it has died since, of this or by itself."""
        if self.restarts(name) > before:
            return True
        if pid := self.pid(name):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return False

    def lose_temporal(self) -> None:
        """Temporal is killed and comes back without anything that it knew."""
        self.kill("temporal", down_s=2.0)
        for file in self.var.glob("temporal.db*"):
            file.unlink()

    def log(self, name: str) -> str:
        """What the process has logged."""
        return self._supervisor.children[name].log.read_text(errors="replace")
