from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.client import ScheduleListDescription

from tests.processes import ended
from tests.system.harness import System
from tests.system.trade import PATIENCE_S, Trade, eventually, ok, wait_for
from workflows import names
from workflows.sweeps import EVERY, SweepWorkflow

ROOT = Path(__file__).resolve().parents[2]


def sweep(system: System, duty: str) -> dict[str, int]:
    """One round of a duty by hand; what it found."""
    run = system.temporal.execute_workflow(
        SweepWorkflow.run, duty, id=f"sweep-{uuid.uuid4().hex}", task_queue=names.ORDER_QUEUE
    )
    return system.on_loop(run).found


def terminate(system: System, order_id: str) -> None:
    """What an operator does to a workflow that must go: it runs no code any more."""
    system.on_loop(system.workflow(order_id).terminate("by hand"))


def lapse(system: System, order_id: str) -> None:
    """Let the order's lease run out now."""
    with system.processes["inventory"].database.transaction() as session:
        session.execute(
            text("UPDATE reservation SET lease_until = :past WHERE order_id = :order_id"),
            {"past": _stored(system, datetime.now(UTC) - timedelta(minutes=1)), "order_id": order_id},
        )


def lease_until(system: System, order_id: str) -> datetime:
    """When the order's lease runs out."""
    with system.processes["inventory"].database.reading() as session:
        wanted = text("SELECT lease_until FROM reservation WHERE order_id = :order_id")
        found = session.execute(wanted, {"order_id": order_id}).scalar_one()
    return found if isinstance(found, datetime) else datetime.fromisoformat(found)


def _stored(system: System, instant: datetime) -> Any:
    return instant.isoformat(timespec="microseconds") if system.kind == "sqlite" else instant


def credit(trade: Trade, customer: str) -> str:
    """What the customer's open orders take of its limit."""
    account = ok(trade.system.api("auditor").get(f"/v1/customers/{customer}"))["credit"]
    return str(account["committed"]["amount"])


def history(trade: Trade, order_id: str) -> list[str]:
    """What happened to an order, oldest first."""
    rows = ok(trade.system.api("auditor").get(f"/v1/orders/{order_id}/history", params={"limit": 100}))["rows"]
    return [row["what"] for row in rows]


def test_an_order_whose_workflow_was_terminated_gives_everything_back(trade: Trade) -> None:
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, pump, 3, "50.00")
    order_id = trade.placed(trade.order_body(customer, [{"sku": pump, "quantity": 5}]))["order_id"]
    before = (trade.stock(pump)[warehouse], credit(trade, customer))

    terminate(trade.system, order_id)
    lapse(trade.system, order_id)
    found = sweep(trade.system, "leases")

    assert before == ((3, 3), "500.00")
    assert found["freed"] >= 1
    assert (trade.stock(pump)[warehouse], credit(trade, customer)) == ((3, 0), "0.00")
    order = trade.when_idle(order_id)
    assert {shipment["state"] for shipment in order["shipments"]} == {"cancelled"}
    assert order["phase"] == "failed"
    assert "order_failed" in history(trade, order_id)
    trade.until_audit_is_clean()


def test_a_second_sweep_of_the_same_order_changes_nothing(trade: Trade) -> None:
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, pump, 3, "50.00")
    order_id = trade.placed(trade.order_body(customer, [{"sku": pump, "quantity": 2}]))["order_id"]
    terminate(trade.system, order_id)
    lapse(trade.system, order_id)
    sweep(trade.system, "leases")
    once, events = trade.when_idle(order_id), history(trade, order_id)

    sweep(trade.system, "leases")

    assert {"stock_released", "shipments_cancelled"} <= set(events)
    assert trade.when_idle(order_id) == once
    assert history(trade, order_id) == events


def test_an_order_terminated_on_hold_gives_its_credit_back_although_it_has_no_lease(trade: Trade) -> None:
    customer = trade.customer(credit_limit="1000.00")
    pump = trade.product("pump", "100.00", cost="99.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], pump, 10, "50.00")
    held = trade.placed(trade.order_body(customer, [{"sku": pump, "quantity": 5}]))
    committed = credit(trade, customer)

    def swept() -> None:
        sweep(trade.system, "leases")
        assert trade.order(held["order_id"])["phase"] == "failed"

    terminate(trade.system, held["order_id"])
    eventually(swept)  # Temporal lists what has ended a moment later
    order = trade.when_idle(held["order_id"])

    assert held["status"] == "on_hold"
    assert committed == "500.00"
    assert credit(trade, customer) == "0.00"
    assert not [hold for hold in order["holds"] if hold["released_at"] is None]
    trade.until_audit_is_clean()


def test_a_living_order_keeps_what_it_holds_and_gets_a_new_lease(trade: Trade) -> None:
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, pump, 3, "50.00")
    before = trade.placed(trade.order_body(customer, [{"sku": pump, "quantity": 2}]))
    order_id = before["order_id"]
    lapse(trade.system, order_id)

    found = sweep(trade.system, "leases")

    assert found["renewed"] >= 1
    assert lease_until(trade.system, order_id) > datetime.now(UTC)
    assert trade.stock(pump)[warehouse] == (3, 2)
    assert before["shipments"]
    assert trade.when_idle(order_id) == before


def test_a_workflow_cancelled_by_hand_gives_everything_back_and_says_so(trade: Trade) -> None:
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, pump, 3, "50.00")
    order_id = trade.placed(trade.order_body(customer, [{"sku": pump, "quantity": 2}]))["order_id"]

    trade.system.on_loop(trade.system.workflow(order_id).cancel())
    order = trade.when_idle(order_id)

    assert order["phase"] == "failed"
    assert (trade.stock(pump)[warehouse], credit(trade, customer)) == ((3, 0), "0.00")
    trade.until_audit_is_clean()


def test_the_audit_duty_tells_which_invariants_are_broken(trade: Trade) -> None:
    pump = trade.product("pump", "100.00", cost="50.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, pump, 3, "50.00")
    database = trade.system.processes["inventory"].database
    shift = text("UPDATE stock SET allocated = allocated + :by WHERE sku = :sku")

    def put(by: int) -> None:
        with database.transaction() as session:
            session.execute(shift, {"by": by, "sku": pump})

    trade.until_audit_is_clean()

    clean = sweep(trade.system, "audit")
    put(1)
    trade.afterwards.callback(put, -1)
    broken = sweep(trade.system, "audit")

    assert clean == {}
    assert broken["inventory.allocated_is_held"] == 1


@pytest.fixture
def worker_process(system: System) -> Iterator[subprocess.Popen[str]]:
    """A worker as a machine runs it; it and its schedules go with the test."""
    env = {
        **os.environ,
        **{f"OMS_{name.upper()}_TARGET": f"127.0.0.1:{port}" for name, port in system.ports.items()},
        "OMS_TEMPORAL_TARGET": system.temporal_target,
        "OMS_KEYS_DIR": str(system.folder / "keys"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "workflows"],
        env=env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with ended(process, within_s=150):
        yield process
    for schedule in system.on_loop(schedules(system)):
        system.on_loop(system.temporal.get_schedule_handle(schedule).delete())


async def schedules(system: System) -> dict[str, ScheduleListDescription]:
    """The schedules that Temporal has, by id."""
    return {one.id: one async for one in await system.temporal.list_schedules()}


def test_a_worker_makes_the_schedules_of_the_sweeps(trade: Trade, worker_process: subprocess.Popen[str]) -> None:
    system = trade.system

    async def ran(duty: str) -> bool:
        query = f"WorkflowType = '{names.SWEEP_WORKFLOW}' AND WorkflowId STARTS_WITH 'sweep/{duty}'"
        return bool([run async for run in system.temporal.list_workflows(query)])

    wanted = {f"sweep/{duty}" for duty in EVERY}
    found = wait_for(lambda: got if wanted <= (got := system.on_loop(schedules(system))).keys() else None, "schedules")
    system.on_loop(system.temporal.get_schedule_handle("sweep/audit").trigger())
    wait_for(lambda: system.on_loop(ran("audit")) or None, "a sweep by its schedule")
    worker_process.send_signal(signal.SIGTERM)
    said, _ = worker_process.communicate(timeout=PATIENCE_S)

    assert found.keys() == wanted
    assert worker_process.returncode == 0, said
    assert '"event": "worker.started"' in said
    assert '"process": "worker"' in said
