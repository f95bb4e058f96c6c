"""Who gets goods first, through the service: classes, tiers, days, whole lines and orders, and what is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from oms.inventory.v1 import allocation_pb2 as pb
from services.inventory import left_queues
from services.inventory.models import Table
from services.kernel.errors import InvalidArgument, NotFound
from tests.inventory.stockroom import Stockroom


def a6(stockroom: Stockroom) -> None:
    """O1 bronze 30 (1 March), O3 silver 15 (2 March), O2 gold 20 (3 March), whole lines only."""
    stockroom.put_allocation(("gold", "gain", "line_complete"), ("silver", "gain"), ("bronze", "gain"))
    stockroom.reserve("o1", {"l1": ("J", 30)}, placed_days=0, tier="bronze")
    stockroom.reserve("o3", {"l1": ("J", 15)}, placed_days=1, tier="silver")
    stockroom.reserve("o2", {"l1": ("J", 20)}, placed_days=2, tier="gold")


def test_a6_a_receipt_of_40_fills_gold_then_silver_and_gives_bronze_the_rest(stockroom: Stockroom) -> None:
    a6(stockroom)

    stockroom.receive("w1", "J", 40)

    assert [stockroom.units(one) for one in ("o1", "o2", "o3")] == [5, 20, 15]
    assert stockroom.broken() == {}


def test_a6_a_whole_line_that_18_cannot_fill_is_passed_by_and_filled_by_the_next_receipt(stockroom: Stockroom) -> None:
    a6(stockroom)

    stockroom.receive("w1", "J", 18)
    first = [stockroom.units(one) for one in ("o1", "o2", "o3")]
    stockroom.receive("w1", "J", 22)

    assert first == [3, 0, 15]
    assert [stockroom.units(one) for one in ("o1", "o2", "o3")] == [5, 20, 15]
    assert stockroom.broken() == {}


def test_the_queue_says_who_waits_in_which_order_and_since_when(stockroom: Stockroom) -> None:
    a6(stockroom)

    rows = stockroom.queue("J")

    assert [(row.order_id, row.position, row.before_quantity, row.customer_tier, row.tier_rank) for row in rows] == [
        ("o2", 1, 0, "gold", 1),
        ("o3", 2, 20, "silver", 2),
        ("o1", 3, 35, "bronze", 3),
    ]
    assert {row.waiting_since_micros for row in rows} == {int(stockroom.now.timestamp()) * 1_000_000}
    assert (rows[0].wanted_on, rows[0].delivery, rows[0].allocation_class) == ("2026-03-03", "line_complete", "gain")


def test_what_if_says_who_would_get_goods_and_touches_no_row(stockroom: Stockroom) -> None:
    a6(stockroom)
    stockroom.expect("w1", "J", 65, "2026-03-20")
    before = rows_of_all_tables(stockroom)

    found = stockroom.what_if("w1", "J", 40)

    assert [(one.order_id, one.waiting_quantity, one.quantity) for one in found.fills] == [
        ("o2", 20, 20), ("o3", 15, 15), ("o1", 30, 5)
    ]  # fmt: skip
    assert [(one.expected_on, one.then_expected_on) for one in found.fills] == [
        ("2026-03-20", ""), ("2026-03-20", ""), ("2026-03-20", "2026-03-20")
    ]  # fmt: skip
    assert (found.filled_quantity, found.left_quantity, found.still_waiting_quantity) == (40, 0, 25)
    assert rows_of_all_tables(stockroom) == before
    stockroom.receive("w1", "J", 40)
    assert {one.order_id: one.quantity for one in found.fills} == {
        one: stockroom.units(one) for one in ("o1", "o2", "o3")
    }


def rows_of_all_tables(stockroom: Stockroom) -> dict[str, list[str]]:
    """Table → its rows, as text."""
    with stockroom.database.reading() as session:
        return {
            name: sorted(map(str, session.execute(select(table)).all()))
            for name, table in Table.metadata.tables.items()
        }


def test_a_newcomer_of_a_better_tier_moves_the_days_of_those_behind_it_and_they_are_told(stockroom: Stockroom) -> None:
    stockroom.put_allocation(("gold", "gain"))
    stockroom.reserve("o1", {"l1": ("J", 10)})
    stockroom.expect("w1", "J", 10, "2026-03-20")
    stockroom.expect("w1", "J", 10, "2026-03-27")

    stockroom.reserve("o2", {"l1": ("J", 10)}, placed_days=1, tier="gold")

    notified = stockroom.facts("stock_expected", "o1")
    assert [one["lines"]["l1"]["expected_on"] for one in notified] == ["2026-03-20", "2026-03-27"]


def test_a_changed_policy_ranks_who_waits_and_tells_them_of_their_days(stockroom: Stockroom) -> None:
    stockroom.reserve("o1", {"l1": ("J", 10)}, tier="bronze")
    stockroom.reserve("o2", {"l1": ("J", 10)}, placed_days=1, tier="gold")
    stockroom.expect("w1", "J", 10, "2026-03-20")

    stockroom.put_allocation(("gold", "gain"))

    assert [row.order_id for row in stockroom.queue("J")] == ["o2", "o1"]
    assert stockroom.facts("stock_expected", "o2")[-1]["lines"]["l1"]["expected_on"] == "2026-03-20"
    assert stockroom.broken() == {}


def test_an_expedited_order_comes_before_others_of_its_class_and_back_again(stockroom: Stockroom) -> None:
    stockroom.reserve("o1", {"l1": ("J", 10)})
    stockroom.reserve("o2", {"l1": ("J", 10)}, placed_days=1)

    done = stockroom.servicer.ExpediteOrder(pb.ExpediteOrderRequest(order_id="o2", is_expedited=True), None)
    hurried = [row.order_id for row in stockroom.queue("J")]
    stockroom.servicer.ExpediteOrder(pb.ExpediteOrderRequest(order_id="o2"), None)

    assert done.waiting_quantity == 10
    assert hurried == ["o2", "o1"]
    assert [row.order_id for row in stockroom.queue("J")] == ["o1", "o2"]
    with pytest.raises(NotFound, match="nothing of it waits"):
        stockroom.servicer.ExpediteOrder(pb.ExpediteOrderRequest(order_id="o9"), None)


def test_fair_shares_of_too_few_units_are_in_proportion(stockroom: Stockroom) -> None:
    stockroom.put_allocation(is_fair_share=True)
    for order_id, units in (("o1", 30), ("o2", 15), ("o3", 15)):
        stockroom.reserve(order_id, {"l1": ("J", units)})

    stockroom.receive("w1", "J", 20)

    assert [stockroom.units(one) for one in ("o1", "o2", "o3")] == [10, 5, 5]
    assert stockroom.broken() == {}


def frozen(stockroom: Stockroom, tier: str = "") -> None:
    """An order that ships complete holds 6 J and waits for 2 K."""
    stockroom.receive("w1", "J", 6)
    stockroom.reserve("o1", {"l1": ("J", 6), "l2": ("K", 2)}, tier=tier, is_order_complete=True)


def test_what_a_waiting_order_holds_goes_to_others_once_it_is_over_age(stockroom: Stockroom) -> None:
    stockroom.put_allocation(freeze_days=5)
    frozen(stockroom)
    stockroom.reserve("o2", {"l1": ("J", 4)}, placed_days=1)
    stockroom.now += timedelta(days=4, hours=23)
    stockroom.look_for_overdue()
    before = stockroom.units("o2")

    stockroom.now += timedelta(hours=1)
    stockroom.look_for_overdue()

    assert before == 0
    assert (stockroom.units("o2"), stockroom.units("o1")) == (4, 2)
    assert stockroom.waiting("o1") == {"l1": 4, "l2": 2}
    assert stockroom.facts("stock_released", "o1")[-1]["lines"]["l1"]["backordered"] == 4
    assert stockroom.facts("stock_allocated", "o2")[-1]["lines"]["l1"]["allocated"] == 4
    assert stockroom.broken() == {}


def test_a_newcomer_gets_what_is_over_age_at_once_and_nobody_else_does(stockroom: Stockroom) -> None:
    stockroom.put_allocation(freeze_days=5)
    frozen(stockroom)
    stockroom.now += timedelta(days=5)

    stockroom.reserve("o2", {"l1": ("J", 6)}, placed_days=5)
    stockroom.fill_on()

    assert (stockroom.units("o2"), stockroom.units("o1")) == (6, 0)
    assert stockroom.broken() == {}


def test_an_order_that_ends_while_it_waits_for_the_rest_keeps_nothing_together(stockroom: Stockroom) -> None:
    frozen(stockroom)
    stockroom.release("o1")
    stockroom.reserve("o2", {"l1": ("J", 8)}, is_order_complete=True)

    stockroom.change("o2", {"l1": ("J", 0)})

    assert stockroom.broken() == {}


def test_two_orders_that_are_over_age_take_nothing_of_each_other(stockroom: Stockroom) -> None:
    """Each holds what the other waits for: before, units went to and fro for ever."""
    stockroom.put_allocation(freeze_days=5)
    wanted = {"l1": ("J", 2), "l2": ("K", 2), "l3": ("M", 1)}
    stockroom.receive("w1", "J", 2)
    stockroom.reserve("o1", wanted, placed_days=1, is_order_complete=True)
    stockroom.reserve("o2", wanted, is_order_complete=True)
    stockroom.receive("w1", "K", 2)
    stockroom.now += timedelta(days=6)

    with stockroom.database.transaction() as session:
        left_queues.leave_overdue(session, stockroom.now)

    assert [stockroom.fill_batch() for _ in range(2)] == [False, False]
    assert [sorted(stockroom.held(one)) for one in ("o1", "o2")] == [[("l1", "w1")], [("l2", "w1")]]
    assert stockroom.broken() == {}


def test_win_takes_of_lose_what_it_holds_while_it_waits_and_gain_does_not(stockroom: Stockroom) -> None:
    stockroom.put_allocation(("top", "win"), ("middle", "gain"), ("last", "lose"))
    frozen(stockroom, tier="last")
    stockroom.reserve("o2", {"l1": ("J", 4)}, placed_days=1, tier="middle")
    stockroom.fill_on()
    gained = stockroom.units("o2")

    stockroom.reserve("o3", {"l1": ("J", 4)}, placed_days=2, tier="top")
    stockroom.fill_on()

    assert gained == 0
    assert (stockroom.units("o3"), stockroom.units("o1")) == (4, 2)
    assert stockroom.broken() == {}


def test_an_order_that_is_complete_or_partly_with_a_warehouse_gives_nothing_up(stockroom: Stockroom) -> None:
    stockroom.put_allocation(("top", "win"), ("last", "lose"))
    frozen(stockroom, tier="last")
    stockroom.receive("w1", "K", 2)
    assert stockroom.units("o1") == 8
    stockroom.change(
        "o1", {"l1": ("J", 6), "l2": ("K", 3)}, carried={("l1", "w1"): 6, ("l2", "w1"): 2},
        customer_tier="last", is_order_complete=True,
    )  # fmt: skip

    stockroom.reserve("o3", {"l1": ("J", 4)}, placed_days=2, tier="top")
    stockroom.fill_on()

    assert (stockroom.units("o3"), stockroom.units("o1")) == (0, 8)
    assert stockroom.broken() == {}


def test_a_class_without_a_rule_and_a_tier_twice_say_what_to_do(stockroom: Stockroom) -> None:
    with pytest.raises(InvalidArgument, match="platinum has no rule: choose one of win, gain"):
        stockroom.put_allocation(("gold", "platinum"))
    with pytest.raises(InvalidArgument, match="each tier may come once"):
        stockroom.put_allocation(("gold", "win"), ("gold", "lose"))
    with pytest.raises(InvalidArgument, match="is said with the order"):
        stockroom.put_allocation(("gold", "win", "order_complete"))
