"""Another sourcing policy on plans of the past: the same stock and tariffs, other warehouses, and no row changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from oms.inventory.v1 import inventory_pb2 as pb
from services.inventory import servicer_replay
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument
from tests.inventory.stockroom import Stockroom

LINES = {"1": ("A", 10), "2": ("B", 4)}
COSTS = {"w1": 900, "w2": 1900, "w3": 800}


def shelve(room: Stockroom) -> None:
    for place, sku, units in (("w1", "A", 10), ("w2", "A", 10), ("w2", "B", 4), ("w3", "B", 4)):
        room.receive(place, sku, units)


def replayed(
    room: Stockroom, policy: pb.SourcingPolicy, limit: int = 100, cursor: str = ""
) -> pb.ReplaySourcingResponse:
    request = pb.ReplaySourcingRequest(
        policy=policy,
        since_micros=micros(room.now - timedelta(days=1)),
        until_micros=micros(room.now + timedelta(days=1)),
        limit=limit,
        cursor=cursor,
    )
    return room.servicer.ReplaySourcing(request, None)


def everything(room: Stockroom) -> dict[str, list[str]]:
    """Every row of every table."""
    with room.database.reading() as session:
        return {
            name: sorted(str(tuple(row)) for row in session.execute(text(f"SELECT * FROM {name}")))
            for name in sorted(room.database.metadata.tables)
        }


@pytest.mark.on_postgres
def test_a_split_penalty_is_tried_on_the_stock_of_that_day_and_no_row_changes(stockroom: Stockroom) -> None:
    shelve(stockroom)
    stockroom.reserve("ord_1", LINES, COSTS, currency="USD")
    for place in ("w2", "w3"):
        stockroom.receive(place, "A", 100)  # what came later is not there on that day
    before = everything(stockroom)

    found = replayed(stockroom, pb.SourcingPolicy(split_penalty_minor=500))

    assert everything(stockroom) == before
    (plan,) = found.plans
    assert (list(plan.before.warehouse_ids), plan.before.paid_minor, plan.before.quantity) == (["w1", "w3"], 1700, 14)
    assert (list(plan.after.warehouse_ids), plan.after.paid_minor, plan.after.quantity) == (["w2"], 1900, 14)
    assert (plan.order_id, plan.currency, plan.wanted_quantity, found.not_kept_count) == ("ord_1", "USD", 14, 0)


def test_the_policy_of_its_day_makes_the_plan_that_was_made(stockroom: Stockroom) -> None:
    shelve(stockroom)
    nodes = [pb.NodeTerms(warehouse_id="w3", is_excluded=True), pb.NodeTerms(warehouse_id="w2", order_fee_minor=40)]
    stockroom.put_policy(maximum_splits=1, nodes=nodes)
    stockroom.reserve("ord_1", LINES, COSTS)
    stockroom.put_policy(nodes=[])

    (plan,) = replayed(stockroom, pb.SourcingPolicy()).plans

    [kept] = stockroom.plans("ord_1")
    assert list(plan.before.warehouse_ids) == [one.warehouse_id for one in kept.candidates[0].shipments] == ["w2"]
    assert plan.before.paid_minor == kept.candidates[0].total_minor == 1940
    assert list(plan.after.warehouse_ids) == ["w1", "w3"]


def test_plans_of_before_are_counted_and_left_out(stockroom: Stockroom) -> None:
    shelve(stockroom)
    stockroom.reserve("ord_1", LINES, COSTS)
    with stockroom.database.transaction() as session:
        session.execute(text("UPDATE sourcing_plan SET given = NULL"))

    found = replayed(stockroom, pb.SourcingPolicy())

    assert (list(found.plans), found.not_kept_count, found.next_cursor) == ([], 1, "")


@pytest.mark.parametrize("work_s", [servicer_replay.WORK_S, -1.0])
def test_pages_join_to_the_whole_also_when_each_plan_takes_a_page(
    stockroom: Stockroom, monkeypatch: pytest.MonkeyPatch, work_s: float
) -> None:
    monkeypatch.setattr(servicer_replay, "WORK_S", work_s)
    stockroom.receive("w1", "A", 9)
    for number in range(3):
        stockroom.reserve(f"ord_{number}", {"1": ("A", 3)}, COSTS)

    found: list[str] = []
    cursor, pages = "", 0
    while cursor or not pages:
        page = replayed(stockroom, pb.SourcingPolicy(), limit=2, cursor=cursor)
        found, cursor, pages = [*found, *(plan.order_id for plan in page.plans)], page.next_cursor, pages + 1

    assert sorted(found) == ["ord_0", "ord_1", "ord_2"]
    assert pages == (2 if work_s > 0 else 3)


@pytest.mark.parametrize("cursor", ["x", "1.", "99999999999999999999.src_1", "-1.src_1"])
def test_a_cursor_of_another_list_is_refused(stockroom: Stockroom, cursor: str) -> None:
    with pytest.raises(InvalidArgument, match="cursor"):
        replayed(stockroom, pb.SourcingPolicy(), cursor=cursor)


def test_terms_of_the_orders_customer_are_tried_and_those_of_others_are_not_kept_with_its_plan(
    stockroom: Stockroom,
) -> None:
    shelve(stockroom)
    others = [
        pb.CustomerTerms(customer_id=f"cus_{n}", preferred_warehouse_ids=["w2"], preference_minor=9) for n in range(50)
    ]
    stockroom.put_policy(customers=others)
    stockroom.reserve("ord_1", LINES, COSTS, customer_id="cus_acme")
    stockroom.reserve("ord_2", {"1": ("A", 1)}, COSTS, customer_id="cus_7")
    never_split = pb.CustomerTerms(customer_id="cus_acme", is_never_split=True)

    first, second = replayed(stockroom, pb.SourcingPolicy(customers=[never_split])).plans

    assert (list(first.before.warehouse_ids), list(first.after.warehouse_ids)) == (["w1", "w3"], ["w2"])
    assert (list(second.before.warehouse_ids), list(second.after.warehouse_ids)) == (["w2"], ["w2"])
    with stockroom.database.reading() as session:
        kept = session.execute(text("SELECT given FROM sourcing_plan WHERE order_id = 'ord_1'")).scalar_one()
    assert "cus_7" not in str(kept)
