"""Counts: the books follow what is there, and who would be served last loses first and waits in its old place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from oms.inventory.v1 import counts_pb2 as pb
from services.inventory.store import audit
from services.kernel.errors import Conflict, NotFound, Refused
from tests.inventory.stockroom import Stockroom

Carried = Mapping[tuple[str, str], dict[str, Any]]


def count(
    room: Stockroom,
    units: int,
    carried: Carried | None = None,
    *,
    place: str = "w1",
    key: str = "",
    preview: bool = False,
) -> pb.CountStockResponse:
    """Count A; what shipments carry is (order, line) → its figures, nothing of holders that are not named."""
    holders = room.servicer.ListHolders(pb.ListHoldersRequest(warehouse_id=place, sku="A"), None).holders
    known = carried or {}
    sent = [
        pb.CarriedUnits(order_id=one.order_id, line_id=one.line_id, **known.get((one.order_id, one.line_id), {}))
        for one in holders
    ]
    request = pb.CountStockRequest(
        request_id=key or room.key(), warehouse_id=place, sku="A", counted=units, reason="cycle count", counted_by="w.lee",
        carried=sent, standard_cost="1.00", standard_currency="USD", is_preview=preview,
    )  # fmt: skip
    return room.servicer.CountStock(request, None)


def lost(done: pb.CountStockResponse) -> list[tuple[str, int, int]]:
    return [(one.order_id, one.quantity, one.released_quantity) for one in done.losses]


def three_orders(room: Stockroom) -> None:
    """A, 10 on hand: o1 bronze 4 (1 March), o2 gold 3 (2 March), o3 silver 3 (3 March): all held."""
    room.put_allocation(("gold", "gain"), ("silver", "gain"), ("bronze", "gain"))
    room.receive("w1", "A", 10)
    for day, (order_id, tier, units) in enumerate((("o1", "bronze", 4), ("o2", "gold", 3), ("o3", "silver", 3))):
        room.reserve(order_id, {"l1": ("A", units)}, {"w1": 900}, placed_days=day, tier=tier)


def test_who_would_be_served_last_loses_first_and_waits_in_its_old_place(stockroom: Stockroom) -> None:
    three_orders(stockroom)

    done = count(stockroom, 5)  # 10 are promised, 5 are there: bronze loses 4, silver 1

    assert (done.on_hand_before, done.delta, done.on_hand) == (10, -5, 5)
    assert lost(done) == [("o1", 4, 0), ("o3", 1, 0)]
    assert stockroom.stock("A") == {"w1": (5, 5)}
    assert [(row.order_id, row.quantity) for row in stockroom.queue("A")] == [("o3", 1), ("o1", 4)]
    assert stockroom.broken() == {}


def test_a_receipt_after_a_count_serves_those_who_lost_as_it_would_have_before(stockroom: Stockroom) -> None:
    three_orders(stockroom)
    count(stockroom, 5)

    stockroom.receive("w1", "A", 3)

    assert [stockroom.units(one) for one in ("o1", "o2", "o3")] == [2, 3, 3]
    assert stockroom.broken() == {}


def test_what_no_shipment_has_is_taken_before_what_is_released_and_what_is_picked_never(stockroom: Stockroom) -> None:
    three_orders(stockroom)
    carried = {
        ("o1", "l1"): {"picked_quantity": 4, "is_begun": True},
        ("o3", "l1"): {"released_quantity": 3},
    }

    done = count(stockroom, 5, carried)  # gold is in no shipment: it loses its 3 before silver's released units

    assert lost(done) == [("o3", 2, 2), ("o2", 3, 0)]
    assert stockroom.units("o1") == 4
    assert stockroom.broken() == {}


def test_a_count_below_what_is_picked_is_refused_and_says_how_many_those_are(stockroom: Stockroom) -> None:
    three_orders(stockroom)
    carried = {("o1", "l1"): {"picked_quantity": 4, "is_begun": True}}

    with pytest.raises(Refused, match="4 units are picked for orders") as refusal:
        count(stockroom, 3, carried)

    assert refusal.value.reason == "COUNT_BELOW_PICKED"
    assert stockroom.stock("A") == {"w1": (10, 10)}


def test_what_has_left_and_is_not_booked_yet_was_not_there_to_be_counted(stockroom: Stockroom) -> None:
    three_orders(stockroom)
    carried = {("o2", "l1"): {"left_quantity": 3, "is_begun": True}}

    done = count(stockroom, 7, carried)
    stockroom.ship("o2", "s1", "w1", {"l1": ("A", 3)})

    assert (done.delta, lost(done)) == (0, [])
    assert stockroom.stock("A") == {"w1": (7, 7)}
    assert stockroom.broken() == {}


def test_another_warehouse_serves_who_loses_at_once(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 4)
    stockroom.reserve("o1", {"l1": ("A", 4)}, {"w1": 900, "w2": 1000})
    stockroom.receive("w2", "A", 3)

    done = count(stockroom, 2)

    assert lost(done) == [("o1", 2, 0)]
    assert stockroom.held("o1") == {("l1", "w1"): 2, ("l1", "w2"): 2}
    assert stockroom.waiting("o1") == {}
    assert [one["kind"] for one in stockroom.facts(order_id="o1")] == ["stock_reserved", "stock_allocated"]
    assert stockroom.broken() == {}


def test_each_order_that_loses_hears_once_what_it_has_and_waits_for(stockroom: Stockroom) -> None:
    three_orders(stockroom)

    count(stockroom, 5)

    assert [one["kind"] for one in stockroom.facts(order_id="o1")] == ["stock_reserved", "stock_released"]
    assert [one["kind"] for one in stockroom.facts(order_id="o2")] == ["stock_reserved"]
    [moved] = stockroom.facts("stock_adjusted")
    assert (moved["quantity"], moved["value_minor"]) == (-5, -500)


def test_a_preview_says_the_same_and_changes_nothing(stockroom: Stockroom) -> None:
    three_orders(stockroom)

    said = count(stockroom, 5, preview=True)
    before = stockroom.stock("A")
    done = count(stockroom, 5)

    assert before == {"w1": (10, 10)}
    assert (said.count_id, lost(said), said.on_hand, said.delta) == ("", lost(done), done.on_hand, done.delta)


def test_a_repeat_is_the_first_answer_and_takes_nothing_more(stockroom: Stockroom) -> None:
    three_orders(stockroom)

    first = count(stockroom, 5, key="c1")
    again = count(stockroom, 5, key="c1")

    assert again == first
    assert stockroom.stock("A") == {"w1": (5, 5)}


def test_a_count_that_agrees_with_the_books_is_kept_and_moves_nothing(stockroom: Stockroom) -> None:
    three_orders(stockroom)

    done = count(stockroom, 10)

    assert (done.delta, done.movement_id, done.count_id[:4]) == (0, "", "cnt_")
    assert stockroom.facts("stock_adjusted") == []
    assert stockroom.broken() == {}


def test_units_found_fill_backorders(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 1)
    stockroom.reserve("o1", {"l1": ("A", 4)}, {"w1": 900})

    done = count(stockroom, 3)

    assert (done.delta, stockroom.units("o1"), stockroom.waiting("o1")) == (2, 3, {"l1": 1})
    assert stockroom.broken() == {}


def test_nothing_is_taken_of_an_order_that_was_not_known_when_it_was_asked_what_shipments_carry(
    stockroom: Stockroom,
) -> None:
    three_orders(stockroom)
    request = pb.CountStockRequest(
        request_id="c1", warehouse_id="w1", sku="A", counted=5, reason="cycle count", counted_by="w.lee"
    )

    with pytest.raises(Conflict) as refusal:
        stockroom.servicer.CountStock(request, None)

    assert refusal.value.reason == "HOLDERS_CHANGED"
    assert stockroom.stock("A") == {"w1": (10, 10)}


def test_an_order_that_ships_complete_gathers_again(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 4)
    stockroom.reserve("o1", {"l1": ("A", 4)}, {"w1": 900}, is_order_complete=True)

    done = count(stockroom, 1, {("o1", "l1"): {"released_quantity": 4}})

    assert [(one.quantity, one.released_quantity, one.is_whole_order) for one in done.losses] == [(3, 3, True)]
    assert stockroom.broken() == {}


def test_what_was_picked_between_the_count_and_its_recall_leaves_and_who_would_be_served_last_waits(
    stockroom: Stockroom,
) -> None:
    three_orders(stockroom)
    count(stockroom, 8)  # bronze loses 2 of its 4, which the picker had in hand

    stockroom.ship("o1", "s1", "w1", {"l1": ("A", 4)})

    assert stockroom.stock("A") == {"w1": (4, 4)}
    assert [stockroom.units(one) for one in ("o1", "o2", "o3")] == [0, 3, 1]
    assert stockroom.waiting("o1") == {}
    assert stockroom.waiting("o3") == {"l1": 2}
    assert stockroom.broken() == {}


def test_more_than_there_is_never_leaves(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 4)
    stockroom.reserve("o1", {"l1": ("A", 4)}, {"w1": 900})
    count(stockroom, 1)

    with pytest.raises(Refused) as refusal:
        stockroom.ship("o1", "s1", "w1", {"l1": ("A", 4)})

    assert refusal.value.reason == "SHIPPED_MORE_THAN_ALLOCATED"
    assert stockroom.stock("A") == {"w1": (1, 1)}
    assert stockroom.broken() == {}


def test_medusa_12401_what_is_reserved_is_never_negative_nor_more_than_there_is(stockroom: Stockroom) -> None:
    """medusajs/medusa#12401: a level set below what is reserved left a negative figure behind."""
    three_orders(stockroom)

    for units in (9, 4, 0, 7, 2):
        count(stockroom, units)
        [(on_hand, allocated)] = stockroom.stock("A").values()

        assert on_hand == units
        assert 0 <= allocated <= on_hand
        assert stockroom.broken() == {}


def open_counts(room: Stockroom, count_id: str = "") -> list[pb.OpenCount]:
    return list(room.servicer.ListOpenCounts(pb.ListOpenCountsRequest(count_id=count_id), None).counts)


@pytest.mark.on_postgres
def test_a_count_that_orders_lost_by_is_open_until_their_shipments_have_heard(stockroom: Stockroom) -> None:
    three_orders(stockroom)
    released = {("o1", "l1"): 4, ("o2", "l1"): 3, ("o3", "l1"): 3}
    done = count(stockroom, 5, {key: {"released_quantity": units} for key, units in released.items()})
    count(stockroom, 5, key="nobody loses")

    [found] = open_counts(stockroom)
    assert (found.count_id, found.sku, found.why) == (done.count_id, "A", "A was counted and is not there: cycle count")
    assert [
        (one.order_id, one.is_whole_order, [(part.line_id, part.warehouse_id, part.quantity) for part in one.covered])
        for one in found.orders
    ] == [("o1", False, [("l1", "w1", 0)]), ("o3", False, [("l1", "w1", 2)])]
    assert stockroom.broken() == {}
    stockroom.now += audit.GRACE + timedelta(seconds=1)
    assert set(stockroom.broken()) == {"inventory.counts_reach_shipments"}

    for _ in range(2):  # a repeat is nothing
        stockroom.servicer.CloseCount(pb.CloseCountRequest(count_id=done.count_id), None)

    assert (open_counts(stockroom), open_counts(stockroom, done.count_id), stockroom.broken()) == ([], [], {})


def test_an_order_that_ships_complete_loses_all_of_its_shipments_as_long_as_it_waits(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 4)
    stockroom.reserve("o1", {"l1": ("A", 4)}, {"w1": 900}, is_order_complete=True)
    done = count(stockroom, 1, {("o1", "l1"): {"released_quantity": 4}})

    def is_whole() -> bool:
        return open_counts(stockroom, done.count_id)[0].orders[0].is_whole_order

    waiting = is_whole()
    stockroom.receive("w1", "A", 3)

    assert (waiting, is_whole()) == (True, False)


def test_a_count_that_nobody_made_cannot_be_closed(stockroom: Stockroom) -> None:
    with pytest.raises(NotFound, match="cnt_9"):
        stockroom.servicer.CloseCount(pb.CloseCountRequest(count_id="cnt_9"), None)
