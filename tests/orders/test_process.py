from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from gateway.server import HttpServer
from oms.orders.v1 import orders_pb2 as pb
from oms.orders.v1 import orders_pb2_grpc as rpc
from services.kernel.errors import NotFound
from services.orders.__main__ import OrdersProcess, assemble
from services.orders.settings import Settings
from services.runtime.auth import machine_token
from services.runtime.grpc_client import connect
from services.runtime.grpc_server import AddressTaken
from services.runtime.migrations import DatabaseNotCurrent


def settings(folder: Path, http_listen: str = "127.0.0.1:0") -> Settings:
    return Settings(
        database_url=f"sqlite:///{folder}/orders.db",
        listen="127.0.0.1:0",
        http_listen=http_listen,
        keys_dir=folder / "keys",
        temporal_target="127.0.0.1:1",
        inventory_target="127.0.0.1:1",
        fulfillment_target="127.0.0.1:1",
        billing_target="127.0.0.1:1",
        notifications_target="127.0.0.1:1",
    )


@pytest.fixture
def process(tmp_path: Path) -> Iterator[OrdersProcess]:
    process = assemble(settings(tmp_path))
    process.database.migrate()
    process.start()
    yield process
    process.stop(0.1)


def test_it_serves_grpc_and_http_while_everything_else_is_away(process: OrdersProcess, tmp_path: Path) -> None:
    token = machine_token(settings(tmp_path), "worker")
    orders = rpc.OrdersServiceStub(connect(f"127.0.0.1:{process.port}", token))

    with pytest.raises(NotFound):
        orders.GetOrder(pb.GetOrderRequest(order_id="ord_none"))
    invariants = orders.Audit(pb.AuditRequest()).invariants

    assert {row.violations for row in invariants} == {0}
    assert httpx.get(f"http://127.0.0.1:{process.http.port}/healthz", timeout=60).json() == {"status": "ok"}
    readiness = httpx.get(f"http://127.0.0.1:{process.http.port}/readyz", timeout=60)
    assert readiness.status_code == 503
    assert readiness.json()["checks"]["database"] == "ok"
    assert readiness.json()["checks"]["temporal"] != "ok"


def test_a_connection_that_was_quiet_for_as_long_as_clients_keep_one_is_still_good(process: OrdersProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", process.http.port, timeout=30)
    connection.auto_open = 0
    connection.connect()
    connection.request("GET", "/healthz")
    first = connection.getresponse().read()

    time.sleep(6)  # httpx and uvicorn both give up after five seconds unless told otherwise
    connection.request("GET", "/healthz")

    assert connection.getresponse().read() == first
    connection.close()


def test_an_empty_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    process = assemble(settings(tmp_path))

    with pytest.raises(DatabaseNotCurrent, match="oms up"):
        process.start()


def test_a_taken_http_port_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(AddressTaken, match="OMS_HTTP_LISTEN"):
            assemble(settings(tmp_path, f"127.0.0.1:{taken.getsockname()[1]}"))


def test_an_http_port_is_taken_before_anything_is_served_from_it() -> None:
    first = HttpServer(FastAPI(), "127.0.0.1:0")

    with pytest.raises(AddressTaken, match="OMS_HTTP_LISTEN"):
        HttpServer(FastAPI(), f"127.0.0.1:{first.port}")

    first.stop()


def test_an_http_port_that_is_bound_but_not_yet_listened_on_is_lost_to_who_listens_first() -> None:
    with socket.socket() as early:
        early.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        early.bind(("127.0.0.1", 0))
        server = HttpServer(FastAPI(), f"127.0.0.1:{early.getsockname()[1]}")

        with pytest.raises(OSError, match="in use"):
            early.listen()

    server.stop()
