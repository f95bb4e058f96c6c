"""Outages, and sourcing again what is open, on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete

from oms.inventory.v1 import inventory_pb2 as pb
from oms.inventory.v1 import outage_pb2
from services.inventory.domain.adjusting import Holding
from services.inventory.domain.allocation import Allocation, LineDemand, Plan, Shortage
from services.inventory.domain.resourcing import Moves, moves, open_units
from services.inventory.outage_keeper import OutageKeeper
from services.inventory.store import tables
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument, NotFound, Refused
from tests.inventory.stockroom import MARCH, Stockroom
from tests.inventory.test_races import at_once

TARIFFS = {"w1": 900, "w2": 1000, "w3": 1100}


def close(room: Stockroom, place: str, *, days: int = 3, key: str = "") -> outage_pb2.Outage:
    request = outage_pb2.DeclareOutageRequest(
        request_id=key or room.key(),
        warehouse_id=place,
        ends_at_micros=micros(room.now + timedelta(days=days)),
        reason="flooded dock",
        declared_by="maria",
    )
    return room.servicer.DeclareOutage(request, None).outage


def source_again(
    room: Stockroom,
    order_id: str,
    carried: Mapping[tuple[str, str], int] | None = None,
    *,
    costs: Mapping[str, int] = TARIFFS,
    key: str = "",
    is_to_be_repeated: bool = False,
    **more: Any,
) -> pb.SourceAgainResponse:
    request = pb.SourceAgainRequest(
        request_id=key or room.key(),
        order_id=order_id,
        costs=[pb.WarehouseCost(warehouse_id=place, cost_minor=cost) for place, cost in costs.items()],
        carried=[
            pb.Allocation(line_id=line, warehouse_id=place, quantity=units)
            for (line, place), units in (carried or {}).items()
        ],
        is_to_be_repeated=is_to_be_repeated,
        **more,
    )
    return room.servicer.SourceAgain(request, None)


def asked(room: Stockroom, order_id: str) -> list[str]:
    found = room.servicer.GetSourcingRequests(pb.GetSourcingRequestsRequest(order_id=order_id), None)
    return [one.warehouse_id for one in found.requests]


def keeper(room: Stockroom) -> OutageKeeper:
    return OutageKeeper(room.database, lambda: room.now)


@pytest.mark.on_postgres
def test_what_orders_hold_in_a_closed_warehouse_comes_from_elsewhere_and_the_rest_waits_in_its_place(
    stockroom: Stockroom,
) -> None:
    stockroom.receive("w1", "A", 10)
    stockroom.receive("w2", "A", 6)
    stockroom.reserve("o1", {"l1": ("A", 8)})

    outage = close(stockroom, "w1")
    while keeper(stockroom).step():
        pass
    answer = source_again(stockroom, "o1")

    assert (outage.order_count, asked(stockroom, "o1")) == (1, [])
    assert (stockroom.held("o1"), stockroom.waiting("o1")) == ({("l1", "w2"): 6}, {"l1": 2})
    assert stockroom.stock("A") == {"w1": (10, 0), "w2": (6, 6)}
    assert answer.is_asked
    assert answer.why.startswith("W1 is closed until 2026-03-04 09:00 UTC: flooded dock. Now w2 for ")
    newest, first = stockroom.plans("o1")
    assert (newest.cause, first.cause) == ("W1 is closed until 2026-03-04 09:00 UTC: flooded dock", "")
    assert [(one.warehouse_id, one.reason) for one in newest.unused] == [("w1", "closed"), ("w3", "has none of it")]
    [heard] = stockroom.facts("sourcing_asked")
    assert (heard["order_id"], heard["warehouse_id"], heard["cause"]) == ("o1", "w1", "outage")
    standing = stockroom.facts("stock_reserved", "o1")[-1]["lines"]["l1"]
    assert (standing["allocated"], standing["backordered"]) == (6, 2)
    assert stockroom.broken() == {}


def test_what_shipments_carry_stays_and_a_picked_unit_is_never_sourced_again(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 10)
    stockroom.receive("w2", "A", 10)
    stockroom.reserve("o1", {"l1": ("A", 9)})
    stockroom.ship("o1", "shp_1", "w1", {"l1": ("A", 2)})

    close(stockroom, "w1")
    source_again(stockroom, "o1", {("l1", "w1"): 5})  # 2 have left and 3 are picked

    assert stockroom.held("o1") == {("l1", "w1"): 3, ("l1", "w2"): 4}
    assert stockroom.shipped("o1") == {("l1", "w1"): 2}
    assert stockroom.broken() == {}


def test_nothing_is_sourced_again_that_nobody_asked_for_and_a_repeat_changes_nothing(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.receive("w2", "A", 5)

    unasked = source_again(stockroom, "o1", costs={"w2": 1})
    close(stockroom, "w1")
    first = source_again(stockroom, "o1", key="again")
    repeat = source_again(stockroom, "o1", key="again", costs={"w1": 1, "w2": 5})
    later = source_again(stockroom, "o1")

    assert (unasked.is_asked, first.is_asked, later.is_asked) == (False, True, False)
    assert repeat == first
    assert stockroom.held("o1") == {("l1", "w2"): 5}


def test_a_request_that_waits_for_another_recall_stays_open(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.receive("w2", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 5)})
    close(stockroom, "w1")

    source_again(stockroom, "o1", {("l1", "w1"): 2}, is_to_be_repeated=True)
    between = stockroom.held("o1"), asked(stockroom, "o1")
    source_again(stockroom, "o1")

    assert between == ({("l1", "w1"): 2, ("l1", "w2"): 3}, ["w1"])
    assert (stockroom.held("o1"), asked(stockroom, "o1")) == ({("l1", "w2"): 5}, [])


def test_a_warehouse_opens_by_the_clock_and_serves_who_waits(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 5)})
    close(stockroom, "w1", days=2)
    source_again(stockroom, "o1")

    while keeper(stockroom).step():
        pass
    before = stockroom.waiting("o1")
    stockroom.now += timedelta(days=2)
    while keeper(stockroom).step():
        pass

    assert (before, stockroom.waiting("o1"), stockroom.held("o1")) == ({"l1": 5}, {}, {("l1", "w1"): 5})
    [over] = stockroom.servicer.ListOutages(outage_pb2.ListOutagesRequest(), None).outages
    assert over.ended_at_micros == micros(MARCH + timedelta(days=2))
    assert not stockroom.servicer.ListOutages(outage_pb2.ListOutagesRequest(is_open_only=True), None).outages
    assert stockroom.broken() == {}


def test_opening_a_warehouse_by_hand_ends_its_outage(stockroom: Stockroom) -> None:
    close(stockroom, "w1")

    stockroom.put_warehouse("w1")

    [over] = stockroom.servicer.ListOutages(outage_pb2.ListOutagesRequest(warehouse_id="w1"), None).outages
    assert over.ended_at_micros
    with pytest.raises(Refused) as refused:
        stockroom.servicer.EndOutage(outage_pb2.EndOutageRequest(request_id="e", warehouse_id="w1"), None)
    assert refused.value.reason == "NO_OUTAGE"


def test_an_outage_that_makes_no_sense_is_refused_with_what_to_do(stockroom: Stockroom) -> None:
    reasons = []
    for place, days in (("w1", 0), ("w1", 367), ("w9", 1)):
        with pytest.raises((InvalidArgument, NotFound)) as refused:
            close(stockroom, place, days=days)
        reasons.append(refused.value.reason)
    close(stockroom, "w1")
    with pytest.raises(Refused) as closed:
        close(stockroom, "w1")

    assert reasons == ["OUTAGE_END_INVALID", "OUTAGE_END_INVALID", "WAREHOUSE_UNKNOWN"]
    assert closed.value.reason == "WAREHOUSE_CLOSED"


def test_many_orders_are_told_in_batches_each_once(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 120)
    for number in range(120):
        stockroom.reserve(f"o{number}", {"l1": ("A", 1)})
    close(stockroom, "w1")

    one, beside = keeper(stockroom), keeper(stockroom)
    steps = 0
    while one.step() or beside.step():
        steps += 1

    heard = [fact["order_id"] for fact in stockroom.facts("sourcing_asked")]
    assert (steps, len(heard), len(set(heard))) == (3, 120, 120)


def test_an_order_that_was_not_told_within_the_grace_of_a_batch_breaks_the_audit(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 1)
    stockroom.reserve("o1", {"l1": ("A", 1)})
    close(stockroom, "w1")

    fresh = stockroom.broken()
    stockroom.now += timedelta(minutes=16)

    assert (fresh, list(stockroom.broken())) == ({}, ["inventory.orders_hear_of_sourcing"])


def test_the_difference_of_two_plans_is_all_that_moves() -> None:
    before = open_units([Holding("1", "A", 2, {"w1": 5, "w2": 1}, {"w1": 3})], {("1", "w1"): 4})
    plan = Plan((Allocation("1", "A", "w2", 4),), (Shortage("1", "A", 3),))

    # of 5 held in w1 one is in a shipment beside the 3 that have left: 4 are open there, 1 in w2, 2 wait
    assert before.lines == (LineDemand("1", "A", 7),)
    assert before.serving == {"w1"}
    assert moves(before, plan) == Moves(
        (Allocation("1", "A", "w1", 4),), (Allocation("1", "A", "w2", 3),), (), (LineDemand("1", "A", 1),)
    )


@pytest.mark.parametrize("seed", range(10))
def test_orders_outages_and_plans_in_any_order_leave_every_unit_once(stockroom: Stockroom, seed: int) -> None:
    random_ = random.Random(seed)
    wanted: dict[str, int] = {}
    for step in range(60):
        act = random_.choice(("receive", "order", "close", "open", "again", "again"))
        place = random_.choice(("w1", "w2", "w3"))
        if act == "receive":
            stockroom.receive(place, "A", random_.randint(1, 6))
        elif act == "order":
            wanted[f"o{step}"] = random_.randint(1, 8)
            stockroom.reserve(f"o{step}", {"1": ("A", wanted[f"o{step}"])}, placed_days=step)
        elif act == "close":
            lasting = stockroom.servicer.ListOutages(outage_pb2.ListOutagesRequest(is_open_only=True), None).outages
            if place not in {one.warehouse_id for one in lasting}:
                close(stockroom, place)
        elif act == "open":
            stockroom.put_warehouse(place)
        elif wanted:
            source_again(stockroom, random_.choice(sorted(wanted)))
        assert stockroom.broken() == {}

    for order, units in wanted.items():
        assert sum(stockroom.held(order).values()) + sum(stockroom.waiting(order).values()) == units


def race(room: Stockroom) -> tuple[int, int]:
    """Thirty orders for one warehouse while it closes: how many hold something there, and of those how many were asked to leave it."""
    room.receive("w1", "A", 60)
    acts: list[Callable[[], object]] = [
        partial(room.reserve, f"o{number}", {"1": ("A", 1)}, {"w1": 900}, key=f"order/{number}") for number in range(30)
    ]
    acts.insert(12, partial(close, room, "w1", key="close"))
    at_once(acts)
    holding = [f"o{number}" for number in range(30) if room.held(f"o{number}")]
    return len(holding), sum(asked(room, order) == ["w1"] for order in holding)


@pytest.mark.on_postgres
def test_whoever_reserved_before_a_warehouse_closed_is_asked_to_leave_it_and_nobody_reserves_there_afterwards(
    stockroom: Stockroom,
) -> None:
    holding, leaving = race(stockroom)

    assert holding == leaving
    assert stockroom.broken() == {}


def test_an_order_that_was_not_asked_to_leave_a_closed_warehouse_breaks_the_audit(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"1": ("A", 1)}, {"w1": 900})
    close(stockroom, "w1")
    with stockroom.database.transaction() as session:
        session.execute(delete(tables.sourcing_request))

    assert list(stockroom.broken()) == ["inventory.outages_are_left"]
