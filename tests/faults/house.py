"""The whole system as real processes under the supervisor, in a folder of its own, with armed kill points."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from bench.ports import free_ports
from cli.embedded import SERVICES, specs
from cli.processes import ProcessSpec
from cli.supervisor import Backoff, Supervisor
from services.runtime.auth import LocalIssuer
from tests.faults.points import FOLDER_VARIABLE, PLANTED_VARIABLE, Armoury

Result = TypeVar("Result")

PROCESSES = (*SERVICES, "worker")
AT_ONCE = Backoff(first_s=0.05, most_s=0.05)
PATIENCE_S = 40.0
TIME_MAY_BE_SKIPPED = ("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true")
_RETRY_EVERY_S = 0.1


class Patient(httpx.BaseTransport):
    """Sends a request again, the same to the byte and so with the same Idempotency-Key, while nobody answers or 503 comes.

    Counts every answer by its status; "no answer" where the connection broke.
    """

    def __init__(self, answers: Counter[int | str]) -> None:
        self._answers = answers
        self._wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask until there is an answer, for as long as a person would."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                response = self._wire.handle_request(request)
                response.read()  # whoever is killed in the middle of its answer has not answered
            except httpx.TransportError:
                self._answers["no answer"] += 1
                if time.monotonic() > deadline:
                    raise
            else:
                self._answers[response.status_code] += 1
                if response.status_code != 503 or time.monotonic() > deadline:
                    return response
            time.sleep(_RETRY_EVERY_S)

    def close(self) -> None:
        """Close every connection."""
        self._wire.close()


class Letterbox:
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


class House:
    """Everything, as `oms up` runs it; who dies is back at once. Use as a context manager.

    `planted` names a bug to plant: "fulfillment marks first". It stands in for tests.system.harness.System where a Trade
    needs one.
    """

    def __init__(self, folder: Path, planted: str = "") -> None:
        self.var = folder
        self.folder = folder
        self.ports = free_ports()
        self.base_url = f"http://127.0.0.1:{self.ports.http}"
        self.points = Armoury(folder / "points")
        self.sink = Letterbox(folder / "mail")
        self.answers: Counter[int | str] = Counter()
        for name in ("log", "run", "mail", "keys"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._planted = planted
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="supervisor")
        self._clients: dict[tuple[str, str | None, bool], httpx.Client] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        self._on_loop(self._start())
        self.issuer = LocalIssuer(self.var / "keys")
        self.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()
        self._supervisor.kill()
        self._on_loop(self._supervisor.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    async def _start(self) -> None:
        self._supervisor = Supervisor(self._specs(), self.var / "log", backoff=AT_ONCE)
        await self._supervisor.start()

    def _on_loop(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=90)

    def _specs(self) -> Sequence[ProcessSpec]:
        return [self._prepared(spec) for spec in specs(self.var, self.ports)]

    def _prepared(self, spec: ProcessSpec) -> ProcessSpec:
        if spec.name == "temporal":  # a test may move an order's workflow forward
            return replace(spec, command=(*spec.command, *TIME_MAY_BE_SKIPPED))
        return self._armed(spec) if spec.name in PROCESSES else spec

    def _armed(self, spec: ProcessSpec) -> ProcessSpec:
        module = spec.command[-1]
        told = {FOLDER_VARIABLE: str(self.var / "points"), PLANTED_VARIABLE: self._planted, "OMS_LOG_LEVEL": "INFO"}
        return replace(spec, command=(sys.executable, "-m", "tests.faults.armed", module), env={**spec.env, **told})

    def wait_ready(self, within_s: float = 60) -> None:
        """Wait until the API says that everything behind it answers."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                answer = httpx.get(f"{self.base_url}/readyz", timeout=5)
                children = (self._supervisor.children[name] for name in (*PROCESSES, "temporal"))
                if answer.status_code == 200 and all(child.state == "ready" for child in children):
                    return
                said = answer.text
            except httpx.TransportError as absence:
                said = str(absence)
            if time.monotonic() > deadline:
                raise AssertionError(f"the system did not get ready: {said}")
            time.sleep(0.05)

    def api(self, role: str, company: str | None = None, *, is_patient: bool = True) -> httpx.Client:
        """An HTTP client that carries a token of this role; a patient one retries until it is answered."""
        key = (role, company, is_patient)
        if key not in self._clients:
            token = self.issuer.token(sub=f"{role}@{company or 'house'}", roles=[role], company=company)
            self._clients[key] = httpx.Client(
                base_url=self.base_url,
                headers={"Authorization": f"Bearer {token}"},
                timeout=30,
                transport=Patient(self.answers) if is_patient else None,
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
        self._supervisor._backoff = Backoff(first_s=down_s, most_s=down_s)
        before = self.restarts(name)
        self.send(name, signal.SIGKILL)
        while self.restarts(name) == before:
            time.sleep(0.01)
        self._supervisor._backoff = AT_ONCE

    def log(self, name: str) -> str:
        """What the process has logged."""
        return self._supervisor.children[name].log.read_text(errors="replace")
