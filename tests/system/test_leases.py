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
from tests.system.trade import PATIENCE_S, Trade, eventually, key, ok, wait_for
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


def exceptions_of(trade: Trade, order_id: str) -> list[str]:
    """Kinds of the open exceptions of an order."""
    rows = ok(trade.system.api("support").get("/v1/exceptions", params={"order_id": order_id, "state": "open"}))["rows"]
    return [row["kind"] for row in rows]


def wait_for_exception(trade: Trade, order_id: str, *kinds: str) -> None:
    """Sweep until an order has just these exceptions: Temporal lists a moment later what has ended, and young orders are passed over."""

    def swept() -> None:
        sweep(trade.system, "lost")
        assert exceptions_of(trade, order_id) == list(kinds)

    eventually(swept)


def older(system: System, order_id: str) -> None:
    """Let the order have been placed an hour ago."""
    with system.processes["orders"].database.transaction() as session:
        session.execute(
            text("UPDATE sales_order SET placed_at = :past WHERE order_id = :order_id"),
            {"past": _stored(system, datetime.now(UTC) - timedelta(hours=1)), "order_id": order_id},
        )


def repair(trade: Trade, order_id: str) -> str:
    """What support's repair of an order did."""
    return str(ok(trade.system.api("support").post(f"/v1/orders/{order_id}/repair"))["what"])


def placed(trade: Trade, on_hand: int = 3, quantity: int = 2) -> tuple[str, str, str]:
    """An accepted order, its SKU and warehouse."""
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, pump, on_hand, "50.00")
    order_id = trade.placed(trade.order_body(customer, [{"sku": pump, "quantity": quantity}]))["order_id"]
    older(trade.system, order_id)
    return order_id, pump, warehouse


def test_an_order_whose_workflow_was_terminated_keeps_all_is_an_exception_and_goes_on_when_repaired(
    trade: Trade,
) -> None:
    order_id, pump, warehouse = placed(trade)

    terminate(trade.system, order_id)
    lapse(trade.system, order_id)
    freed = sweep(trade.system, "leases")["freed"]
    wait_for_exception(trade, order_id, "workflow_lost")
    kept = trade.order(order_id), trade.stock(pump)[warehouse]
    done = repair(trade, order_id)
    trade.when_idle(order_id)
    after = exceptions_of(trade, order_id)
    trade.send_off(trade.shipments(order_id)[0])
    trade.deliver(trade.shipments(order_id)[0])
    bill = trade.when_idle(order_id)
    trade.pay(bill["customer_id"], bill["totals"]["total"]["amount"])

    assert (freed, kept[0]["phase"], kept[1]) == (0, "accepted", (3, 2))
    assert (done, after) == ("started", [])
    assert trade.when_idle(order_id)["phase"] == "closed"
    assert len([subject for subject in trade.mails(bill["number"]) if "has been accepted" in subject]) == 1
    trade.until_audit_is_clean()


def test_a_workflow_cancelled_by_hand_takes_nothing_from_its_order_and_says_so_at_once(trade: Trade) -> None:
    order_id, pump, warehouse = placed(trade)

    trade.system.on_loop(trade.system.workflow(order_id).cancel())
    order = trade.when_idle(order_id)

    assert (order["phase"], exceptions_of(trade, order_id)) == ("accepted", ["workflow_lost"])
    assert trade.stock(pump)[warehouse] == (3, 2)
    assert repair(trade, order_id) == "started"
    trade.when_idle(order_id)
    assert (exceptions_of(trade, order_id), repair(trade, order_id)) == ([], "woken")
    trade.until_audit_is_clean()


def test_a_cancellation_asked_for_while_no_workflow_runs_is_carried_out_by_the_next_one(trade: Trade) -> None:
    order_id, pump, warehouse = placed(trade)
    terminate(trade.system, order_id)

    path = f"/v1/orders/{order_id}/cancellation"
    asked = trade.system.api("support").post(path, json={"reason": "no need"}, headers=key())
    before = trade.when_idle(order_id)
    repair(trade, order_id)
    order = trade.when_idle(order_id)

    assert (asked.status_code, before["phase"]) == (202, "accepted")
    assert [one["state"] for one in before["cancellations"]] == ["requested"]
    assert (order["phase"], [one["state"] for one in order["cancellations"]]) == ("cancelled", ["done"])
    assert trade.stock(pump)[warehouse] == (3, 0)
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
