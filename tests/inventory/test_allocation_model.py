"""The queue against a plain model of it: whatever happens in whatever order, both give the same units to the same orders."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.inventory.v1 import allocation_pb2 as pb
from services.inventory.domain.allocation_policy import CLASSES, LINE_COMPLETE, PARTIAL, Rank
from services.inventory.domain.backorders import Frozen, Place, Waiting
from services.inventory.domain.distribution import distribute, shares
from services.inventory.domain.tariffs import Candidate
from tests.inventory.stockroom import Stockroom

PLACES = ("w1", "w2")
TIERS = ("gold", "silver", "none")


@dataclass
class Wish:
    """An order of the model: what sorts it, where it may be served from, and what it has."""

    tier: str
    day: str
    placed: int
    place: str
    waiting: int
    held: int = 0
    is_urgent: bool = False

    def key(self, name: str) -> tuple[int, bool, int, str, int, str]:
        rank = TIERS.index(self.tier)
        classes = {"gold": 0, "silver": 1, "none": 1}
        return (
            classes[self.tier],
            not self.is_urgent,
            rank,
            self.day or f"2026-03-{1 + self.placed:02}",
            self.placed,
            name,
        )


@dataclass
class Model:
    """Stock and orders in dictionaries. Gold comes first and is served whole lines only."""

    free: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PLACES, 0))
    orders: dict[str, Wish] = field(default_factory=dict)

    def serve(self) -> None:
        for name in sorted(self.orders, key=lambda one: self.orders[one].key(one)):
            wish = self.orders[name]
            if wish.tier != "gold" or self.free[wish.place] >= wish.waiting:
                given = min(wish.waiting, self.free[wish.place])
                wish.waiting -= given
                wish.held += given
                self.free[wish.place] -= given


class Walk:
    """A service and the model of it, to which the same happens; SKUs and orders of its own."""

    def __init__(self, stockroom: Stockroom, seed: int) -> None:
        self.room, self.model, self.chance = stockroom, Model(), random.Random(seed)
        self.sku, self.prefix = f"S{seed}", f"{seed}-"

    def step(self, number: int) -> None:
        """One thing that happens, and what the model makes of it."""
        names = sorted(self.model.orders)
        acts = [self.receive, self.order, self.order] + [self.release, self.ship, self.expedite, self.count] * bool(
            names
        )
        self.chance.choice(acts)(number)
        self.model.serve()
        self.compare()

    def receive(self, _number: int) -> None:
        place, units = self.chance.choice(PLACES), self.chance.randint(1, 9)
        self.room.receive(place, self.sku, units)
        self.model.free[place] += units

    def order(self, number: int) -> None:
        chance, name = self.chance, f"{self.prefix}{number:03}"
        wish = Wish(
            chance.choice(TIERS), chance.choice(("", "2026-03-02", "2026-04-01")), chance.randint(0, 8), chance.choice(PLACES),
            chance.randint(1, 9),
        )  # fmt: skip
        self.room.reserve(
            name, {"l1": (self.sku, wish.waiting)}, {wish.place: 900}, placed_days=wish.placed, tier=wish.tier,
            requested_on=wish.day,
        )  # fmt: skip
        self.model.orders[name] = wish

    def release(self, _number: int) -> None:
        name = self.chance.choice(sorted(self.model.orders))
        gone = self.model.orders.pop(name)
        assert self.room.release(name) == (gone.held, gone.waiting)
        self.model.free[gone.place] += gone.held

    def ship(self, number: int) -> None:
        name = self.chance.choice(sorted(self.model.orders))
        wish = self.model.orders[name]
        if wish.held:
            self.room.ship(name, f"{name}/{number}", wish.place, {"l1": (self.sku, wish.held)})
            wish.held = 0
            if not wish.waiting:
                del self.model.orders[name]

    def expedite(self, _number: int) -> None:
        name = self.chance.choice(sorted(self.model.orders))
        wish = self.model.orders[name]
        wish.is_urgent = not wish.is_urgent
        self.room.servicer.ExpediteOrder(pb.ExpediteOrderRequest(order_id=name, is_expedited=wish.is_urgent), None)

    def count(self, _number: int) -> None:
        place = self.chance.choice(PLACES)
        delta = -min(self.model.free[place], 2) or 1
        self.room.adjust(place, self.sku, delta, standard="1.00")
        self.model.free[place] += delta

    def compare(self) -> None:
        stock = self.room.stock(self.sku)
        assert {
            place: stock[place][0] - stock[place][1] if place in stock else 0 for place in PLACES
        } == self.model.free
        waits = {row.order_id: row.quantity for row in self.room.queue(self.sku)}
        in_turn = sorted(self.model.orders, key=lambda one: self.model.orders[one].key(one))
        assert list(waits.items()) == [
            (name, self.model.orders[name].waiting) for name in in_turn if self.model.orders[name].waiting
        ]
        for name, wish in self.model.orders.items():
            assert self.room.units(name) == wish.held


def walk(stockroom: Stockroom, runs: int, steps: int) -> None:
    stockroom.put_allocation(("gold", "win", "line_complete"), ("silver", "gain"), usual_class="gain")
    for seed in range(runs):
        one = Walk(stockroom, seed)
        for number in range(steps):
            one.step(number)
    assert stockroom.broken() == {}


def test_the_queue_is_a_plain_list_in_turn(stockroom: Stockroom) -> None:
    walk(stockroom, runs=12, steps=14)


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_the_queue_is_a_plain_list_in_turn_in_300_walks(stockroom: Stockroom) -> None:
    walk(stockroom, runs=300, steps=20)


waitings = st.lists(
    st.tuples(
        st.sampled_from(CLASSES), st.booleans(), st.integers(0, 2), st.integers(1, 4), st.integers(1, 9),
        st.sets(st.sampled_from(PLACES), min_size=1), st.booleans(),
    ),
    max_size=7,
)  # fmt: skip
holdings = st.lists(
    st.tuples(st.sampled_from(CLASSES), st.integers(1, 4), st.sampled_from(PLACES), st.integers(1, 6), st.booleans()),
    max_size=4,
)
frees = st.dictionaries(st.sampled_from(PLACES), st.integers(0, 12))


def waiting_one(
    number: int,
    name: str,
    units: int,
    day: int,
    places: set[str],
    *,
    tier: int = 0,
    urgent: bool = False,
    whole: bool = False,
) -> Waiting:
    rank = Rank(name, urgent, tier, f"2026-03-0{day}")
    place = Place(rank.priority, LINE_COMPLETE if whole else PARTIAL)
    candidates = tuple(Candidate(one, 900 + cost) for cost, one in enumerate(sorted(places)))
    return Waiting(f"bo{number}", f"res{number}", f"o{number}", "l1", "J", units, number, candidates, place)


def plain(
    queue: list[Waiting], free: dict[str, int], frozen: list[Frozen], late: set[str]
) -> list[tuple[str, str, str]]:
    """(Who gets it, where, who gives it up) of single units, as a person would hand them out over a counter."""
    shelf = [(place, "") for place in PLACES for _ in range(free.get(place, 0))]
    kept = [(one, unit) for one in frozen for unit in range(one.quantity)]
    handed: list[tuple[str, str, str]] = []
    for one in sorted(queue, key=lambda each: (each.reservation_id in late, each.turn)):
        mine = Rank.of(one.place.priority).allocation_class
        places = [each.warehouse_id for each in sorted(one.candidates, key=lambda each: each.cost_minor)]
        from_shelf = sorted((each for each in shelf if each[0] in places), key=lambda each: places.index(each[0]))
        may = []
        for held, unit in kept:
            theirs = Rank.of(held.backorder.place.priority).allocation_class
            yields = held.is_overdue or (
                (mine == "win" and theirs in ("redistribute", "fill", "lose"))
                or (mine == theirs == "redistribute" and one.turn < held.backorder.turn)
            )
            if yields and held.warehouse_id in places and one.reservation_id not in late:
                may.append((held, unit))
        may.sort(key=lambda each: each[0].backorder.turn, reverse=True)
        may.sort(key=lambda each: not each[0].is_overdue)
        if one.is_whole and len(from_shelf) + len(may) < one.quantity:
            continue
        for place, _ in from_shelf[: one.quantity]:
            shelf.remove((place, ""))
            handed.append((one.backorder_id, place, ""))
        for held, unit in may[: max(0, one.quantity - len(from_shelf))]:
            kept.remove((held, unit))
            handed.append((one.backorder_id, held.warehouse_id, held.backorder.order_id))
    return sorted(handed)


@settings(max_examples=300)
@given(waitings, frees, holdings, st.sets(st.integers(0, 6)))
def test_units_are_handed_out_as_a_person_would_over_a_counter(
    asked: list[tuple[str, bool, int, int, int, set[str], bool]],
    free: dict[str, int],
    held: list[tuple[str, int, str, int, bool]],
    tardy: set[int],
) -> None:
    queue = [
        waiting_one(number, name, units, day, places, tier=tier, urgent=urgent, whole=whole)
        for number, (name, urgent, tier, day, units, places, whole) in enumerate(asked)
    ]
    frozen = [
        Frozen(waiting_one(100 + number, name, 0, day, {place}), place, units, is_overdue)
        for number, (name, day, place, units, is_overdue) in enumerate(held)
    ]

    late = {f"res{number}" for number in tardy}
    fills = distribute(queue, free, frozen, late)

    handed = [
        (one.backorder.backorder_id, one.warehouse_id, one.given_up.backorder.order_id if one.given_up else "")
        for one in fills
        for _ in range(one.quantity)
    ]
    assert sorted(handed) == plain(queue, free, frozen, late)


@settings(max_examples=300)
@given(st.integers(0, 200), st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_shares_of_too_few_are_in_proportion_within_a_unit_and_together_all(units: int, wanted: list[int]) -> None:
    units = min(units, sum(wanted))

    found = shares(units, wanted)

    assert sum(found) == units
    assert all(abs(share - units * want / sum(wanted)) < 1 for share, want in zip(found, wanted, strict=True))
    assert all(share <= want for share, want in zip(found, wanted, strict=True))


@settings(max_examples=300)
@given(waitings, frees)
def test_fair_shares_give_all_that_can_be_given_and_no_more(
    asked: list[tuple[str, bool, int, int, int, set[str], bool]], free: dict[str, int]
) -> None:
    queue = [
        waiting_one(number, "gain", units, day, places, tier=tier, urgent=urgent)
        for number, (_, urgent, tier, day, units, places, _) in enumerate(asked)
    ]

    fills = distribute(queue, free, is_fair_share=True)

    left = {
        place: free.get(place, 0) - sum(one.quantity for one in fills if one.warehouse_id == place) for place in PLACES
    }
    assert min(left.values()) >= 0
    for one in queue:
        got = sum(fill.quantity for fill in fills if fill.backorder is one)
        assert got <= one.quantity
        assert got == one.quantity or all(left[place.warehouse_id] == 0 for place in one.candidates)
