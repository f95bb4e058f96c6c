"""Receipts, releases, counts, allocations and changes of policy at once: every invariant holds after each of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import pytest

from oms.inventory.v1 import allocation_pb2 as pb
from services.kernel.errors import Conflict, DomainError, NotFound, Refused
from tests import threads
from tests.inventory.stockroom import Stockroom

pytestmark = pytest.mark.on_postgres

SKUS = ("A", "B", "C", "D")
TIERS = ("top", "middle", "even", "low", "last")
CLASSES = ("win", "gain", "redistribute", "fill", "lose")


class Market:
    """Orders that want a few SKUs, and what may happen to them and to the stock."""

    def __init__(self, stockroom: Stockroom, seed: int) -> None:
        self.stockroom = stockroom
        self.chance = random.Random(seed)
        self.orders: list[str] = []
        self.policy()
        stockroom.fill_on()

    def act(self, number: int) -> Callable[[], object]:
        """An operation by chance, all of it decided before the race."""
        chance, room = self.chance, self.stockroom
        sku, place, units = chance.choice(SKUS), chance.choice(("w1", "w2")), chance.randint(1, 6)
        order_id = chance.choice(self.orders) if self.orders else "o-none"
        kind = chance.choices(
            ("reserve", "receive", "release", "count", "change", "expedite", "serve", "policy"),
            (35, 20, 10, 12, 8, 4, 10, 1),
        )[0]
        if kind == "reserve":
            return self.reserve(number)
        acts: dict[str, Callable[[], object]] = {
            "receive": partial(room.receive, place, sku, units, key=f"receive/{number}"),
            "release": partial(room.release, order_id),
            "count": partial(
                room.adjust, place, sku, chance.choice((-2, -1, 1, 2)), standard="1.00", key=f"count/{number}"
            ),
            "change": partial(
                room.change, order_id, {"l1": (sku, units)}, key=f"change/{number}", customer_tier="even"
            ),
            "expedite": partial(self.expedite, order_id, is_expedited=chance.random() < 0.6),
            "serve": self.serve,
            "policy": self.policy,
        }
        return acts[kind]

    def reserve(self, number: int) -> Callable[[], object]:
        chance = self.chance
        order_id = f"o{number:04}"
        self.orders.append(order_id)
        wanted = {
            f"l{place}": (sku, chance.randint(1, 5))
            for place, sku in enumerate(chance.sample(SKUS, chance.randint(1, 3)))
        }
        return partial(
            self.stockroom.reserve, order_id, wanted, key=f"order/{number}", placed_days=chance.randint(0, 9),
            tier=chance.choice(TIERS), is_order_complete=chance.random() < 0.4,
            requested_on=chance.choice(("", "2026-03-04", "2026-03-20")),
        )  # fmt: skip

    def expedite(self, order_id: str, *, is_expedited: bool) -> object:
        request = pb.ExpediteOrderRequest(order_id=order_id, is_expedited=is_expedited)
        return self.stockroom.servicer.ExpediteOrder(request, None)

    def serve(self) -> object:
        self.stockroom.look_for_overdue()
        return self.stockroom.fill_batch()

    def policy(self) -> object:
        tiers = [
            pb.TierTerms(tier=tier, allocation_class=name, delivery="line_complete" if tier == "middle" else "partial")
            for tier, name in zip(TIERS, CLASSES, strict=True)
        ]
        # goods are over age at once, or never
        policy = pb.AllocationPolicy(tiers=tiers, freeze_days=self.chance.choice((0, None)))
        return self.stockroom.servicer.PutAllocationPolicy(pb.PutAllocationPolicyRequest(policy=policy), None)

    def tried(self, act: Callable[[], object]) -> dict[str, list[str]]:
        """Do it, refused or not; whatever does not hold then."""
        try:
            act()
        except (Conflict, Refused, NotFound):
            pass
        except DomainError as wrong:
            if wrong.reason not in ("LINE_SKU_CHANGED", "WAREHOUSES_MISSING"):
                raise
        return self.stockroom.broken()


def race(stockroom: Stockroom, operations: int, seed: int) -> None:
    market = Market(stockroom, seed)
    acts = [market.act(number) for number in range(operations)]

    found = threads.at_once([partial(market.tried, act) for act in acts], threads=8, within_s=1200)
    stockroom.fill_on()

    assert [one for one in found if one] == []
    assert stockroom.broken() == {}
    assert stockroom.fill_on() == 0


def test_100_operations_at_once_break_nothing(stockroom: Stockroom) -> None:
    race(stockroom, 100, seed=1)


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_2000_operations_at_once_break_nothing(stockroom: Stockroom) -> None:
    race(stockroom, 2000, seed=2)
