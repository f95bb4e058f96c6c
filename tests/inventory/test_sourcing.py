"""Orders are sourced by cost under the policy, and every plan is kept with its rivals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oms.inventory.v1 import inventory_pb2 as pb
from oms.types.v1.types_pb2 import LineQuantity
from services.kernel.errors import InvalidArgument, Refused
from tests.inventory.stockroom import Stockroom

LINES = {"1": ("A", 10), "2": ("B", 4)}
COSTS = {"w1": 900, "w2": 1900, "w3": 800}


def shelve(room: Stockroom) -> None:
    for place, sku, units in (("w1", "A", 10), ("w2", "A", 10), ("w2", "B", 4), ("w3", "B", 4)):
        room.receive(place, sku, units)


@pytest.mark.on_postgres
def test_a_plan_is_kept_with_its_rivals_and_read_back(stockroom: Stockroom) -> None:
    shelve(stockroom)

    reserved = stockroom.reserve("ord_1", LINES, COSTS, currency="USD")

    assert stockroom.held("ord_1") == {("1", "w1"): 10, ("2", "w3"): 4}
    [plan] = stockroom.plans("ord_1")
    assert plan.why == reserved.why
    assert plan.why == "w1 and w3 for 17.00 USD: 2.00 USD less than w2; nothing that serves as much costs less"
    chosen, rival = plan.candidates[:2]
    assert [(one.warehouse_id, one.quantity, one.cost_minor) for one in chosen.shipments] == [
        ("w1", 10, 900),
        ("w3", 4, 800),
    ]
    assert (chosen.is_chosen, rival.is_chosen, rival.reason) == (True, False, "costs 2.00 USD more")
    assert (plan.wanted_quantity, plan.quantity, plan.bound_minor, plan.is_optimal, plan.gap_bp) == (
        14,
        14,
        1700,
        True,
        0,
    )
    assert stockroom.plans("ord_2") == []
    assert stockroom.broken() == {}


def test_the_same_request_again_keeps_no_second_plan(stockroom: Stockroom) -> None:
    shelve(stockroom)

    first = stockroom.reserve("ord_1", LINES, COSTS, key="k1", currency="USD")
    again = stockroom.reserve("ord_1", LINES, {"w2": 1}, key="k1", currency="EUR")

    assert again == first
    assert len(stockroom.plans("ord_1")) == 1


@pytest.mark.on_postgres
def test_the_policy_decides_from_the_next_plan_on_and_its_version_counts(stockroom: Stockroom) -> None:
    shelve(stockroom)

    stored = stockroom.put_policy(
        split_penalty_minor=500, maximum_splits=3, nodes=[pb.NodeTerms(warehouse_id="w3", avoidance_minor=7)]
    )
    stockroom.reserve("ord_1", LINES, COSTS)

    assert stored.version == 1
    assert stockroom.held("ord_1") == {("1", "w2"): 10, ("2", "w2"): 4}  # 19; w1 and w3: 17.07 and 5 for the split
    read = stockroom.servicer.GetSourcingPolicy(pb.GetSourcingPolicyRequest(), None).policy
    assert read == stored
    again = pb.PutSourcingPolicyRequest(policy=stored)
    assert stockroom.servicer.PutSourcingPolicy(again, None).policy.version == 1
    stale = pb.PutSourcingPolicyRequest(policy=pb.SourcingPolicy(), expected_version=7)
    with pytest.raises(Refused, match="it is at version 1 now"):
        stockroom.servicer.PutSourcingPolicy(stale, None)


def test_a_closed_warehouse_gives_nothing_and_says_so(stockroom: Stockroom) -> None:
    shelve(stockroom)
    stockroom.put_warehouse("w2", is_active=False)

    stockroom.reserve("ord_1", LINES, {**COSTS, "w2": 1})

    assert stockroom.held("ord_1") == {("1", "w1"): 10, ("2", "w3"): 4}
    assert [(one.warehouse_id, one.reason) for one in stockroom.plans("ord_1")[0].unused] == [("w2", "closed")]


def test_an_order_that_is_never_split_waits_for_the_rest_where_it_is_served(stockroom: Stockroom) -> None:
    """hotwax/bopis#423: six and four in two places are a shipment of six and a backorder of four."""
    stockroom.put_policy(maximum_splits=0)
    stockroom.receive("w1", "A", 6)
    stockroom.receive("w2", "A", 4)

    stockroom.reserve("ord_1", {"1": ("A", 10)})
    stockroom.receive("w2", "A", 5)

    assert stockroom.held("ord_1") == {("1", "w1"): 6}
    assert stockroom.waiting("ord_1") == {"1": 4}
    stockroom.receive("w1", "A", 4)
    assert stockroom.held("ord_1") == {("1", "w1"): 10}
    assert stockroom.broken() == {}


def test_an_excluded_warehouse_fills_no_backorder_either(stockroom: Stockroom) -> None:
    stockroom.put_policy(nodes=[pb.NodeTerms(warehouse_id="w1", is_excluded=True)])

    stockroom.reserve("ord_1", {"1": ("A", 10)})
    stockroom.receive("w1", "A", 10)
    stockroom.receive("w2", "A", 3)

    assert stockroom.held("ord_1") == {("1", "w2"): 3}
    assert stockroom.broken() == {}


def test_where_the_policy_excludes_all_that_could_serve_everything_waits(stockroom: Stockroom) -> None:
    stockroom.put_policy(nodes=[pb.NodeTerms(warehouse_id=place, is_excluded=True) for place in ("w1", "w2", "w3")])
    stockroom.receive("w1", "A", 10)

    stockroom.reserve("ord_1", {"1": ("A", 10)})

    assert stockroom.waiting("ord_1") == {"1": 10}
    assert stockroom.plans("ord_1")[0].why == "no warehouse that can serve the address has any of it"
    assert stockroom.broken() == {}


def test_one_unit_in_each_of_two_places_is_never_an_error(stockroom: Stockroom) -> None:
    """medusajs/medusa#14987: two units that are available in two places are both reserved."""
    stockroom.receive("w1", "A", 1)
    stockroom.receive("w2", "A", 1)

    stockroom.reserve("ord_1", {"1": ("A", 2)})

    assert stockroom.held("ord_1") == {("1", "w1"): 1, ("1", "w2"): 1}


def test_after_three_of_five_have_left_two_are_planned_and_not_five(stockroom: Stockroom) -> None:
    """magento/inventory#1893: what has left is not sourced again."""
    stockroom.receive("w1", "A", 3)
    stockroom.reserve("ord_1", {"1": ("A", 3)})
    stockroom.ship("ord_1", "shp_1", "w1", {"1": ("A", 3)})
    stockroom.receive("w2", "A", 9)
    stockroom.now += timedelta(hours=1)

    stockroom.change("ord_1", {"1": ("A", 5)}, carried={("1", "w1"): 3})

    assert stockroom.held("ord_1") == {("1", "w2"): 2}
    assert [(plan.wanted_quantity, plan.quantity) for plan in stockroom.plans("ord_1")] == [(2, 2), (3, 3)]
    assert stockroom.broken() == {}


def test_a_change_that_wants_no_more_keeps_no_plan(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 9)
    stockroom.reserve("ord_1", {"1": ("A", 5)})

    changed = stockroom.change("ord_1", {"1": ("A", 4)})

    assert changed.why == ""
    assert len(stockroom.plans("ord_1")) == 1


def test_started_kilograms_are_counted_and_the_certificate_is_kept(stockroom: Stockroom) -> None:
    """Two units of 700 g: 2 kg together; one in each place: 1 kg each, and a second base price."""
    stockroom.receive("w1", "A", 2)
    stockroom.receive("w2", "A", 2)
    tariffs = {"w1": pb.CarrierTariff(carrier="ups", base_minor=100, per_kg_minor=50, promised_on="2026-03-04"),
               "w2": pb.CarrierTariff(carrier="dhl", base_minor=90, per_kg_minor=60, promised_on="2026-03-05")}  # fmt: skip
    request = pb.ReserveStockRequest(
        request_id=stockroom.key(),
        order_id="ord_1",
        lines=[LineQuantity(line_id="1", sku="A", quantity=2)],
        costs=[pb.WarehouseCost(warehouse_id=at, cost_minor=200, tariffs=[one]) for at, one in tariffs.items()],
        unit_weights=[pb.SkuWeight(sku="A", grams=700)],
        currency="USD",
    )

    stockroom.servicer.ReserveStock(request, None)

    [plan] = stockroom.plans("ord_1")
    [shipment] = plan.candidates[0].shipments
    assert (shipment.warehouse_id, shipment.carrier, shipment.promised_on) == ("w1", "ups", "2026-03-04")
    assert (plan.candidates[0].freight_minor, plan.is_optimal) == (200, True)  # 1.00 + 2 × 0.50; w2: 0.90 + 2 × 0.60
    assert plan.candidates[1].reason == "costs 0.10 USD more"


@pytest.mark.parametrize(
    "policy",
    [
        {"split_penalty_minor": -1},
        {"maximum_splits": -1},
        {"maximum_splits": 200},
        {"late_day_minor": 10**12 + 1},
        {"nodes": [pb.NodeTerms(warehouse_id="w1"), pb.NodeTerms(warehouse_id="w1")]},
        {"nodes": [pb.NodeTerms(warehouse_id="")]},
        {"nodes": [pb.NodeTerms(warehouse_id="w1", unit_fee_minor=-5)]},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(stockroom: Stockroom, policy: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        stockroom.put_policy(**policy)
