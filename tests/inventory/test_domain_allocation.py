from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations

from hypothesis import example, given
from hypothesis import strategies as st

from services.inventory.domain.allocation import Allocation, LineDemand, Plan, Shortage, Terms
from services.inventory.domain.allocation import allocate as allocate_under
from services.inventory.domain.tariffs import Candidate

SKUS = ("A", "B", "C")
PLACES = ("w1", "w2", "w3", "w4", "w5")

lines_of_an_order = st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 12)), min_size=1, max_size=5).map(
    lambda pairs: [LineDemand(f"l{number}", sku, units) for number, (sku, units) in enumerate(pairs, 1)]
)
stock_on_shelves = st.dictionaries(
    st.sampled_from(SKUS), st.dictionaries(st.sampled_from(PLACES), st.integers(0, 12)), min_size=1
)
costs_of_places = st.dictionaries(st.sampled_from(PLACES), st.integers(0, 3), min_size=1).map(
    lambda costs: [Candidate(place, cost) for place, cost in sorted(costs.items())]
)

Stock = dict[str, dict[str, int]]


def allocate(lines: list[LineDemand], stock: Stock, candidates: list[Candidate]) -> Plan:
    """By a policy that asks for nothing: a shipment from a candidate costs the same whatever is in it."""
    return allocate_under(lines, stock, Terms(tuple(candidates)))


def used(plan: Plan) -> set[str]:
    return {part.warehouse_id for part in plan.allocations}


def served(plan: Plan) -> Counter[str]:
    units: Counter[str] = Counter()
    for part in plan.allocations:
        units[part.sku] += part.quantity
    return units


def test_a_hundred_units_come_from_sixty_and_twentyfive_and_fifteen_wait() -> None:
    plan = allocate(
        [LineDemand("l1", "A", 100)], {"A": {"w1": 60, "w2": 25}}, [Candidate("w1", 900), Candidate("w2", 1000)]
    )

    assert plan.allocations == (Allocation("l1", "A", "w1", 60), Allocation("l1", "A", "w2", 25))
    assert plan.shortages == (Shortage("l1", "A", 15),)


def test_two_lines_of_one_sku_share_what_there_is() -> None:
    plan = allocate([LineDemand("l1", "D", 6), LineDemand("l2", "D", 6)], {"D": {"w1": 10}}, [Candidate("w1", 0)])

    assert plan.allocations == (Allocation("l1", "D", "w1", 6), Allocation("l2", "D", "w1", 4))
    assert plan.shortages == (Shortage("l2", "D", 2),)


def test_the_cheapest_serve_and_of_equal_ones_the_first_by_name() -> None:
    stock = {"A": {"w1": 5, "w2": 5, "w3": 5}}
    lines = [LineDemand("l1", "A", 5)]

    assert used(allocate(lines, stock, [Candidate("w1", 9), Candidate("w2", 3), Candidate("w3", 4)])) == {"w2"}
    assert used(allocate(lines, stock, [Candidate("w3", 3), Candidate("w2", 3)])) == {"w2"}


def test_more_units_beat_fewer_shipments() -> None:
    plan = allocate([LineDemand("l1", "A", 11)], {"A": {"w1": 10, "w2": 1}}, [Candidate("w1", 1), Candidate("w2", 99)])

    assert used(plan) == {"w1", "w2"}
    assert not plan.shortages


def test_a_warehouse_that_is_no_candidate_gives_nothing() -> None:
    plan = allocate([LineDemand("l1", "A", 5)], {"A": {"w1": 5}}, [Candidate("w2", 1)])

    assert plan == Plan((), (Shortage("l1", "A", 5),))


@given(lines_of_an_order, stock_on_shelves, costs_of_places)
def test_a_plan_never_takes_more_than_there_is_and_gives_each_line_what_it_asked(
    lines: list[LineDemand], stock: Stock, candidates: list[Candidate]
) -> None:
    plan = allocate(lines, stock, candidates)

    given_units: defaultdict[str, int] = defaultdict(int)
    parts: list[Allocation | Shortage] = [*plan.allocations, *plan.shortages]
    for part in parts:
        assert part.quantity > 0
        given_units[part.line_id] += part.quantity
    assert given_units == {line.line_id: line.quantity for line in lines}
    for (sku, place), units in plan.taken().items():
        assert units <= stock[sku][place]
        assert place in {candidate.warehouse_id for candidate in candidates}


@given(lines_of_an_order, stock_on_shelves, costs_of_places)
def test_a_plan_serves_the_most_at_the_lowest_cost_then_from_the_fewest(
    lines: list[LineDemand], stock: Stock, candidates: list[Candidate]
) -> None:
    plan = allocate(lines, stock, candidates)

    costs = {candidate.warehouse_id: candidate.cost_minor for candidate in candidates}
    wanted: Counter[str] = Counter()
    for line in lines:
        wanted[line.sku] += line.quantity

    def serves(chosen: tuple[str, ...]) -> int:
        return sum(min(units, sum(stock.get(sku, {}).get(w, 0) for w in chosen)) for sku, units in wanted.items())

    every = [chosen for size in range(len(costs) + 1) for chosen in combinations(sorted(costs), size)]
    best = min(every, key=lambda chosen: (-serves(chosen), sum(costs[w] for w in chosen), len(chosen), chosen))
    assert (sum(served(plan).values()), used(plan)) == (serves(best), set(best))


@given(lines_of_an_order, stock_on_shelves, costs_of_places)
def test_the_order_of_shelves_and_candidates_does_not_matter(
    lines: list[LineDemand], stock: Stock, candidates: list[Candidate]
) -> None:
    turned = {sku: dict(reversed(shelves.items())) for sku, shelves in reversed(stock.items())}

    assert allocate(lines, turned, list(reversed(candidates))) == allocate(lines, stock, candidates)


def test_a_sku_comes_from_as_few_of_the_chosen_warehouses_as_it_can() -> None:
    plan = allocate(
        [LineDemand("l1", "B", 3), LineDemand("l2", "A", 5)],
        {"A": {"w1": 2, "w2": 5}, "B": {"w1": 3}},
        [Candidate("w1", 1), Candidate("w2", 9)],
    )

    assert plan.allocations == (Allocation("l1", "B", "w1", 3), Allocation("l2", "A", "w2", 5))
    assert list(plan.taken()) == [("A", "w2"), ("B", "w1")]  # in the order in which rows are locked


def test_with_many_warehouses_of_equal_use_the_cheaper_serve_and_then_the_first_by_name() -> None:
    # the first four have more than is wanted, which is no use
    stock = {"A": {f"w{number:02}": 9 if number < 4 else 5 for number in range(12)}}

    plan = allocate(
        [LineDemand("l1", "A", 5)], stock, [Candidate(place, 9 if place < "w04" else 1) for place in stock["A"]]
    )

    assert used(plan) == {"w04"}


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=11, max_size=16),
    st.integers(1, 40),
    st.integers(1, 40),
)
@example([(3, 3), (5, 0), (0, 5), *[(1, 0)] * 9], 5, 5)  # the first serves most, and the next two do without it
def test_with_many_warehouses_the_plan_still_serves_all_it_can_and_uses_none_in_vain(
    shelves: list[tuple[int, int]], wanted_a: int, wanted_b: int
) -> None:
    stock = {sku: {f"w{number:02}": units[at] for number, units in enumerate(shelves)} for at, sku in enumerate("AB")}
    lines = [LineDemand("l1", "A", wanted_a), LineDemand("l2", "B", wanted_b)]

    plan = allocate(lines, stock, [Candidate(place, 1) for place in stock["A"]])

    target = {line.sku: min(line.quantity, sum(stock[line.sku].values())) for line in lines}
    assert {sku: served(plan)[sku] for sku in target} == target
    for place in used(plan):
        others = used(plan) - {place}
        assert any(sum(stock[sku][other] for other in others) < units for sku, units in target.items())
