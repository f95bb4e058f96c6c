"""Dangerous goods: warehouses that exclude them give none of it, now or later, and the plan says so."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from oms.inventory.v1 import inventory_pb2 as pb
from services.inventory.domain.allocation import LineDemand, Terms, allocate, allocate_whole
from services.inventory.domain.tariffs import Candidate, NodeTerms, SourcingPolicy
from services.inventory.store.barred import barred_of, barred_text
from services.kernel.clock import micros
from tests.inventory.stockroom import Stockroom
from tests.inventory.test_outages import close, source_again

ACID = [pb.SkuWeight(sku="ACID", is_hazardous=True), pb.SkuWeight(sku="A")]
NOT_W1 = [pb.NodeTerms(warehouse_id="w1", excludes_hazardous=True)]


def test_dangerous_goods_come_from_where_they_may_be_kept(stockroom: Stockroom) -> None:
    stockroom.put_policy(nodes=NOT_W1)
    for place in ("w1", "w2"):
        stockroom.receive(place, "ACID", 5)

    stockroom.reserve("o1", {"l1": ("ACID", 3)}, unit_weights=ACID)

    assert stockroom.held("o1") == {("l1", "w2"): 3}
    [plan] = stockroom.plans("o1")
    assert {one.warehouse_id: one.reason for one in plan.unused}["w1"] == (
        "may send no dangerous goods, and has nothing else of it"
    )


def test_a_rival_that_may_not_send_all_says_so(stockroom: Stockroom) -> None:
    stockroom.put_policy(nodes=NOT_W1)
    for place in ("w1", "w2"):
        for sku in ("ACID", "A"):
            stockroom.receive(place, sku, 5)

    stockroom.reserve("o1", {"l1": ("ACID", 3), "l2": ("A", 2)}, unit_weights=ACID)

    assert stockroom.held("o1") == {("l1", "w2"): 3, ("l2", "w2"): 2}
    [plan] = stockroom.plans("o1")
    lost = {tuple(each.warehouse_id for each in one.shipments): one.reason for one in plan.candidates}
    assert lost["w1",] == "serves 2 of the 5 units: w1 may send no dangerous goods"


@pytest.mark.on_postgres
def test_who_waits_for_dangerous_goods_gets_none_from_there_and_the_rest(stockroom: Stockroom) -> None:
    stockroom.put_policy(nodes=NOT_W1)
    stockroom.reserve("o1", {"l1": ("ACID", 3), "l2": ("A", 2)}, unit_weights=ACID)

    stockroom.receive("w1", "ACID", 5)
    stockroom.receive("w1", "A", 5)

    assert (stockroom.held("o1"), stockroom.waiting("o1")) == ({("l2", "w1"): 2}, {"l1": 3})
    assert stockroom.broken() == {}
    stockroom.receive("w2", "ACID", 5)
    assert stockroom.held("o1") == {("l1", "w2"): 3, ("l2", "w1"): 2}
    assert stockroom.broken() == {}


def test_supply_at_such_a_warehouse_gives_no_day(stockroom: Stockroom) -> None:
    stockroom.put_policy(nodes=NOT_W1)
    stockroom.reserve("o1", {"l1": ("ACID", 3)}, unit_weights=ACID)

    stockroom.expect("w1", "ACID", 9, "2026-03-10")
    assert [one.expected_on for one in stockroom.queue("ACID")] == [""]
    stockroom.expect("w2", "ACID", 9, "2026-03-20")

    assert [one.expected_on for one in stockroom.queue("ACID")] == ["2026-03-20"]


def test_a_change_and_sourcing_again_keep_to_it(stockroom: Stockroom) -> None:
    stockroom.put_policy(nodes=NOT_W1)
    for place in ("w1", "w2"):
        stockroom.receive(place, "ACID", 5)
    stockroom.reserve("o1", {"l1": ("ACID", 3)}, unit_weights=ACID)

    stockroom.change("o1", {"l1": ("ACID", 7)}, unit_weights=ACID)
    assert (stockroom.held("o1"), stockroom.waiting("o1")) == ({("l1", "w2"): 5}, {"l1": 2})
    close(stockroom, "w2")
    source_again(stockroom, "o1", unit_weights=ACID)

    assert (stockroom.held("o1"), stockroom.waiting("o1")) == ({}, {"l1": 7})
    assert stockroom.broken() == {}


def test_what_is_not_dangerous_comes_from_anywhere(stockroom: Stockroom) -> None:
    stockroom.put_policy(nodes=NOT_W1)
    stockroom.receive("w1", "A", 5)

    stockroom.reserve("o1", {"l1": ("A", 3)}, unit_weights=ACID)

    assert stockroom.held("o1") == {("l1", "w1"): 3}


def test_the_exclusion_is_tried_on_plans_of_the_past(stockroom: Stockroom) -> None:
    for place in ("w1", "w2"):
        stockroom.receive(place, "ACID", 5)
    stockroom.reserve("o1", {"l1": ("ACID", 3)}, unit_weights=ACID)
    request = pb.ReplaySourcingRequest(
        policy=pb.SourcingPolicy(nodes=NOT_W1),
        since_micros=micros(stockroom.now - timedelta(days=1)),
        until_micros=micros(stockroom.now + timedelta(days=1)),
        limit=10,
    )

    [plan] = stockroom.servicer.ReplaySourcing(request, None).plans

    assert (list(plan.before.warehouse_ids), list(plan.after.warehouse_ids)) == (["w1"], ["w2"])


@pytest.mark.parametrize("skus", [(), ("A",), ("A", "A-1", "ACID, 5 %")])
def test_barred_skus_are_read_as_they_were_kept(skus: tuple[str, ...]) -> None:
    assert barred_of(barred_text(skus)) == skus


@pytest.mark.parametrize("is_whole", [False, True])
def test_no_plan_takes_dangerous_goods_from_where_they_may_not_be(is_whole: bool) -> None:
    for seed in range(300):
        rng = Random(seed)
        places, skus = ["w0", "w1", "w2"], ["A", "B", "C"]
        barred = {place for place in places if rng.random() < 0.5}
        hazardous = frozenset(sku for sku in skus if rng.random() < 0.5)
        policy = SourcingPolicy(nodes=tuple(NodeTerms(place, excludes_hazardous=True) for place in sorted(barred)))
        candidates = tuple(Candidate(place, rng.randint(0, 9)) for place in places)
        lines = [LineDemand(sku, sku, rng.randint(1, 5)) for sku in skus]
        free = {sku: {place: rng.randint(0, 4) for place in places} for sku in skus}

        plan = (allocate_whole if is_whole else allocate)(
            lines, free, Terms(candidates, policy=policy, hazardous=hazardous)
        )

        assert not [one for one in plan.allocations if one.sku in hazardous and one.warehouse_id in barred]
        left = {
            sku: {place: units for place, units in shelf.items() if not (sku in hazardous and place in barred)}
            for sku, shelf in free.items()
        }
        plain = (allocate_whole if is_whole else allocate)(lines, left, Terms(candidates, policy=policy))
        assert plan.allocations == plain.allocations
