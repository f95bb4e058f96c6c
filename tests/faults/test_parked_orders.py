"""Thousands of orders wait for people: they cost next to nothing, outlive kill -9, and the first decision after it takes effect.

How soon it does is measured by `python -m bench --only f`. What makes it soon is gated here: Temporal has written down that it
did what there was to do, so that it need not do it again before the decision.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from bench.cpu import CpuSpan, memory
from services.orders.domain.order import IN_REVIEW
from tests.faults.pages import every_row
from tests.faults.running import PROCESSES, RunningSystem
from tests.system.boardroom import DEADLINES, Boardroom, tier
from tests.system.harness import System
from tests.system.trade import Trade, ok
from tests.threads import Crew
from workflows.names import order_workflow_id

REVIEW = {
    "code": "EVERY_ORDER",
    "when": "order.total > 0.0",
    "message": "Somebody looks at every order.",
    "tiers": [tier(1, "manager")],
}
AT_ONCE = 20
ORDERS_A_CUSTOMER = 50
UNDONE = "SELECT (SELECT count(*) FROM transfer_tasks) + (SELECT count(*) FROM visibility_tasks)"
HISTORIES_S = 120
CHECKPOINT_S = 20
"""Less than lies between two checkpoints of a Temporal that is told nothing: 30 s, give or take 15 %."""
AT_MOST_CORES, AT_MOST_MB = 0.1, 3100
"""Of all processes together while 2,000 orders wait: three times what was measured."""
STOPPED = (*PROCESSES, "temporal")


class Parking:
    """A system in which a manager must look at every order."""

    def __init__(self, running: RunningSystem, orders: int) -> None:
        self.running = running
        self.trade = self._trade()
        self.room = Boardroom(self.trade)
        self.room.hire("manager", roles=["approver"], positions=["manager"], limit="90000000.00")
        self.room.policy(REVIEW, deadlines=DEADLINES)
        self.sku = self.trade.product("w", "10.00", cost="1.00")
        self.trade.receive(self.trade.warehouses({"w1": 900})["w1"], self.sku, orders, "1.00")
        self.customers = [self._trade().customer() for _ in range(-(-orders // ORDERS_A_CUSTOMER))]

    def _trade(self) -> Trade:
        return Trade(cast("System", self.running))

    def place(self, orders: int) -> list[str]:
        """So many orders, parked; their ids."""
        began = time.monotonic()
        with Crew(AT_ONCE, within_s=30 + orders / 10) as crew:
            order_ids = crew.map(self._place, range(orders))
        print(f"placed {orders} orders, {orders / (time.monotonic() - began):.1f} a second")
        return order_ids

    def _place(self, number: int) -> str:
        customer_id = self.customers[number % len(self.customers)]
        receipt = ok(self.trade.place(self.trade.order_body(customer_id, [{"sku": self.sku, "quantity": 1}])))
        return str(receipt["order_id"])

    def waiting(self) -> int:
        """How many steps wait for the manager."""
        return len(every_row(self.room.api("manager"), "/v1/reviews", **{"for": "me"}))

    def measure_rest(self, span_s: float) -> tuple[float, float]:
        """Print what each process spends while nobody does anything, and what it holds; all together as cores and MB."""
        processes = {name: psutil.Process(pid) for name in STOPPED if (pid := self.running.pid(name))}
        span = CpuSpan(processes)
        time.sleep(span_s)  # the span is what is measured
        spent, held = span.spent(), memory(processes)
        for name in processes:
            print(f"{name:14} {100 * spent[name] / span_s:5.2f} % of a core, {held[name]['pss'] / 2**20:6.1f} MB PSS")
        cores, megabytes = sum(spent.values()) / span_s, sum(each["pss"] for each in held.values()) / 2**20
        print(f"{'together':14} {100 * cores:5.2f} % of a core, {megabytes:6.1f} MB PSS")
        return cores, megabytes

    def undone(self) -> int:
        """How much Temporal would do again, were it killed now."""
        with closing(sqlite3.connect(f"file:{self.running.var}/temporal.db?mode=ro", uri=True, timeout=10)) as database:
            return int(database.execute(UNDONE).fetchone()[0])

    def restart(self) -> None:
        """kill -9 of the worker and of Temporal, at once."""
        before = {name: self.running.restarts(name) for name in ("worker", "temporal")}
        for name in before:
            self.running.send(name, signal.SIGKILL)

        def have_died() -> bool:
            return all(self.running.restarts(name) > died for name, died in before.items())

        self.running.wait_for(lambda: have_died() or None, "two deaths")
        self.running.wait_ready()

    def decide_one(self, order_id: str) -> float:
        """Approve an order; the seconds until it is with its warehouse."""
        began = time.monotonic()
        ok(self.room.decide("manager", order_id, "approve", version=1))
        self.trade.until(order_id, lambda order: order["status"] == "in_fulfilment", "the release")
        return time.monotonic() - began

    def histories(self, order_ids: Iterable[str]) -> Counter[str]:
        """How often each kind of event is in the histories of these orders."""
        numbers = [self.trade.order(order_id)["number"] for order_id in order_ids]
        return asyncio.run(events_of(f"127.0.0.1:{self.running.ports.temporal}", numbers))


async def events_of(target: str, numbers: Iterable[str]) -> Counter[str]:
    """How often each kind of event is in the workflows of these orders."""
    client, lanes = await Client.connect(target), asyncio.Semaphore(AT_ONCE)
    found: Counter[str] = Counter()

    async def read(handle: WorkflowHandle[Any, Any]) -> None:
        async with lanes:
            history = await handle.fetch_history()
        found.update(EventType.Name(event.event_type) for event in history.events)

    handles = [client.get_workflow_handle(order_workflow_id(number)) for number in numbers]
    async with asyncio.timeout(HISTORIES_S):
        await asyncio.gather(*map(read, handles))
    return found


@dataclass(frozen=True, slots=True)
class Outlived:
    """What a rest of parked orders cost, and what they are after a kill and one decision."""

    cores: float
    megabytes: float
    started: int
    failed_tasks: int
    waiting: int
    phases: set[str]
    """Of those that nobody decided, as far as they were looked at."""


def outlive_a_restart(folder: Path, orders: int, rest_s: float) -> Outlived:
    """Park, rest, kill, decide."""
    with RunningSystem(folder) as running:
        parking = Parking(running, orders)
        order_ids = parking.place(orders - 1)
        running.wait_for(lambda: parking.waiting() == orders - 1 or None, "every order's review", 120)
        cores, megabytes = parking.measure_rest(rest_s)
        running.wait_for(lambda: parking.undone() == 0 or None, "a checkpoint of Temporal")
        order_ids += parking.place(1)
        running.wait_for(lambda: parking.waiting() == orders or None, "the last order's review")
        running.wait_for(lambda: parking.undone() == 0 or None, "the checkpoint after it", CHECKPOINT_S)

        parking.restart()
        took_s = parking.decide_one(order_ids[0])
        print(f"the first decision after the restart took effect in {took_s:.2f} s")
        events = parking.histories(order_ids)
        print(f"{events.total() / orders:.1f} events an order")

        started, failed = (events[f"EVENT_TYPE_WORKFLOW_{what}"] for what in ("EXECUTION_STARTED", "TASK_FAILED"))
        phases = {parking.trade.order(order_id)["phase"] for order_id in order_ids[1 : AT_ONCE + 1]}
        waiting = parking.waiting()
        parking.trade.until_audit_is_clean()
    return Outlived(cores, megabytes, started, failed, waiting, phases)


@pytest.mark.prove
@pytest.mark.slice
def test_parked_orders_outlive_a_kill_of_worker_and_temporal(tmp_path: Path) -> None:
    found = outlive_a_restart(tmp_path, orders=20, rest_s=1)

    assert (found.started, found.failed_tasks, found.waiting, found.phases) == (20, 0, 19, {IN_REVIEW})


@pytest.mark.prove
@pytest.mark.quiet
@pytest.mark.timeout(400)
def test_2000_parked_orders_cost_little_and_the_first_decision_after_a_restart_takes_effect(tmp_path: Path) -> None:
    found = outlive_a_restart(tmp_path, orders=2000, rest_s=15)

    assert (found.started, found.failed_tasks, found.waiting, found.phases) == (2000, 0, 1999, {IN_REVIEW})
    assert found.cores < AT_MOST_CORES
    assert found.megabytes < AT_MOST_MB
