from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PLACE_TURN = [
    "billing.CommitCredit",
    "orders.ValidateOrder",
    "inventory.ReserveStock",
    "fulfillment.ReleaseShipments",
    "orders.RecordOrder",
]
SHIPPED_TURN = ["inventory.ShipStock", "billing.IssueInvoice"]


@dataclass(frozen=True)
class Traced:
    """What one traced run of the system left behind."""

    order_id: str
    spans: list[dict[str, Any]]
    logs: list[dict[str, Any]]

    def one(self, name: str) -> dict[str, Any]:
        """The only span of this name."""
        (span,) = [span for span in self.spans if span["name"] == name]
        return span

    def order(self) -> list[dict[str, Any]]:
        """The spans of the trace that began with the request that placed the order."""
        trace = self.one("POST /v1/orders")["trace"]
        return [span for span in self.spans if span["trace"] == trace]

    def path(self, span: dict[str, Any]) -> list[str]:
        """Names from the root of the trace down to the span."""
        by_id = {one["span"]: one for one in self.order()}
        above: Iterator[str] = iter(self.path(by_id[span["parent"]]) if span["parent"] else [])
        return [*above, span["name"]]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    folder = tmp_path_factory.mktemp("traced")
    command = [sys.executable, "-m", "tests.telemetry.traced", str(folder)]
    here = Path(__file__).parents[2]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=170, cwd=here)
    assert run.returncode == 0, run.stderr[-3000:]
    notified = json.loads((folder / "spans.json").read_text())
    logs = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    return Traced(notified["order_id"], notified["spans"], logs)


def test_one_trace_leads_from_the_request_to_the_statement(traced: Traced) -> None:
    statements = [span for span in traced.order() if span["name"] == "INSERT"]

    path_to_stock = [
        "POST /v1/orders",
        "StartUpdateWithStartWorkflow:OrderWorkflow",
        "StartActivity:inventory.ReserveStock",
        "RunActivity:inventory.ReserveStock",
        "/oms.inventory.v1.InventoryService/ReserveStock",
        "/oms.inventory.v1.InventoryService/ReserveStock",
        "INSERT",
    ]
    assert path_to_stock in [traced.path(statement) for statement in statements]


def test_every_step_is_in_the_order_s_trace_with_its_calls_and_statements(traced: Traced) -> None:
    spans = traced.order()
    steps = [span for span in spans if span["name"].startswith("RunActivity:")]

    assert [step["name"].removeprefix("RunActivity:") for step in steps] == [*PLACE_TURN, *SHIPPED_TURN]
    for step in steps:
        service, action = step["name"].removeprefix("RunActivity:").split(".")
        method = f"/oms.{service}.v1.{service.capitalize()}Service/{action}"
        client = next(span for span in spans if span["parent"] == step["span"] and span["name"] == method)
        server = next(span for span in spans if span["parent"] == client["span"])
        beneath = [span for span in spans if span["parent"] == server["span"]]
        assert (client["kind"], server["name"], server["kind"]) == ("CLIENT", method, "SERVER")
        assert "SELECT" in {span["name"] for span in beneath}
        assert server["attributes"]["oms.order_id"] == traced.order_id
        assert server["attributes"]["oms.request_id"].startswith(f"order/{traced.order_id}/")


def test_the_workflow_itself_and_what_wakes_it_are_in_the_trace(traced: Traced) -> None:
    names = {span["name"] for span in traced.order()}

    assert {"RunWorkflow:OrderWorkflow", "HandleUpdate:place", "HandleSignal:shipment_shipped"} <= names


def test_a_span_of_sql_carries_the_statement_and_no_values(traced: Traced) -> None:
    texts = [span["attributes"].get("db.query.text", "") for span in traced.order()]

    assert any("FROM sales_order" in text for text in texts)
    assert not any(traced.order_id in text or "buyer-" in text for text in texts)


def test_a_polling_relay_and_health_checks_begin_no_trace(traced: Traced) -> None:
    roots = {span["name"] for span in traced.spans if not span["parent"]}

    assert not roots & {"BEGIN", "SELECT", "UPDATE", "INSERT", "connect", "PRAGMA"}
    assert not any("Health" in name for name in roots)


def test_log_lines_of_every_step_carry_the_trace_and_the_order(traced: Traced) -> None:
    trace = traced.one("POST /v1/orders")["trace"]
    lines = [line for line in traced.logs if line.get("trace_id") == trace]

    notified = {line["event"] for line in lines}
    assert {
        "credit.decided",
        "order.validated",
        "reservation.created",
        "shipments.released",
        "order.recorded",
    } <= notified
    assert {line["order_id"] for line in lines} == {traced.order_id}
    assert {line["process"] for line in lines} == {"everything"}


def test_a_log_names_no_mailbox(traced: Traced) -> None:
    assert not [line for line in traced.logs if "@" in json.dumps(line)]
