"""Changing what an order has reserved, on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from services.kernel.errors import AlreadyExists, InvalidArgument, Refused
from tests.inventory.stockroom import Stockroom
from tests.inventory.test_races import at_once
from tests.plans import counted


@pytest.mark.on_postgres
def test_a_smaller_order_gives_up_its_backorder_first_and_then_the_dearest_stock(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 6)
    stockroom.receive("w2", "A", 2)
    stockroom.reserve("o1", {"l1": ("A", 10)})

    first = stockroom.change("o1", {"l1": ("A", 9)})
    assert (stockroom.held("o1"), stockroom.waiting("o1")) == ({("l1", "w1"): 6, ("l1", "w2"): 2}, {"l1": 1})
    assert [(short.line_id, short.quantity) for short in first.shortages] == [("l1", 1)]

    second = stockroom.change("o1", {"l1": ("A", 5)})
    assert (stockroom.held("o1"), stockroom.waiting("o1")) == ({("l1", "w1"): 5}, {})
    assert [(part.warehouse_id, part.quantity) for part in second.allocations] == [("w1", 5)]
    assert stockroom.stock("A") == {"w1": (6, 5), "w2": (2, 0)}
    notified = [(fact["kind"], fact["lines"]["l1"]) for fact in stockroom.facts(order_id="o1")]
    assert notified[1:] == [
        ("stock_released", {"allocated": 8, "backordered": 1, "expected_on": ""}),
        ("stock_released", {"allocated": 5, "backordered": 0, "expected_on": ""}),
    ]
    assert stockroom.broken() == {}


def test_a_larger_order_takes_what_is_free_and_waits_in_its_old_place_for_the_rest(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 3)}, placed_days=1)

    answer = stockroom.change("o1", {"l1": ("A", 9), "l2": ("B", 2)}, placed_days=1)
    stockroom.reserve("o2", {"l1": ("A", 1)}, placed_days=2)
    stockroom.reserve("o0", {"l1": ("A", 1)}, placed_days=0)

    assert [(part.line_id, part.quantity) for part in answer.allocations] == [("l1", 5)]
    assert [(short.line_id, short.quantity) for short in answer.shortages] == [("l1", 4), ("l2", 2)]
    notified = stockroom.facts("stock_reserved", "o1")[-1]
    assert {line: (at["allocated"], at["backordered"]) for line, at in notified["lines"].items()} == {
        "l1": (5, 4),
        "l2": (0, 2),
    }
    stockroom.receive("w1", "A", 3)  # one for o0, which was placed before, the rest for o1; nothing for o2
    assert [stockroom.waiting(order) for order in ("o0", "o1", "o2")] == [{}, {"l1": 2, "l2": 2}, {"l1": 1}]
    assert stockroom.broken() == {}


def test_what_a_change_gives_up_goes_to_who_waits_longest_in_the_same_transaction(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.reserve("o2", {"l1": ("A", 4)}, placed_days=1)

    stockroom.change("o1", {"l1": ("A", 2)})

    assert (stockroom.held("o2"), stockroom.waiting("o2")) == ({("l1", "w1"): 3}, {"l1": 1})
    assert stockroom.facts("stock_allocated", "o2")[-1]["lines"]["l1"]["allocated"] == 3
    assert stockroom.broken() == {}


def test_units_that_move_to_another_line_of_the_order_pass_who_waited_before_it(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 5)}, placed_days=2)
    stockroom.reserve("o2", {"l1": ("A", 2)}, placed_days=1)

    stockroom.change("o1", {"l2": ("A", 5)}, placed_days=2)

    assert stockroom.waiting("o2") == {}
    assert (stockroom.held("o1"), stockroom.waiting("o1")) == ({("l2", "w1"): 3}, {"l2": 2})
    (mine,) = [fact for fact in stockroom.facts(order_id="o1") if "l2" in fact["lines"]]
    assert (mine["kind"], mine["lines"]["l1"]["allocated"]) == ("stock_reserved", 0)
    assert stockroom.broken() == {}


def test_a_line_that_is_missing_is_given_up_and_an_order_without_any_ends_its_reservation(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 8), "l2": ("B", 1)})

    answer = stockroom.change("o1", {})

    assert (answer.reservation_id, list(answer.allocations), list(answer.shortages)) == ("", [], [])
    assert list(stockroom.audit().holding_order_ids) == []
    assert stockroom.facts("stock_released", "o1")[-1]["is_complete"]
    stockroom.change("o1", {"l3": ("A", 2)})
    assert stockroom.held("o1") == {("l3", "w1"): 2}
    assert stockroom.broken() == {}


def test_nothing_below_what_has_shipped(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.ship("o1", "s1", "w1", {"l1": ("A", 3)})

    for lines in ({"l1": ("A", 2)}, {}):
        with pytest.raises(Refused) as refusal:
            stockroom.change("o1", lines)
        assert refusal.value.reason == "BELOW_SHIPPED"

    assert stockroom.held("o1") == {("l1", "w1"): 2}
    stockroom.change("o1", {"l1": ("A", 3)})
    assert list(stockroom.audit().holding_order_ids) == []
    assert stockroom.broken() == {}


def test_an_order_that_has_shipped_in_full_can_get_more(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 3)})
    stockroom.ship("o1", "s1", "w1", {"l1": ("A", 3)})

    stockroom.change("o1", {"l1": ("A", 4)})

    assert (stockroom.held("o1"), stockroom.shipped("o1")) == ({("l1", "w1"): 1}, {("l1", "w1"): 3})
    assert stockroom.facts("stock_reserved", "o1")[-1]["lines"]["l1"]["allocated"] == 4
    assert stockroom.broken() == {}


def test_before_anything_was_reserved_a_change_reserves(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)

    answer = stockroom.change("o1", {"l1": ("A", 3)})

    assert answer.reservation_id.startswith("res_")
    assert stockroom.facts("stock_reserved", "o1")[0]["lines"]["l1"]["allocated"] == 3
    with pytest.raises(InvalidArgument, match="costs is empty"):
        stockroom.change("o2", {"l1": ("A", 3)}, costs={})


def test_a_change_of_nothing_tells_nothing_and_a_repeat_gets_the_first_answer(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 3)})

    stockroom.change("o1", {"l1": ("A", 3)})
    assert len(stockroom.facts(order_id="o1")) == 1

    first = stockroom.change("o1", {"l1": ("A", 1)}, key="order/o1/change/chg_1/stock")
    stockroom.receive("w1", "A", 5)
    assert stockroom.change("o1", {"l1": ("A", 1)}, {"w1": 901}, key="order/o1/change/chg_1/stock") == first
    with pytest.raises(AlreadyExists):
        stockroom.change("o1", {"l1": ("A", 2)}, key="order/o1/change/chg_1/stock")


def test_what_a_shipment_carries_is_not_given_up_under_it(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)
    stockroom.receive("w2", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 10)})

    stockroom.change("o1", {"l1": ("A", 6)}, carried={("l1", "w2"): 5})

    assert stockroom.held("o1") == {("l1", "w1"): 1, ("l1", "w2"): 5}
    with pytest.raises(Refused) as refusal:
        stockroom.change("o1", {"l1": ("A", 4)}, carried={("l1", "w2"): 5})
    assert refusal.value.reason == "RECALL_FIRST"


@pytest.mark.on_postgres
def test_a_new_address_lets_other_warehouses_serve_who_waits(stockroom: Stockroom) -> None:
    stockroom.receive("w3", "A", 5)
    stockroom.reserve("o1", {"l1": ("A", 3)}, {"w1": 900})

    stockroom.change("o1", {"l1": ("A", 3)}, {"w3": 700})

    assert (stockroom.held("o1"), stockroom.waiting("o1")) == ({("l1", "w3"): 3}, {})
    assert stockroom.facts("stock_reserved", "o1")[-1]["is_complete"]
    assert stockroom.broken() == {}


@pytest.mark.on_postgres
def test_changes_shipments_and_receipts_at_once_keep_every_invariant(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 30)
    stockroom.receive("w1", "B", 30)
    for n in range(20):
        stockroom.reserve(f"o{n}", {"l1": ("A", 2), "l2": ("B", 2)}, placed_days=n)

    acts: list[Callable[[], object]] = []
    for n in range(10):
        acts += [
            partial(stockroom.change, f"o{n}", {"l1": ("A", 3), "l2": ("B", 1)}, placed_days=n),
            partial(stockroom.ship, f"o{n}", f"s{n}", "w1", {"l1": ("A", 1)}),
            partial(stockroom.receive, "w2", "B" if n % 2 else "A", 2, key=f"receipt/{n}"),
        ]
    at_once(acts)

    assert stockroom.broken() == {}
    assert [sum(stockroom.held(f"o{n}").values()) + sum(stockroom.waiting(f"o{n}").values()) for n in range(10)] == (
        [3] * 10  # 3 + 1 wanted, 1 shipped
    )


@pytest.mark.parametrize("seed", range(8))
def test_no_unit_is_lost_or_made_whatever_happens(stockroom: Stockroom, seed: int) -> None:
    chance = random.Random(seed)
    received, wanted = {"A": 0, "B": 0}, dict[str, dict[str, tuple[str, int]]]()
    for step in range(70):
        order_id = f"o{chance.randint(1, 5)}"
        lines = {f"l{sku}{n}": (sku, chance.randint(1, 9)) for sku in "AB" for n in "12" if chance.random() < 0.5}
        match chance.choice(["reserve", "change", "change", "ship", "receive", "release"]):
            case "reserve" | "change" as act:
                with suppress(Refused):  # reserved already, or below what has shipped
                    getattr(stockroom, act)(order_id, lines, placed_days=int(order_id[1]))
                    wanted[order_id] = lines
            case "ship":
                for (line_id, place), units in list(stockroom.held(order_id).items())[:1]:
                    part = chance.randint(1, units)
                    stockroom.ship(order_id, f"s{step}", place, {line_id: (line_id[1], part)})
            case "receive":
                sku, units = chance.choice("AB"), chance.randint(1, 9)
                stockroom.receive(chance.choice(["w1", "w2", "w3"]), sku, units, "1.37")
                received[sku] += units
            case "release":
                stockroom.release(order_id)
                wanted.pop(order_id, None)
        assert stockroom.broken() == {}, step

    _nothing_lost(stockroom, received)
    for order_id, lines in wanted.items():
        _has_what_it_wants(stockroom, order_id, lines)


def _nothing_lost(stockroom: Stockroom, received: dict[str, int]) -> None:
    """Units in the buildings and units that left are the units received; units promised are the units orders hold."""
    orders = [f"o{n}" for n in range(1, 6)]
    for sku, units in received.items():
        levels = stockroom.stock(sku).values()
        left = [n for order in orders for (line, _), n in stockroom.shipped(order).items() if line[1] == sku]
        held = [n for order in orders for (line, _), n in stockroom.held(order).items() if line[1] == sku]
        assert sum(on_hand for on_hand, _ in levels) + sum(left) == units
        assert sum(allocated for _, allocated in levels) == sum(held)


def _has_what_it_wants(stockroom: Stockroom, order_id: str, lines: dict[str, tuple[str, int]]) -> None:
    """An order that was last changed has exactly what it asked for: shipped, held or waiting."""
    has = dict(stockroom.waiting(order_id))
    for parts in (stockroom.held(order_id), stockroom.shipped(order_id)):
        for (line_id, _), units in parts.items():
            has[line_id] = has.get(line_id, 0) + units
    notified = stockroom.facts(order_id=order_id)[-1]
    for line_id, (_, units) in lines.items():
        assert has.get(line_id, 0) >= units
    if "lines" in notified:
        assert {
            line: at["allocated"] + at["backordered"] for line, at in notified["lines"].items() if any(at.values())
        } == {line: units for line, units in has.items() if units}


@pytest.mark.parametrize("have", [0, 5], ids=["what is missing waits", "all is there"])
def test_a_change_of_many_lines_asks_the_database_no_more_often_than_one_of_few(
    stockroom: Stockroom, have: int
) -> None:
    for sku in map(str, range(60)) if have else ():
        stockroom.receive("w1", sku, have)
    costs = []
    for order, lines in (("few", 10), ("many", 50)):
        stockroom.reserve(order, {"l0": ("first", 1)})
        wanted = {f"l{number}": (str(number), 2) for number in range(1, lines + 1)}
        with counted(stockroom.database) as sent:
            stockroom.change(order, {"l0": ("first", 1), **wanted})
            stockroom.change(order, {line: (sku, 1) for line, (sku, _) in wanted.items()})
        costs.append(len(sent))

    assert costs[1] == costs[0]
    assert stockroom.broken() == {}
