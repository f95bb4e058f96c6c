from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from tests.system.conftest import KINDS
from tests.system.harness import System
from tests.system.trade import Trade


class SystemWithoutTemporal(System):
    """The whole system, but nobody listens where Temporal should be until it comes."""

    async def _start_temporal(self) -> None:
        """No Temporal yet."""

    async def start_worker(self) -> None:
        """No worker without Temporal."""

    async def temporal_comes(self) -> None:
        """Temporal and a worker are there at last."""
        await super()._start_temporal()
        await super().start_worker()


@pytest.fixture(params=KINDS)
def lonely(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemWithoutTemporal]:
    """A system of its own that waits for Temporal."""
    with SystemWithoutTemporal(tmp_path_factory.mktemp("lonely"), request.param) as system:
        yield system


@pytest.mark.on_postgres
def test_an_order_placed_while_temporal_is_away_is_kept_and_starts_by_itself(lonely: SystemWithoutTemporal) -> None:
    trade = Trade(lonely)
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], pump, 5, "50.00")
    body = trade.order_body(customer, [{"sku": pump, "quantity": 2}])

    placed = trade.place(body, idempotency_key="away-1")
    kept = trade.order(placed.json()["order_id"])
    repeated = trade.place(body, idempotency_key="away-1")
    readiness = lonely.api("admin").get("/readyz")
    lonely.on_loop(lonely.temporal_comes())
    order = trade.when_idle(kept["order_id"])
    replayed = trade.place(body, idempotency_key="away-1")

    assert placed.status_code == 202
    assert (kept["status"], kept["phase"]) == ("received", "received")
    assert readiness.status_code == 503
    assert readiness.json()["checks"]["temporal"] != "ok"
    assert (order["status"], order["lines"][0]["quantities"]["allocated"]) == ("in_fulfilment", 2)
    for again in (repeated, replayed):
        assert (again.status_code, again.json()) == (202, placed.json())
        assert again.headers["Idempotent-Replayed"] == "true"
    assert len(trade.mails(order["number"])) >= 1
    trade.until_audit_is_clean()


def steps(history: WorkflowHistory) -> int:
    """How many steps a workflow took: each leaves one marker, also where a busy service has to be asked once more."""
    return sum(event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED for event in history.events)


def test_an_order_goes_on_after_its_worker_was_replaced(trade: Trade) -> None:
    system = trade.system
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], pump, 5, "50.00")
    order_id = trade.placed(trade.order_body(customer, [{"sku": pump, "quantity": 2}]))["order_id"]

    system.on_loop(system.worker.shutdown())
    try:
        shipment = trade.send_off(trade.shipments(order_id)[0])
        unattended = trade.until(order_id, lambda order: order["shipments"][0]["state"] == "shipped", "shipping")
    finally:
        system.on_loop(system.start_worker())
    billed = trade.when_idle(order_id)
    trade.deliver(shipment)
    trade.pay(customer, unattended["totals"]["total"]["amount"])
    order = trade.when_idle(order_id)

    history = system.on_loop(system.workflow(order_id).fetch_history())
    assert (unattended["axes"]["billing"], billed["axes"]["billing"]) == ("none", "full")
    assert (order["status"], len(order["invoices"])) == ("completed", 1)
    # credit, rules, reserve, release, accepted; off stock, invoice; is all of it done, closed
    assert steps(history) == 9
    trade.until_audit_is_clean()


def test_a_temporal_that_takes_calls_and_answers_none_does_not_hold_up_the_caller(
    lonely: SystemWithoutTemporal,
) -> None:
    """Temporal is silent until the caller has its answer: one that waited for it would get none."""
    trade = Trade(lonely)
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], pump, 5, "50.00")
    body = trade.order_body(customer, [{"sku": pump, "quantity": 2}])

    with socket.create_server(("127.0.0.1", lonely.temporal_port)):
        placed = trade.place(body)
    lonely.on_loop(lonely.temporal_comes())
    order = trade.when_idle(placed.json()["order_id"])

    assert placed.status_code == 202
    assert order["status"] == "in_fulfilment"
    trade.until_audit_is_clean()
