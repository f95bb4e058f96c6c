"""Counts beside ships, orders, receipts and cancellations at once: every invariant holds after each of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from oms.inventory.v1 import counts_pb2 as pb
from services.kernel.errors import Conflict, Refused
from tests import threads
from tests.inventory.stockroom import Stockroom

pytestmark = pytest.mark.on_postgres

SKUS = ("A", "B")


class Floor:
    """Orders that want two SKUs of two warehouses, and people who ship and count them."""

    def __init__(self, room: Stockroom, seed: int) -> None:
        self.room = room
        self.chance = random.Random(seed)
        self.orders: list[str] = []
        for sku in SKUS:
            room.receive("w1", sku, 12)
            room.receive("w2", sku, 6)

    def act(self, number: int) -> Callable[[], object]:
        """An operation by chance, all of it decided before the race."""
        chance, room = self.chance, self.room
        sku, place, units = chance.choice(SKUS), chance.choice(("w1", "w2")), chance.randint(0, 9)
        order_id = chance.choice(self.orders) if self.orders else "o-none"
        kind = chance.choices(("reserve", "count", "ship", "receive", "release"), (30, 30, 22, 12, 6))[0]
        if kind == "reserve":
            self.orders.append(f"o{number:04}")
            wanted = {f"l{at}": (one, chance.randint(1, 4)) for at, one in enumerate(SKUS)}
            return partial(
                room.reserve, self.orders[-1], wanted, {"w1": 900, "w2": 1000}, key=f"order/{number}",
                placed_days=chance.randint(0, 9), is_order_complete=chance.random() < 0.3,
            )  # fmt: skip
        acts: dict[str, Callable[[], object]] = {
            "count": partial(self.count, place, sku, units, f"count/{number}"),
            "ship": partial(self.ship, order_id, place, f"shp{number}"),
            "receive": partial(room.receive, place, sku, units + 1, key=f"receive/{number}"),
            "release": partial(room.release, order_id),
        }
        return acts[kind]

    def count(self, place: str, sku: str, units: int, key: str) -> object:
        """Every other holder's goods are released, every fourth one's picked, as far as the books know."""
        found = self.room.servicer.ListHolders(pb.ListHoldersRequest(warehouse_id=place, sku=sku), None).holders
        carried = [
            pb.CarriedUnits(
                order_id=one.order_id,
                line_id=one.line_id,
                released_quantity=one.held_quantity if number % 2 else 0,
                picked_quantity=0 if number % 4 else one.held_quantity,
            )
            for number, one in enumerate(found)
        ]
        request = pb.CountStockRequest(
            request_id=key, warehouse_id=place, sku=sku, counted=units, reason="cycle count", counted_by="lee",
            carried=carried, standard_cost="1.00", standard_currency="USD",
        )  # fmt: skip
        return self.room.servicer.CountStock(request, None)

    def ship(self, order_id: str, place: str, shipment_id: str) -> object:
        """What the order held a moment ago: a count may have taken it since."""
        held = self.room.held(order_id)
        lines = {line: (SKUS[int(line[1:])], units) for (line, at), units in held.items() if at == place}
        return self.room.ship(order_id, shipment_id, place, lines, key=shipment_id) if lines else None

    def tried(self, act: Callable[[], object]) -> dict[str, list[str]]:
        """Do it, refused or not; whatever does not hold then."""
        with suppress(Conflict, Refused):
            act()
        return self.room.broken()


def race(room: Stockroom, operations: int, seed: int) -> None:
    floor = Floor(room, seed)
    acts = [floor.act(number) for number in range(operations)]

    found = threads.at_once([partial(floor.tried, act) for act in acts], threads=8, within_s=1200)
    room.fill_on()

    assert [one for one in found if one] == []
    assert room.broken() == {}
    for sku in SKUS:
        assert all(0 <= allocated <= on_hand for on_hand, allocated in room.stock(sku).values())


def test_60_counts_ships_and_orders_at_once_break_nothing(stockroom: Stockroom) -> None:
    race(stockroom, 60, seed=1)


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_1000_counts_ships_and_orders_at_once_break_nothing(stockroom: Stockroom) -> None:
    race(stockroom, 1000, seed=2)
