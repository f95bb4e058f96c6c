"""Cases of other systems in which too few units went to the wrong order, one each, to the figure."""

from __future__ import annotations

import pytest

from oms.inventory.v1 import allocation_pb2 as pb
from tests.inventory.stockroom import Stockroom

J = "J"


def wants(stockroom: Stockroom, order_id: str, units: int, **how: object) -> None:
    stockroom.reserve(order_id, {"l1": (J, units)}, **how)  # type: ignore[arg-type]  # as reserve() takes them


def test_of_two_needs_the_earlier_gets_what_comes_whatever_asked_for_it(stockroom: Stockroom) -> None:
    """odoo PR#78164: sales need (Monday 9:00) and factory need (10:00), 1 received; by class the later one."""
    wants(stockroom, "sales", 1)
    wants(stockroom, "factory", 1, placed_days=1, tier="plant")

    stockroom.receive("w1", J, 1)
    stockroom.put_allocation(("plant", "win"))
    wants(stockroom, "sales-2", 1, placed_days=2)
    stockroom.receive("w1", J, 1)

    assert [stockroom.units(one) for one in ("sales", "factory", "sales-2")] == [1, 1, 0]


def test_wanted_days_decide_not_the_day_of_the_order(stockroom: Stockroom) -> None:
    """odoo PR#85279: 2 in stock, wanted on January 4, 1 and 2: those of 1 and 2 January are served."""
    for order_id, day in (("a", "2027-01-04"), ("b", "2027-01-01"), ("c", "2027-01-02")):
        wants(stockroom, order_id, 1, requested_on=day)

    stockroom.receive("w1", J, 2)

    assert [stockroom.units(one) for one in ("a", "b", "c")] == [0, 1, 1]


def test_of_two_that_are_overdue_the_customers_date_decides(stockroom: Stockroom) -> None:
    """odoo PR#167997: not when stock was asked for."""
    wants(stockroom, "asked-first", 1, requested_on="2026-02-20")
    wants(stockroom, "asked-last", 1, placed_days=1, requested_on="2026-02-10")

    stockroom.receive("w1", J, 1)

    assert [stockroom.units(one) for one in ("asked-first", "asked-last")] == [0, 1]


def test_who_wants_it_later_waits_for_the_replenishment(stockroom: Stockroom) -> None:
    """odoo#24441: 10 units; A wants 1 on 1 May, B 10 on 15 April: B gets 10 now, A waits and is due with what is announced."""
    wants(stockroom, "a", 1, requested_on="2026-05-01")
    wants(stockroom, "b", 10, placed_days=1, requested_on="2026-04-15")
    stockroom.receive("w1", J, 10)

    stockroom.expect("w1", J, 1, "2026-04-16")

    assert [stockroom.units(one) for one in ("a", "b")] == [0, 10]
    assert stockroom.queue(J)[0].expected_on == "2026-04-16"


def test_what_remains_of_a_part_shipment_waits_for_a_person_where_the_tier_says_so(stockroom: Stockroom) -> None:
    """odoo PR#84102: 10 of 15 shipped, 5 come: nothing is reserved until somebody says so."""
    policy = pb.AllocationPolicy(
        tiers=[pb.TierTerms(tier="manual", allocation_class="gain", delivery="partial", is_manual=True)]
    )
    stockroom.servicer.PutAllocationPolicy(pb.PutAllocationPolicyRequest(policy=policy), None)
    stockroom.receive("w1", J, 10)
    wants(stockroom, "o1", 15, tier="manual")
    stockroom.ship("o1", "shp_1", "w1", {"l1": (J, 10)})

    stockroom.receive("w1", J, 5)
    untouched, [row], broken = stockroom.units("o1"), stockroom.queue(J), stockroom.broken()
    released = stockroom.servicer.ReleaseBackorder(pb.ReleaseBackorderRequest(backorder_id=row.backorder_id), None)

    assert (untouched, row.is_manual, broken) == (0, True, {})
    assert (released.filled_quantity, released.waiting_quantity, stockroom.units("o1")) == (5, 0, 5)
    assert stockroom.broken() == {}


def test_a_released_backorder_stays_released_when_the_policy_changes(stockroom: Stockroom) -> None:
    terms = pb.TierTerms(tier="manual", allocation_class="gain", delivery="partial", is_manual=True)
    for days in (5, 6):
        policy = pb.AllocationPolicy(tiers=[terms], freeze_days=days)
        stockroom.servicer.PutAllocationPolicy(pb.PutAllocationPolicyRequest(policy=policy), None)
        if days == 5:
            wants(stockroom, "o1", 5, tier="manual")
            one = stockroom.queue(J)[0].backorder_id
            stockroom.servicer.ReleaseBackorder(pb.ReleaseBackorderRequest(backorder_id=one), None)
        stockroom.fill_on()

    stockroom.receive("w1", J, 5)

    assert stockroom.units("o1") == 5


def test_of_15_ordered_and_10_delivered_5_wait(stockroom: Stockroom) -> None:
    """aureuserp#1242: not 10."""
    stockroom.receive("w1", J, 10)
    wants(stockroom, "o1", 15)

    stockroom.ship("o1", "shp_1", "w1", {"l1": (J, 10)})

    assert stockroom.waiting("o1") == {"l1": 5}


def test_what_is_given_up_goes_to_the_next_in_line_at_once(stockroom: Stockroom) -> None:
    """erpnext#52851: the remainder of 4 is abandoned, and given to who is next."""
    stockroom.receive("w1", J, 10)
    wants(stockroom, "o1", 10)
    stockroom.ship("o1", "shp_1", "w1", {"l1": (J, 6)})
    wants(stockroom, "o2", 3, placed_days=1)
    wants(stockroom, "o3", 3, placed_days=2)

    stockroom.change("o1", {"l1": (J, 6)}, carried={("l1", "w1"): 6})

    assert [stockroom.units(one) for one in ("o1", "o2", "o3")] == [0, 3, 1]
    assert stockroom.broken() == {}


def test_a_second_pick_list_has_what_was_not_delivered(stockroom: Stockroom) -> None:
    """erpnext#41092, PR#50910: 4 pickable after 6 of 10."""
    stockroom.receive("w1", J, 10)
    wants(stockroom, "o1", 10)

    stockroom.ship("o1", "shp_1", "w1", {"l1": (J, 6)})

    assert stockroom.held("o1") == {("l1", "w1"): 4}


@pytest.mark.parametrize("order", ["sc", "cs", "scs", "css"])
def test_what_is_reserved_is_never_below_nothing_after_any_order_of_ship_and_change(
    stockroom: Stockroom, order: str
) -> None:
    """medusa#12401, #11131."""
    stockroom.receive("w1", J, 10)
    wants(stockroom, "o1", 10)
    shipped = 0

    for step, act in enumerate(order):
        if act == "s" and stockroom.units("o1") >= 3:
            stockroom.ship("o1", f"shp_{step}", "w1", {"l1": (J, 3)})
            shipped += 3
        elif act == "c":
            stockroom.change("o1", {"l1": (J, 6)}, carried={("l1", "w1"): shipped} if shipped else {})
        on_hand, allocated = stockroom.stock(J)["w1"]
        assert 0 <= allocated <= on_hand
        assert stockroom.broken() == {}


def test_lose_gives_up_only_to_win_and_gain_keeps_its_100(stockroom: Stockroom) -> None:
    """SAP aATP: 100 confirmed stay at least 100."""
    stockroom.put_allocation(
        ("win", "win"), ("gain", "gain"), ("redistribute", "redistribute"), ("fill", "fill"), ("lose", "lose")
    )
    stockroom.receive("w1", J, 200)
    for tier in ("gain", "lose"):
        lines = {"l1": (J, 100), "l2": (f"K-{tier}", 1)}
        stockroom.reserve(tier, lines, tier=tier, is_order_complete=True)
    for tier in ("redistribute", "fill"):
        wants(stockroom, tier, 50, placed_days=1, tier=tier)
    stockroom.fill_on()
    before = [stockroom.units(one) for one in ("gain", "lose", "redistribute", "fill")]

    wants(stockroom, "win", 150, placed_days=2, tier="win")
    stockroom.fill_on()

    assert before == [100, 100, 0, 0]
    assert [stockroom.units(one) for one in ("win", "gain", "lose")] == [100, 100, 0]
    assert stockroom.broken() == {}


def test_who_is_sooner_in_redistribute_takes_from_who_is_later(stockroom: Stockroom) -> None:
    stockroom.put_allocation(usual_class="redistribute")
    stockroom.receive("w1", J, 10)
    later = {"l1": (J, 10), "l2": ("K", 1)}
    stockroom.reserve("later", later, placed_days=2, is_order_complete=True)

    wants(stockroom, "sooner", 4, placed_days=1)
    wants(stockroom, "last", 4, placed_days=3)
    stockroom.fill_on()

    assert [stockroom.units(one) for one in ("sooner", "later", "last")] == [4, 6, 0]
    assert stockroom.broken() == {}


def test_of_3_of_which_others_hold_2_an_order_of_4_gets_1_and_is_told_that_3_wait(stockroom: Stockroom) -> None:
    """magento/inventory#2454."""
    stockroom.receive("w1", J, 3)
    wants(stockroom, "others", 2)

    answer = stockroom.reserve("o1", {"l1": (J, 4)})

    assert [part.quantity for part in answer.allocations] == [1]
    assert [short.quantity for short in answer.shortages] == [3]
