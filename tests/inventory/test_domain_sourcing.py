from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from services.inventory.domain import sourcing
from services.inventory.domain.allocation import LineDemand, Terms, allocate, problem
from services.inventory.domain.sourcing import Problem, source
from services.inventory.domain.sourcing_record import SourcingRecord, gap_bp, record
from services.inventory.domain.tariffs import Candidate, NodeTerms, SourcingPolicy, Tariff, within_splits
from tests.inventory.sourcing_cases import best_by_trying_all, order_to_source

STOCK = {"A": {"w1": 10, "w2": 10, "p": 10}, "B": {"w2": 4, "w3": 4, "p": 4}}
LINES = [LineDemand("1", "A", 10), LineDemand("2", "B", 4)]
OPEN = {"w1": True, "w2": True, "w3": True, "p": True}


def terms(w2: int = 16, without: str = "", **policy: object) -> Terms:
    """Freight a shipment: w1 9, w2 as said, w3 8; the third party p takes 12 and 1.50 a unit for handling."""
    costs = {"w1": 900, "w2": 100 * w2, "w3": 800}
    candidates = [Candidate(place, cost, (Tariff("ups", cost),)) for place, cost in costs.items()]
    third = Candidate("p", 3300, (Tariff("ups", 1200, 0, 150),))
    return Terms(
        tuple(one for one in [*candidates, third] if one.warehouse_id not in without.split()),
        policy=SourcingPolicy(**policy),  # type: ignore[arg-type]  # the keywords of a policy
    )


def sourced(asked: Terms) -> tuple[dict[str, int], int]:
    """Warehouse → units, and what it costs."""
    found = source(problem(LINES, STOCK, asked))
    assert found.is_optimal
    return {one.way.warehouse_id: sum(one.units.values()) for one in found.best.shipments}, found.best.parts.total


def kept(asked: Terms) -> SourcingRecord:
    made = record(LINES, STOCK, asked, allocate(LINES, STOCK, asked), OPEN, "USD")
    assert made is not None
    return made


def test_one_shipment_is_chosen_where_it_is_cheaper_than_two() -> None:
    assert sourced(terms(w2=16)) == ({"w2": 14}, 1600)  # w1 and w3: 17


def test_two_shipments_are_chosen_where_they_are_cheaper_than_one() -> None:
    assert sourced(terms(w2=19)) == ({"w1": 10, "w3": 4}, 1700)


def test_a_split_penalty_counts_for_each_shipment_after_the_first() -> None:
    assert sourced(terms(w2=19, split_penalty_minor=500)) == ({"w2": 14}, 1900)  # w1 and w3: 22
    assert sourced(terms(without="w2", split_penalty_minor=500)) == ({"w1": 10, "w3": 4}, 2200)


def test_no_split_is_made_where_none_is_allowed() -> None:
    assert sourced(terms(w2=19, maximum_splits=0)) == ({"w2": 14}, 1900)


def test_a_third_party_gives_what_it_gives_cheapest() -> None:
    # A from w1: 9, B from p: 12 + 4 × 1.50, penalty 5 = 32; p alone: 12 + 14 × 1.50 = 33
    assert sourced(terms(without="w2 w3", split_penalty_minor=500)) == ({"w1": 10, "p": 4}, 3200)


def test_fees_lateness_and_avoidance_count_and_an_excluded_warehouse_gives_nothing() -> None:
    fees = (NodeTerms("w2", order_fee_minor=50, unit_fee_minor=5),)
    assert sourced(terms(w2=16, nodes=fees)) == ({"w1": 10, "w3": 4}, 1700)  # w2: 16 + 0.50 + 14 × 0.05 = 17.20
    assert sourced(terms(w2=16, nodes=(NodeTerms("w2", avoidance_minor=99),)))[1] == 1699
    assert sourced(terms(w2=16, nodes=(NodeTerms("w2", is_excluded=True),)))[1] == 1700
    late = Candidate("w2", 1600, (Tariff("ups", 1600, late_days=2),))
    others = terms(without="w2", late_day_minor=60)
    assert sourced(replace(others, candidates=(*others.candidates, late)))[1] == 1700  # w2: 16 + 2 × 0.60


def test_the_rivals_say_what_they_lost_by_and_the_plan_says_why_it_won() -> None:
    made = kept(terms(w2=19, split_penalty_minor=500))

    assert made.why == "w2 for 19.00 USD: 3.00 USD less than w1 and w3; nothing that serves as much costs less"
    reasons = {one.solution.places: one.reason for one in made.candidates}
    assert reasons[("w1", "w3")] == "costs 3.00 USD more"
    assert reasons[("p",)] == "costs 14.00 USD more"
    assert reasons[("w1",)] == "serves 10 of the 14 units"
    assert [one.is_chosen for one in made.candidates[:2]] == [True, False]
    assert (made.wanted, made.served, made.bound_minor, made.gap_bp) == (14, 14, 1900, 0)


def test_what_a_limit_forbids_is_named_and_so_are_warehouses_that_could_give_nothing() -> None:
    asked = terms(w2=19, without="w3", maximum_splits=0, nodes=(NodeTerms("p", is_excluded=True),))
    stock = {"A": {"w1": 10, "w2": 10}, "B": {"w1": 4, "w2": 4}}

    made = record(LINES, stock, asked, allocate(LINES, stock, asked), {**OPEN, "w4": False}, "USD")

    assert made is not None
    assert made.why == "w1 for 9.00 USD: 10.00 USD less than w2; nothing that serves as much costs less"
    assert [(one.warehouse_id, one.reason) for one in made.unused] == [
        ("p", "excluded by the sourcing policy"),
        ("w3", "no carrier from there to the address"),
        ("w4", "closed"),
    ]
    forbidden = kept(terms(w2=19, maximum_splits=0))
    reasons = {one.solution.places: one.reason for one in forbidden.candidates}
    assert reasons[("w1", "w3")] == "needs 2 shipments: more than the sourcing policy allows"


def test_an_order_that_nobody_has_anything_of_says_so() -> None:
    asked = terms()

    made = record(LINES, {}, asked, allocate(LINES, {}, asked), OPEN, "USD")

    assert made is not None
    assert (made.why, made.candidates) == ("no warehouse that can serve the address has any of it", ())
    assert {one.reason for one in made.unused} == {"has none of it"}


def test_two_places_with_one_unit_each_plan_both_units() -> None:
    """solidusio/solidus#583, medusajs/medusa#14987: never one planned and one lost."""
    found = source(Problem({"A": 2}, {"A": {"a": 1, "b": 1}}, {}, problem([], {}, _flat(a=5, b=5)).ways))

    assert {one.way.warehouse_id: one.units["A"] for one in found.best.shipments} == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("costs", "places"), [({"a": 3, "b": 3, "c": 7}, ("a", "b")), ({"a": 3, "b": 5, "c": 7}, ("c",))]
)
def test_five_from_two_and_four_or_from_five_is_never_three_shipments(
    costs: dict[str, int], places: tuple[str, ...]
) -> None:
    """solidusio/solidus#2122: the cheaper of c alone and a with b."""
    asked = problem([LineDemand("1", "X", 5)], {"X": {"a": 2, "b": 4, "c": 5}}, _flat(**costs))

    assert source(asked).best.places == places


@pytest.mark.parametrize(
    ("costs", "places"), [({"s1": 4, "s2": 4, "s3": 9}, ("s1", "s2")), ({"s1": 4, "s2": 4, "s3": 6}, ("s3",))]
)
def test_three_from_one_two_and_three_is_one_plan_by_cost(costs: dict[str, int], places: tuple[str, ...]) -> None:
    """magento/inventory#3103: not a single source that somebody has to pick."""
    asked = problem([LineDemand("1", "X", 3)], {"X": {"s1": 1, "s2": 2, "s3": 3}}, _flat(**costs))

    assert source(asked).best.places == places


def _flat(**costs: int) -> Terms:
    return Terms(tuple(Candidate(place, cost) for place, cost in costs.items()))


def test_where_splits_are_limited_backorders_wait_at_the_warehouses_that_serve_already() -> None:
    places = [Candidate("w1", 9), Candidate("w2", 5), Candidate("w3", 7)]

    def waiting(used: set[str], splits: int | None) -> list[str]:
        return [one.warehouse_id for one in within_splits(places, used, splits)]

    assert waiting({"w1"}, 0) == ["w1"]
    assert waiting({"w1"}, 1) == ["w1", "w2"]
    assert waiting({"w1", "w3"}, 0) == ["w1", "w3"]
    assert waiting(set(), 0) == waiting({"w1"}, None) == ["w1", "w2", "w3"]


def is_best(seed: int) -> bool:
    """Whether an order of additive freight is sourced as trying everything does, and again likewise."""
    asked = order_to_source(seed, stepped=False)
    found = source(asked)
    return found.is_optimal and found.best.rank == best_by_trying_all(asked).rank and source(asked) == found


def keeps_its_certificate(seed: int) -> bool:
    """Whether an order of stepped freight is served as well as can be, and the best is no cheaper than its certificate says."""
    asked = order_to_source(seed, stepped=True)
    found, best = source(asked), best_by_trying_all(asked)
    if found.best.units != best.units or found.bound_minor is None:
        return False
    cheapest, cost = best.parts.total, found.best.parts.total
    gap = gap_bp(found)
    return found.bound_minor <= cheapest <= cost and (gap is None or cost * 10_000 <= cheapest * (10_000 + gap))


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_additive_freight_is_sourced_as_trying_everything_does(first: int) -> None:
    assert [seed for seed in range(first, first + 50) if not is_best(seed)] == []


def test_stepped_freight_stays_within_its_certificate() -> None:
    assert [seed for seed in range(100) if not keeps_its_certificate(seed)] == []


@pytest.mark.prove
@pytest.mark.slice
def test_two_thousand_additive_orders_are_sourced_as_trying_everything_does() -> None:
    assert [seed for seed in range(200, 2_200) if not is_best(seed)] == []


@pytest.mark.prove
def test_five_hundred_stepped_orders_stay_within_their_certificates() -> None:
    assert [seed for seed in range(100, 600) if not keeps_its_certificate(seed)] == []


def test_a_search_that_is_cut_short_says_how_far_it_may_be_from_the_best() -> None:
    asked = order_to_source(16, stepped=False)
    whole = source(asked)

    cut = source(asked, most_fills=1)

    assert not cut.is_optimal
    assert cut.bound_minor is None or cut.bound_minor <= whole.best.parts.total


def test_what_a_large_order_weighs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packing started kilograms anew weighs no more moves than it may: stock is locked meanwhile."""
    random = Random(3)
    places = [f"w{at:02}" for at in range(24)]
    ways = [
        Candidate(
            place, 0, (Tariff("ups", random.randint(300, 3_000), random.randint(20, 300), random.randint(0, 30)),)
        )
        for place in places
    ]
    lines = [LineDemand(str(at), f"S{at:03}", random.randint(1, 20)) for at in range(700)]
    stock = {line.sku: {place: random.randint(1, 12) for place in places} for line in lines}
    weights = {line.sku: random.randint(50, 3_000) for line in lines}
    asked = problem(lines, stock, Terms(tuple(ways), weights))
    weighed = Counter[str]()
    count = sourcing._count

    def counted(problem: Problem, sku: str, over: int) -> int:
        weighed["moves"] += 1
        return count(problem, sku, over)

    monkeypatch.setattr(sourcing, "_count", counted)
    found = source(asked)

    assert found.best.units == sum(min(line.quantity, sum(stock[line.sku].values())) for line in lines)
    assert found.bound_minor is not None
    assert 0 < weighed["moves"] <= 250_000
