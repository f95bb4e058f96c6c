"""Inventory is killed between its commit and its reply: the retry gets the reservation that was made."""

from __future__ import annotations

import sqlite3
import time
import uuid

import pytest

from oms.inventory.v1 import inventory_pb2 as pb
from oms.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from oms.types.v1 import types_pb2 as types
from services.kernel.clock import micros, utc_now
from services.runtime.auth import machine_token
from services.runtime.grpc_client import Unreachable, connect
from services.runtime.settings import ServiceSettings
from tests.faults.journey import Shop
from tests.faults.running import RunningSystem


def test_the_retry_gets_the_reservation_that_was_made(running: RunningSystem, shop: Shop) -> None:
    goods, order_id = shop.goods(units=10), f"ord_{uuid.uuid4().hex}"
    inventory = door(running)
    request = pb.ReserveStockRequest(
        request_id=f"order/{order_id}/reserve/1",
        order_id=order_id,
        lines=[types.LineQuantity(line_id="1", sku=goods.sku, quantity=4)],
        costs=[pb.WarehouseCost(warehouse_id=goods.warehouse_id)],
        placed_at_micros=micros(utc_now()),
        lease_seconds=3600,
    )
    running.points.arm("inventory.ReserveStock.before_reply")

    with pytest.raises(Unreachable):
        inventory.ReserveStock(request)
    made = reservations(running, order_id)
    running.wait_ready()
    again, once_more = patiently(running, inventory, request), patiently(running, inventory, request)

    assert running.points.has_struck("inventory.ReserveStock.before_reply")
    assert len(made) == 1
    assert again.reservation_id == made[0]
    assert again == once_more
    assert reservations(running, order_id) == made
    assert shop.trade().stock(goods.sku) == {goods.warehouse_id: (10, 4)}
    inventory.ReleaseReservation(pb.ReleaseReservationRequest(request_id=f"{order_id}/undo", order_id=order_id))


def patiently(
    running: RunningSystem, inventory: InventoryServiceStub, request: pb.ReserveStockRequest
) -> pb.ReserveStockResponse:
    """Ask as the worker does: again, for at most 30 s, while the service is away."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return inventory.ReserveStock(request)
        except Unreachable:
            running.health.check()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def door(running: RunningSystem) -> InventoryServiceStub:
    """Inventory as the worker calls it."""
    settings = ServiceSettings(keys_dir=running.var / "keys")
    return InventoryServiceStub(connect(f"127.0.0.1:{running.ports.inventory}", machine_token(settings, "worker")))


def reservations(running: RunningSystem, order_id: str) -> list[str]:
    """Ids of the order's reservations, as the tables say."""
    connection = sqlite3.connect(f"file:{running.var}/inventory.db?mode=ro", uri=True, timeout=10)
    try:
        rows = connection.execute("SELECT reservation_id FROM reservation WHERE order_id = ?", (order_id,)).fetchall()
    finally:
        connection.close()
    return [row[0] for row in rows]
