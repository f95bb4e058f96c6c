from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from temporalio.client import Client

from bench.ports import free_port
from tests.system.harness import System
from tests.system.trade import Trade, ok
from tests.temporal import temporal_environment
from workflows.client import telemetry_interceptors

HANGS_S = 15
"""A call of Temporal is given up after three seconds; a machine that stands still may take some more, an answer that never comes all of them."""


class SystemWithoutTemporal(System):
    """The whole system, but nobody listens where Temporal should be until it comes."""

    async def _start_temporal(self) -> None:
        self.temporal_port = free_port()
        self.temporal_target = f"127.0.0.1:{self.temporal_port}"

    async def start_worker(self) -> None:
        """No worker without Temporal."""

    async def temporal_comes(self) -> None:
        """Temporal and a worker are there at last."""
        await self._stack.enter_async_context(temporal_environment(skips_time=False, port=self.temporal_port))
        self.temporal = await Client.connect(self.temporal_target, interceptors=telemetry_interceptors())
        await super().start_worker()


@pytest.fixture(params=["sqlite", "postgres"])
def lonely(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemWithoutTemporal]:
    with SystemWithoutTemporal(tmp_path_factory.mktemp("lonely"), request.param) as system:
        yield system


def test_an_order_placed_while_temporal_is_away_is_kept_and_starts_by_itself(lonely: SystemWithoutTemporal) -> None:
    trade = Trade(lonely)
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], pump, 5, "50.00")
    body = trade.order_body(customer, [{"sku": pump, "quantity": 2}])

    started = time.monotonic()
    placed = trade.place(body, idempotency_key="away-1")
    took_s = time.monotonic() - started
    kept = trade.order(placed.json()["order_id"])
    repeated = trade.place(body, idempotency_key="away-1")
    readiness = lonely.api("admin").get("/readyz")
    lonely.on_loop(lonely.temporal_comes())
    order = trade.until_released(kept["order_id"])
    replayed = trade.place(body, idempotency_key="away-1")

    print(f"202 after {took_s:.2f} s")
    assert placed.status_code == 202
    assert took_s < HANGS_S
    assert (kept["status"], kept["phase"]) == ("received", "received")
    assert readiness.status_code == 503
    assert readiness.json()["checks"]["temporal"] != "ok"
    assert order["lines"][0]["quantities"]["allocated"] == 2
    for again in (repeated, replayed):
        assert (again.status_code, again.json()) == (202, placed.json())
        assert again.headers["Idempotent-Replayed"] == "true"
    assert len(trade.mails(order["number"])) >= 1
    trade.until_audit_is_clean()


def test_an_order_goes_on_after_its_worker_was_replaced(trade: Trade) -> None:
    system = trade.system
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], pump, 5, "50.00")
    order_id = ok(trade.place(trade.order_body(customer, [{"sku": pump, "quantity": 2}])))["order_id"]
    trade.until(order_id, lambda order: bool(order["shipments"]), "release")

    system.on_loop(system.worker.shutdown())
    shipment = trade.send_off(trade.shipments(order_id)[0])
    unattended = trade.until(order_id, lambda order: order["shipments"][0]["state"] == "shipped", "shipping")
    system.on_loop(system.start_worker())
    trade.until(order_id, lambda order: order["axes"]["billing"] == "full", "the invoice")
    trade.deliver(shipment)
    trade.pay(customer, unattended["totals"]["total"]["amount"])
    trade.until(order_id, lambda order: order["status"] == "completed", "completion")

    history = system.on_loop(system.workflow(order_id).describe())
    assert unattended["axes"]["billing"] == "none"
    assert history.history_length <= 30
    trade.until_audit_is_clean()


def test_a_temporal_that_takes_calls_and_answers_none_does_not_hold_up_the_caller(
    lonely: SystemWithoutTemporal,
) -> None:
    trade = Trade(lonely)
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], pump, 5, "50.00")
    body = trade.order_body(customer, [{"sku": pump, "quantity": 2}])

    with socket.create_server(("127.0.0.1", lonely.temporal_port)):
        started = time.monotonic()
        placed = trade.place(body)
        took_s = time.monotonic() - started
    lonely.on_loop(lonely.temporal_comes())
    trade.until(placed.json()["order_id"], lambda order: order["status"] == "in_fulfilment", "start")

    print(f"202 after {took_s:.2f} s")
    assert placed.status_code == 202
    assert took_s < HANGS_S
    trade.until_audit_is_clean()
