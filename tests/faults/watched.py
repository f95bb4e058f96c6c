"""A running system that a test may look into as if it were of its own process: its databases, and the workflows of orders."""

from __future__ import annotations

import random
import time
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import MetaData
from temporalio.client import Client, WorkflowHandle

from cli.embedded import SERVICES, database_url
from services.kernel.clock import utc_now
from services.runtime.db import Database
from tests.faults.running import PROCESSES, RunningSystem
from workflows.names import order_workflow_id

Result = TypeVar("Result")

ANSWERS_WITHIN_S = 60.0
EVERY_PROCESS = (*PROCESSES, "temporal")


@dataclass(frozen=True, slots=True)
class Watch:
    """What is seen of a service from outside."""

    database: Database


class WatchedSystem(RunningSystem):
    """A running system, which also offers what `tests.system.states` asks of one."""

    def __enter__(self) -> Self:
        super().__enter__()
        self._watching = ExitStack()
        return self

    def __exit__(self, *stopped: object) -> None:
        self._watching.close()
        super().__exit__(*stopped)

    @cached_property
    def processes(self) -> dict[str, Watch]:
        """Each service's database, for reading."""
        opened = {name: Database(database_url(self.var, name), MetaData(), Path()) for name in SERVICES}
        for database in opened.values():
            self._watching.callback(database.close)
        return {name: Watch(database) for name, database in opened.items()}

    @cached_property
    def temporal(self) -> Client:
        """A client that finds Temporal again when it comes back."""
        return self.on_loop(Client.connect(f"127.0.0.1:{self.ports.temporal}"))

    def on_loop(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do it on the system's event loop."""
        return self._on_loop(work, "what Temporal was asked", ANSWERS_WITHIN_S)

    def now(self) -> datetime:
        """The clock of the orders service, which nobody moves here."""
        return utc_now()

    def workflow(self, order_id: str) -> WorkflowHandle[Any, Any]:
        """The workflow of an order."""
        order = self.api("auditor").get(f"/v1/orders/{order_id}").raise_for_status().json()
        return self.temporal.get_workflow_handle(order_workflow_id(order["number"]))

    def kill_at_random(self, names: Sequence[str], chance: random.Random) -> None:
        """kill -9 each of these, one after the other, at any moment of its life: while it works, or while it starts."""
        for name in names:
            self.kill(name, down_s=chance.uniform(0.05, 1.0))
            time.sleep(chance.uniform(0.0, 1.5))
