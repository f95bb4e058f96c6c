"""(e) How long goods and an announcement for a SKU that thousands wait for take, and what everybody else waits meanwhile.

Inventory alone, on a SQLite file of its own, with the thread that fills long queues: what its other callers notice is its own doing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.figures import milliseconds, percentile
from oms.inventory.v1 import inventory_pb2 as pb
from oms.types.v1 import types_pb2
from services.inventory.filler import QueueFiller
from services.inventory.servicer import InventoryServicer
from services.runtime.db import Database
from services.runtime.migrations import database_of
from services.runtime.telemetry import configure_logs

TARGET_S = 1.0
TARGET_RATIO = 2.0
WITHIN_S = 300.0
_PLACE, _HOT, _OTHER = "wh_bench", "HOT", "OTHER"
_PAUSE_S = 0.005
_ALONE = 300


def measure(waiting: int) -> dict[str, Any]:
    """Seconds until answered and until the last of `waiting` orders is served, and how others' reservations fare, alone and meanwhile."""
    configure_logs("bench", "ERROR")
    with tempfile.TemporaryDirectory() as folder:
        database = database_of("inventory", f"sqlite:///{Path(folder) / 'inventory.db'}")
        database.migrate()
        filler = QueueFiller(database)
        try:
            stock = _Stock(database)
            stock.queue_up(waiting)
            alone = [stock.reserve_other() for _ in range(_ALONE)]
            filler.start()
            announced, goods = (
                stock.served(lambda: stock.expect(waiting)),
                stock.served(lambda: stock.receive(_HOT, waiting)),
            )
        finally:
            filler.stop()
            database.close()
    return {
        "waiting": waiting,
        "target_s": TARGET_S,
        "target_ratio": TARGET_RATIO,
        "alone_p99_ms": milliseconds(percentile(alone, 99)),
        "announcement": announced,
        "goods": goods,
    }


class _Stock:
    """The inventory service without its server, asked by one caller after the other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._service = InventoryServicer(database)
        self._asked = 0
        place = pb.Warehouse(warehouse_id=_PLACE, name="Bench", kind="own", is_active=True)
        self._service.PutWarehouse(pb.PutWarehouseRequest(warehouse=place), None)
        self.receive(_OTHER, 10**6)

    def _key(self) -> str:
        self._asked += 1
        return f"bench/{self._asked}"

    def receive(self, sku: str, units: int) -> None:
        """Goods in."""
        request = pb.ReceiveStockRequest(
            request_id=self._key(), warehouse_id=_PLACE, sku=sku, quantity=units, unit_cost="1.00", currency="USD"
        )
        self._service.ReceiveStock(request, None)

    def expect(self, units: int) -> None:
        """An announcement that gives everybody in the queue a day."""
        request = pb.ExpectReceiptRequest(
            request_id=self._key(), warehouse_id=_PLACE, sku=_HOT, quantity=units, expected_on="2030-01-01"
        )
        self._service.ExpectReceipt(request, None)

    def queue_up(self, orders: int) -> None:
        """So many orders that wait for one unit each."""
        for number in range(orders):
            self._reserve(_HOT, number)

    def reserve_other(self) -> float:
        """What somebody else's reservation takes, in seconds."""
        began = time.perf_counter()
        self._reserve(_OTHER, self._asked)
        took = time.perf_counter() - began
        time.sleep(_PAUSE_S)
        return took

    def served(self, act: Callable[[], None]) -> dict[str, float]:
        """Do it, and reserve for others until the last batch is done."""
        began = time.perf_counter()
        act()
        answered = time.perf_counter() - began
        others = [self.reserve_other()]
        while self._is_any_left() and time.perf_counter() - began < WITHIN_S:
            others.append(self.reserve_other())
        return {
            "answered_s": round(answered, 3),
            "served_s": round(time.perf_counter() - began, 2),
            "others_p99_ms": milliseconds(percentile(others, 99)),
        }

    def _is_any_left(self) -> bool:
        with self._database.reading() as session:
            left = "SELECT EXISTS (SELECT 1 FROM unfilled) OR EXISTS (SELECT 1 FROM unnotified)"
            return bool(session.connection().exec_driver_sql(left).scalar_one())

    def _reserve(self, sku: str, number: int) -> None:
        request = pb.ReserveStockRequest(
            request_id=self._key(),
            order_id=f"{sku}-{number}",
            lines=[types_pb2.LineQuantity(line_id="1", sku=sku, quantity=1)],
            costs=[pb.WarehouseCost(warehouse_id=_PLACE, cost_minor=900)],
            placed_at_micros=number,
        )
        self._service.ReserveStock(request, None)
