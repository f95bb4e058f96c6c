"""Cases of sourcing that users of other systems hit, to the figure: a test each."""

from __future__ import annotations

import pytest

from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.errors import InvalidArgument
from tests.inventory.stockroom import Stockroom
from tests.inventory.test_outages import close, source_again

FLAT = {"w1": 900, "w2": 900, "w3": 900}


def parts(room: Stockroom, order_id: str) -> dict[str, int]:
    """Warehouse → units held."""
    return {place: units for (_, place), units in room.held(order_id).items()}


def test_what_is_available_in_two_places_is_reserved_in_both(stockroom: Stockroom) -> None:  # medusa#14987
    stockroom.receive("w1", "A", 1)
    stockroom.receive("w2", "A", 1)

    stockroom.reserve("o1", {"l1": ("A", 2)})

    assert (parts(stockroom, "o1"), stockroom.waiting("o1")) == ({"w1": 1, "w2": 1}, {})


def test_two_units_at_two_places_are_two_shipments_of_one(stockroom: Stockroom) -> None:  # solidus#583
    for place in ("w2", "w3"):
        stockroom.receive(place, "A", 1)

    stockroom.reserve("o1", {"l1": ("A", 2)})

    [plan] = stockroom.plans("o1")
    assert [(one.warehouse_id, one.quantity) for one in plan.candidates[0].shipments] == [("w2", 1), ("w3", 1)]


@pytest.mark.parametrize(
    ("costs", "served"),
    [({"w1": 300, "w2": 300, "w3": 700}, {"w1": 1, "w2": 4}), ({"w1": 300, "w2": 300, "w3": 500}, {"w3": 5})],
)
def test_two_shipments_or_one_by_cost_and_never_three(
    stockroom: Stockroom, costs: dict[str, int], served: dict[str, int]
) -> None:  # solidus#2122: A has 2, B 4, C 5
    for place, units in (("w1", 2), ("w2", 4), ("w3", 5)):
        stockroom.receive(place, "A", units)

    stockroom.reserve("o1", {"l1": ("A", 5)}, costs)

    held = parts(stockroom, "o1")
    assert (set(held), sum(held.values()), stockroom.waiting("o1")) == (set(served), 5, {})


@pytest.mark.parametrize(("third", "places"), [(1900, {"w1", "w2"}), (1700, {"w3"})])
def test_sources_of_one_two_and_three_units_serve_three_by_cost(
    stockroom: Stockroom, third: int, places: set[str]
) -> None:  # magento/inventory#3103
    for place, units in (("w1", 1), ("w2", 2), ("w3", 3)):
        stockroom.receive(place, "A", units)

    stockroom.reserve("o1", {"l1": ("A", 3)}, {"w1": 900, "w2": 900, "w3": third})

    assert set(parts(stockroom, "o1")) == places
    assert len(stockroom.plans("o1")) == 1


def test_after_three_of_five_have_shipped_two_are_planned_again(
    stockroom: Stockroom,
) -> None:  # magento/inventory PR#1893
    stockroom.receive("w1", "A", 5)
    stockroom.receive("w2", "A", 9)
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.ship("o1", "shp_1", "w1", {"l1": ("A", 3)})

    close(stockroom, "w1")
    source_again(stockroom, "o1", {("l1", "w1"): 3})

    newest = stockroom.plans("o1")[0]
    assert (newest.wanted_quantity, newest.quantity) == (2, 2)
    assert (parts(stockroom, "o1"), stockroom.shipped("o1")) == ({"w2": 2}, {("l1", "w1"): 3})


def test_one_more_of_the_same_line_comes_from_where_it_is_served_already(stockroom: Stockroom) -> None:  # solidus#1366
    stockroom.receive("w1", "A", 2)
    stockroom.receive("w2", "A", 2)
    stockroom.reserve("o1", {"l1": ("A", 1)}, FLAT)

    stockroom.change("o1", {"l1": ("A", 2)}, FLAT)

    assert parts(stockroom, "o1") == {"w1": 2}


def test_a_shipment_of_its_own_for_the_last_unit_held_keeps_it_held(stockroom: Stockroom) -> None:  # solidus PR#2908
    stockroom.receive("w1", "A", 2)
    stockroom.reserve("o1", {"l1": ("A", 2)})

    stockroom.ship("o1", "shp_1", "w1", {"l1": ("A", 1)})
    stockroom.ship("o1", "shp_2", "w1", {"l1": ("A", 1)})

    assert (stockroom.waiting("o1"), stockroom.stock("A")) == ({}, {"w1": (0, 0)})


def test_a_customer_whose_orders_are_never_split_waits_instead(stockroom: Stockroom) -> None:  # hotwax/bopis#423
    stockroom.receive("w1", "A", 6)
    stockroom.receive("w2", "A", 4)
    stockroom.put_policy(customers=[pb.CustomerTerms(customer_id="cus_1", is_never_split=True)])

    stockroom.reserve("o1", {"l1": ("A", 10)}, customer_id="cus_1")
    stockroom.receive("w2", "A", 9)
    between = parts(stockroom, "o1"), stockroom.waiting("o1")
    stockroom.receive("w1", "A", 4)

    assert between == ({"w1": 6}, {"l1": 4})
    assert (parts(stockroom, "o1"), stockroom.waiting("o1")) == ({"w1": 10}, {})
    [plan] = stockroom.plans("o1")
    assert "needs 2 shipments: this customer's orders are never split" in [one.reason for one in plan.candidates]


def test_a_line_that_cannot_come_from_there_moves_alone(stockroom: Stockroom) -> None:  # hotwax/bopis#285
    for sku in ("A", "B", "C"):
        stockroom.receive("w1", sku, 1)
        stockroom.receive("w2", sku, 1)
    stockroom.reserve("o1", {"1": ("A", 1), "2": ("B", 1), "3": ("C", 1)})

    close(stockroom, "w1")
    source_again(stockroom, "o1", {("1", "w1"): 1, ("2", "w1"): 1})  # two are picked

    assert stockroom.held("o1") == {("1", "w1"): 1, ("2", "w1"): 1, ("3", "w2"): 1}


def test_a_warehouse_without_any_is_never_offered(stockroom: Stockroom) -> None:  # magento2#37992
    stockroom.receive("w2", "A", 3)

    stockroom.reserve("o1", {"l1": ("A", 3)})

    [plan] = stockroom.plans("o1")
    assert {one.warehouse_id for each in plan.candidates for one in each.shipments} == {"w2"}
    assert [(one.warehouse_id, one.reason) for one in plan.unused] == [
        ("w1", "has none of it"),
        ("w3", "has none of it"),
    ]


def test_the_same_input_gives_the_same_warehouses_whatever_its_order(stockroom: Stockroom) -> None:  # saleor#4190
    for place in ("w1", "w2", "w3"):
        stockroom.receive(place, "A", 30)

    found = []
    for number, costs in enumerate((FLAT, dict(reversed(FLAT.items())), FLAT)):
        stockroom.reserve(f"o{number}", {"l1": ("A", 3)}, costs)
        found.append(parts(stockroom, f"o{number}"))

    assert found == [{"w1": 3}] * 3


def test_a_preferred_warehouse_may_be_dearer_and_an_excluded_one_serves_never(stockroom: Stockroom) -> None:
    for place in ("w1", "w2", "w3"):
        stockroom.receive(place, "A", 30)
    terms = pb.CustomerTerms(customer_id="cus_1", preferred_warehouse_ids=["w3"], preference_minor=250)
    far = pb.CustomerTerms(customer_id="cus_2", excluded_warehouse_ids=["w1"])
    stockroom.put_policy(customers=[terms, far])

    for customer in ("", "cus_1", "cus_2"):
        stockroom.reserve(f"o-{customer}", {"l1": ("A", 3)}, customer_id=customer)  # 9.00, 10.00 and 11.00

    assert [set(parts(stockroom, f"o-{customer}")) for customer in ("", "cus_1", "cus_2")] == [{"w1"}, {"w3"}, {"w2"}]
    [theirs] = stockroom.plans("o-cus_1")
    rivals = {one.shipments[0].warehouse_id: (one.avoidance_minor, one.total_minor) for one in theirs.candidates}
    assert (rivals["w3"], rivals["w1"]) == ((0, 1100), (250, 1150))
    assert [(one.warehouse_id, one.reason) for one in stockroom.plans("o-cus_2")[0].unused] == [
        ("w1", "excluded for this customer")
    ]


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"preferred_warehouse_ids": ["w1"]}, "PREFERENCE_INCOMPLETE"),
        (
            {"preferred_warehouse_ids": ["w1"], "preference_minor": 1, "excluded_warehouse_ids": ["w1"]},
            "WAREHOUSE_PREFERRED_AND_EXCLUDED",
        ),
    ],
)
def test_terms_of_a_customer_that_make_no_sense_are_refused(
    stockroom: Stockroom, terms: dict[str, object], reason: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        stockroom.put_policy(customers=[pb.CustomerTerms(customer_id="cus_1", **terms)])  # type: ignore[arg-type]  # as in the table

    assert refused.value.reason == reason
    with pytest.raises(InvalidArgument) as twice:
        stockroom.put_policy(customers=[pb.CustomerTerms(customer_id="cus_1")] * 2)
    assert twice.value.reason == "CUSTOMER_TWICE"


def test_what_is_held_for_an_address_is_planned_again_for_another_one(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 9)
    stockroom.receive("w2", "A", 9)
    stockroom.reserve("o1", {"l1": ("A", 5)}, {"w1": 900, "w2": 1500}, destination="dallas")

    stockroom.change("o1", {"l1": ("A", 5)}, {"w1": 900, "w2": 100}, destination="dallas")
    same = parts(stockroom, "o1")
    stockroom.change("o1", {"l1": ("A", 6)}, {"w2": 100}, destination="reno")

    assert (same, parts(stockroom, "o1")) == ({"w1": 5}, {"w2": 6})
    assert stockroom.plans("o1")[0].cause == "the address was changed"
    assert stockroom.broken() == {}


def test_what_a_shipment_carries_stays_when_the_address_is_another_one(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 9)
    stockroom.receive("w2", "A", 9)
    stockroom.reserve("o1", {"l1": ("A", 5)}, destination="dallas")

    stockroom.change("o1", {"l1": ("A", 5)}, {"w1": 900, "w2": 100}, carried={("l1", "w1"): 3}, destination="reno")

    assert parts(stockroom, "o1") == {"w1": 3, "w2": 2}


def test_a_carrier_that_comes_lets_a_backorder_be_filled_from_where_nobody_went_before(stockroom: Stockroom) -> None:
    stockroom.receive("w2", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 4)}, {"w1": 900})
    request = pb.RequestSourcingForRatesRequest(warehouse_ids=["w2"])

    counts = [stockroom.servicer.RequestSourcingForRates(request, None).order_count for _ in range(2)]
    done = source_again(stockroom, "o1", costs={"w1": 900, "w2": 1200})

    assert (counts, stockroom.waiting("o1"), parts(stockroom, "o1")) == ([1, 0], {}, {"w2": 4})
    assert done.why.startswith("a carrier goes from w2 to more places now. Now w2 for ")
    assert stockroom.broken() == {}


def test_a_carrier_that_comes_for_other_places_changes_nothing(stockroom: Stockroom) -> None:
    stockroom.receive("w2", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 4)}, {"w1": 900})
    stockroom.servicer.RequestSourcingForRates(pb.RequestSourcingForRatesRequest(warehouse_ids=["w2"]), None)

    done = source_again(stockroom, "o1", costs={"w1": 900})

    assert (done.is_asked, stockroom.waiting("o1"), len(stockroom.plans("o1"))) == (False, {"l1": 4}, 1)
