from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.http.plumbing.health import ask_all
from oms.billing.v1 import billing_pb2 as billing
from oms.inventory.v1 import inventory_pb2 as inventory
from oms.types.v1 import types_pb2 as types
from services.runtime.disk import Disk
from services.runtime.grpc_client import Unreachable
from services.runtime.metrics import disk_gauge
from tests.api.conftest import World


async def test_a_system_in_order_is_clean_in_every_row(world: World) -> None:
    audit = (await world.send("GET", "/v1/audit/invariants", "auditor")).json()

    names = {row["name"] for row in audit["rows"]}
    assert audit["is_clean"]
    assert {"billing.answers", "orders.total_adds_up", "between.stock_value_is_inventory_balance"} <= names


async def test_a_service_that_is_away_is_a_violation(world: World) -> None:
    world.inventory.is_away = True

    audit = (await world.send("GET", "/v1/audit/invariants", "admin")).json()

    broken = [row for row in audit["rows"] if row["violations"]]
    assert [row["name"] for row in broken] == ["inventory.answers"]


async def test_what_two_services_say_differently_is_a_violation_that_names_both(world: World) -> None:
    world.validates()
    order_id = (await world.place()).json()["order_id"]
    world.inventory.audit = inventory.AuditResponse(
        stock_value=[types.Money(minor_units=1200, currency="USD")], holding_order_ids=[order_id, "ord_gone"]
    )
    world.billing.audit = billing.AuditResponse(
        inventory_balance=[types.Money(minor_units=1100, currency="USD")],
        committed_order_ids=["ord_lost"],
        billed=[billing.OrderBilled(order_id=order_id, total=types.Money(minor_units=142_458, currency="USD"))],
    )

    audit = (await world.send("GET", "/v1/audit/invariants", "auditor")).json()

    broken = {row["name"]: row["offenders"] for row in audit["rows"] if row["violations"]}
    assert broken == {
        "between.stock_value_is_inventory_balance": ["USD: stock 12.00 USD, books 11.00 USD"],
        "between.ended_orders_hold_no_stock": ["ord_gone"],
        "between.ended_orders_hold_no_credit": ["ord_lost"],
        "between.invoices_sum_to_order": ["SO-1001: billed 1424.58 USD of 1424.57 USD"],
    }


async def test_the_process_tells_whether_it_lives_and_is_ready(world: World) -> None:
    alive, ready = await world.send("GET", "/healthz"), await world.send("GET", "/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (
        200,
        {"is_ready": True, "status": "ok", "warnings": {}, "checks": {"database": "ok"}},
    )


@pytest.mark.parametrize(
    ("away", "free_below", "status", "said"),
    [
        (False, 1 << 60, (200, "degraded"), "disk"),
        (True, 0, (503, "degraded"), "billing"),
        (True, 1 << 60, (503, "degraded"), "billing"),
    ],
)
async def test_readiness_says_degraded_and_which_part_and_orders_are_read_all_the_same(
    world: World, tmp_path: Path, away: bool, free_below: int, status: tuple[int, str], said: str
) -> None:
    def probe() -> None:
        if away:
            raise Unreachable("it does not answer")

    world.validates()
    order_id = (await world.place()).json()["order_id"]
    world.app.state.deps = replace(world.app.state.deps, disk=Disk(tmp_path, free_below), probes={"billing": probe})

    ready, order = await world.send("GET", "/readyz"), await world.send("GET", f"/v1/orders/{order_id}", "admin")

    answer = ready.json()
    assert (ready.status_code, answer["status"]) == status
    assert {**answer["warnings"], **{name: text for name, text in answer["checks"].items() if text != "ok"}}[said]
    assert ("disk" in answer["warnings"]) == bool(free_below)
    assert order.status_code == 200


def test_a_disk_warns_below_its_threshold_and_where_nothing_is_known_never(tmp_path: Path) -> None:
    enough, little, unknown = Disk(tmp_path, 0), Disk(tmp_path, 1 << 60), Disk(None, 1 << 60)

    assert (enough.warning(), unknown.warning(), unknown.free_bytes()) == ("", "", None)
    assert "MiB are free on the disk of" in little.warning()
    assert [gauge.name for gauge in disk_gauge(little)] == ["oms_disk_free_bytes", "oms_disk_warn_bytes"]
    assert list(disk_gauge(unknown)) == []


def test_a_check_that_does_not_come_back_is_told_and_not_waited_for() -> None:
    is_asked = threading.Event()

    def hang() -> None:
        is_asked.wait(60)

    outcomes = ask_all({"database": lambda: None, "temporal": hang}, within_s=2)
    is_asked.set()

    assert outcomes == {"database": "ok", "temporal": "no answer in time"}


async def test_metrics_count_orders_requests_and_what_waits(world: World) -> None:
    world.validates()
    await world.place()
    await world.send("GET", "/v1/nowhere/at/all")

    text = (await world.send("GET", "/metrics")).text

    assert 'oms_orders{status="accepted"} 1.0' in text
    assert 'oms_open_exceptions{kind="workflow_lost"} 0.0' in text
    assert 'oms_http_request_seconds_count{operation="POST /v1/orders",status="201"} 1.0' in text
    assert 'operation="unknown",status="404"' in text
    assert "oms_outbox_waiting " in text
    assert "oms_late_facts 0.0" in text
