from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.domain.backorders import Supply, Waiting, arrived, due
from services.inventory.domain.distribution import distribute
from services.inventory.domain.tariffs import Candidate


def waiting(order_id: str, units: int, placed: int, *places: str) -> Waiting:
    """`places` from the cheapest on; they come in no such order."""
    candidates = tuple(reversed([Candidate(place, cost) for cost, place in enumerate(places or ("w1",))]))
    return Waiting(f"bo_{order_id}", f"res_{order_id}", order_id, "l1", "J", units, placed, candidates)


def test_who_placed_first_is_filled_first_and_the_last_gets_a_part() -> None:
    queue = [waiting("o3", 20, 3), waiting("o1", 30, 1), waiting("o2", 15, 2)]

    fills = distribute(queue, {"w1": 40})

    assert [(one.backorder.order_id, one.quantity) for one in fills] == [("o1", 30), ("o2", 10)]


def test_a_backorder_takes_only_from_its_own_warehouses_the_cheapest_first() -> None:
    queue = [waiting("o1", 5, 1, "w2"), waiting("o2", 5, 2, "w3", "w1")]

    fills = distribute(queue, {"w1": 4, "w3": 3})

    assert [(one.backorder.order_id, one.warehouse_id, one.quantity) for one in fills] == [
        ("o2", "w3", 3),
        ("o2", "w1", 2),
    ]


orders = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 3), st.sets(st.sampled_from(["w1", "w2"]), min_size=1)), max_size=8
)


@given(orders, st.dictionaries(st.sampled_from(["w1", "w2"]), st.integers(1, 30)))
def test_a_filling_gives_no_more_than_is_free_and_leaves_nobody_beside_stock(
    orders: list[tuple[int, int, set[str]]], free: dict[str, int]
) -> None:
    queue = [waiting(f"o{n}", units, placed, *sorted(places)) for n, (units, placed, places) in enumerate(orders)]

    fills = distribute(queue, free)

    given_from: Counter[str] = Counter()
    given_to: Counter[str] = Counter()
    for one in fills:
        given_from[one.warehouse_id] += one.quantity
        given_to[one.backorder.order_id] += one.quantity
    assert all(given_from[place] <= free.get(place, 0) for place in given_from)
    for backorder in queue:
        assert given_to[backorder.order_id] <= backorder.quantity
        if given_to[backorder.order_id] < backorder.quantity:
            assert all(
                given_from[place.warehouse_id] == free.get(place.warehouse_id, 0) for place in backorder.candidates
            )


def test_a_backorder_is_due_when_supply_reaches_its_last_unit() -> None:
    supply = [
        Supply("e1", "w1", 10, "2026-03-20", "PO-1"),
        Supply("e2", "w9", 99, "2026-03-21", "PO-2"),
        Supply("e3", "w1", 10, "2026-03-27", "PO-3"),
    ]

    assert due(10, supply, {"w1"}) == supply[0]
    assert due(11, supply, {"w1"}) == supply[2]
    assert due(21, supply, {"w1"}) is None


def test_what_arrives_uses_up_the_oldest_announcement() -> None:
    supply = [Supply("e1", "w1", 10, "2026-03-20", ""), Supply("e2", "w1", 10, "2026-03-27", "")]

    assert arrived(supply, 14) == {"e1": 10, "e2": 4}
    assert arrived(supply, 99) == {"e1": 10, "e2": 10}
