"""The conditions that deploy/alerts.yaml speaks of, brought about in a deployment, and who looks whether an alert fires."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml
from temporalio.client import Client

from bench import company
from tests import postgres
from tests.deploy.composed import NAMESPACE, Deployed, deployed
from tests.deploy.kept import DEPLOY, Kept, Prometheus, blocks, people, runbooks
from tests.faults.test_full_disk import Ballast, small_disk
from tests.system.trade import eventually
from workflows.names import order_workflow_id

ASKED_WITHIN_S = 60.0
TURNS_WITHIN_S = 90.0
WARN_MIB = 100


class Operations:
    """A deployment in the hands of those who are on call."""

    def __init__(self, running: Deployed, folder: Path, disk: Path | None) -> None:
        self.deployed = running
        self.composed = running.composed
        self.door = running.door
        self.kept = Kept(running.composed, folder)
        self.prometheus = Prometheus(running.composed)
        self.ballast = Ballast(disk) if disk else None
        groups = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"]
        self._rules = {rule["alert"]: str(rule["expr"]) for group in groups for rule in group["rules"]}

    # What Prometheus sees.

    def until_firing(self, alert: str, meanwhile: Callable[[], object] = lambda: None) -> str:
        """Scrape until the rule holds, for what it speaks of; `meanwhile` goes on between two scrapes."""
        self.prometheus.scrape()

        def claim() -> str:
            meanwhile()
            self.prometheus.scrape()
            found = self.prometheus.firing(self._rules[alert])
            assert found, f"{alert} does not fire"
            return str([dict(labels) for labels in found])

        return eventually(claim, TURNS_WITHIN_S)

    def until_quiet(self, alert: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Once what was scraped before is too long ago to count, and things go on, the rule does not hold."""

        def claim() -> None:
            self.prometheus.forget()
            self.prometheus.scrape()
            meanwhile()
            self.prometheus.scrape()
            assert not self.prometheus.firing(self._rules[alert]), f"{alert} fires still"

        eventually(claim, TURNS_WITHIN_S)

    # What people do.

    def follow(self, alert: str, block: int = 0, *, role: str = "support", **named: str) -> str:
        """What a block of the alert's runbook prints."""
        return self.kept.follow(blocks(alert)[block], people(self.deployed, role), **named)

    def command(self, alert: str, words: str, role: str = "support", **named: str) -> str:
        """What one command of a runbook prints: the first of its blocks with these words in it."""
        lines = "\n".join(blocks(alert)).replace("\\\n", "").splitlines()
        found = next(line for line in lines if words in line)
        return self.kept.follow(found, people(self.deployed, role), **named)

    def advised(self, alert: str, words: str, **named: str) -> str:
        """What a command, or an SQL statement, prints that the prose of a runbook advises."""
        assert f"`{words}`" in runbooks()[alert], f"{words} is not in the runbook of {alert}"
        is_sql = words.startswith("SELECT")
        command = f'docker compose exec postgres psql --username postgres --command "{words}"' if is_sql else words
        return self.kept.follow(command, people(self.deployed, "support"), **named)

    def all_is_well(self) -> None:
        """What the head of the runbooks says is so after each of them."""
        commands = blocks("")[1]

        def claim() -> None:
            said = self.kept.follow(commands, people(self.deployed, "auditor"))
            assert "unhealthy" not in said
            assert "exited" not in said
            assert '"is_ready":true' in said.replace(" ", "")
            assert said.rstrip().endswith("}[]"), said  # no broken invariant

        eventually(claim, TURNS_WITHIN_S)

    # What happens.

    def send(self, name: str, number: signal.Signals) -> None:
        """Signal a process."""
        os.kill(self.kept.pid(name), number)

    @contextmanager
    def hanging(self, name: str) -> Iterator[None]:
        """A process stands still for the time of a block, unless it is ended."""
        pid = self.kept.pid(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            if self.kept.pid(name) == pid:
                os.kill(pid, signal.SIGCONT)

    def ask(self, role: str, method: str, path: str, body: Any = None) -> int:
        """The status of an answer, whatever it is; 0 for none."""
        headers = {"Authorization": f"Bearer {people(self.deployed, role)}", "Idempotency-Key": uuid.uuid4().hex}
        try:
            url = f"{self.composed.url}{path}"
            return httpx.request(method, url, headers=headers, json=body, timeout=ASKED_WITHIN_S).status_code
        except httpx.TransportError:
            return 0

    def place(self) -> dict[str, Any]:
        """An order, whose receipt is given."""
        receipt: dict[str, Any] = self.door.post("channel", "/v1/orders", company.order(1))
        return receipt

    def order(self, order_id: str) -> dict[str, Any]:
        """An order as an auditor reads it."""
        found: dict[str, Any] = self.door.get("auditor", f"/v1/orders/{order_id}")
        return found

    def until_status(self, order_id: str, status: str) -> None:
        """Wait until an order is there."""

        def claim() -> None:
            found = self.order(order_id)["status"]
            assert found == status, f"{order_id} is {found}"

        eventually(claim, TURNS_WITHIN_S)

    def query(self, database: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What the administrator of PostgreSQL sees or does."""
        with psycopg.connect(postgres.server_url(), dbname=database, autocommit=True) as connection:
            done = connection.execute(statement, values)
            return done.fetchall() if done.description else []

    def terminate(self, number: str) -> None:
        """Somebody ends the workflow of an order by hand."""

        async def end() -> None:
            client = await Client.connect(self.composed.temporal, namespace=NAMESPACE)
            await client.get_workflow_handle(order_workflow_id(number)).terminate("by hand")

        asyncio.run(asyncio.wait_for(end(), ASKED_WITHIN_S))

    def sweep(self) -> None:
        """The sweep that comes every five minutes comes now."""

        async def begin() -> None:
            client = await Client.connect(self.composed.temporal, namespace=NAMESPACE)
            await client.get_schedule_handle("sweep/lost").trigger()

        asyncio.run(asyncio.wait_for(begin(), ASKED_WITHIN_S))

    def older(self, order_id: str) -> None:
        """An order is of an hour ago: the sweep passes over young ones."""
        self.query(
            "orders", "UPDATE sales_order SET placed_at = placed_at - interval '1 hour' WHERE order_id = %s", order_id
        )


@contextmanager
def operated(folder: Path) -> Iterator[Operations]:
    """A deployment with master data, a small disk where one can be mounted, and people on call."""
    with ExitStack() as stack:
        stated = {"OMS_DISK_WARN_MIB": str(WARN_MIB)}
        try:
            disk = stack.enter_context(small_disk(folder / "disk"))
            stated["OMS_DISK_FOLDER"] = str(disk)
        except pytest.skip.Exception:
            disk = None
        running = stack.enter_context(deployed(folder, stated))
        company.load_company(running.door)
        operations = Operations(running, folder / "stand-in", disk)
        stack.enter_context(operations.kept.watching())
        yield operations
