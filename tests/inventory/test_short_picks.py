"""What a picker did not find: a count by which that order alone loses."""

from __future__ import annotations

import pytest

from oms.inventory.v1 import counts_pb2 as pb
from oms.inventory.v1 import inventory_pb2 as inventory
from services.kernel.errors import Conflict, InvalidArgument, NotFound
from tests.inventory.stockroom import Stockroom
from tests.inventory.test_counts import open_counts, three_orders

pytestmark = pytest.mark.on_postgres


def short(room: Stockroom, units: int, **changes: object) -> pb.BookShortPickResponse:
    """Units of A that the order o1 did not get in w1."""
    request = pb.BookShortPickRequest(
        request_id=room.key(), warehouse_id="w1", sku="A", order_id="o1", line_id="l1", short_quantity=units,
        reason="short pick of SH-1001, missing", picker="w.lee",
    )  # fmt: skip
    for name, value in changes.items():
        setattr(request, name, value)
    return room.servicer.BookShortPick(request, None)


def test_the_order_that_was_picked_loses_whoever_is_served_last(stockroom: Stockroom) -> None:
    three_orders(stockroom)  # o2 is gold, and o1 waits last; all 10 are held

    done = short(stockroom, 2, order_id="o2")

    assert (done.on_hand, done.delta) == (8, -2)
    assert [stockroom.units(one) for one in ("o1", "o2", "o3")] == [4, 1, 3]
    assert [(row.order_id, row.quantity) for row in stockroom.queue("A")] == [("o2", 2)]
    [count] = open_counts(stockroom)
    assert (count.count_id, count.why) == (
        done.count_id,
        "A was counted and is not there: short pick of SH-1001, missing",  # no shipment was named
    )
    assert [(part.line_id, part.quantity) for part in count.orders[0].covered] == [("l1", 1)]
    assert stockroom.broken() == {}


def test_what_is_free_is_not_on_an_empty_shelf_and_another_warehouse_serves_at_once(stockroom: Stockroom) -> None:
    three_orders(stockroom)
    stockroom.receive("w1", "A", 5)

    done = short(stockroom, 1)

    assert (done.on_hand, done.delta) == (9, -6)
    assert stockroom.stock("A") == {"w1": (9, 9)}
    assert stockroom.broken() == {}


def test_a_repeat_takes_nothing_more(stockroom: Stockroom) -> None:
    three_orders(stockroom)

    first, second = (short(stockroom, 1, request_id="pick-1", is_begun=begun) for begun in (False, True))

    assert first == second
    assert stockroom.units("o1") == 3


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"short_quantity": 5}, Conflict),
        ({"order_id": "o9"}, Conflict),
        ({"warehouse_id": "w9"}, NotFound),
        ({"short_quantity": 0}, InvalidArgument),
        ({"reason": ""}, InvalidArgument),
    ],
)
def test_what_is_not_held_cannot_be_short(
    stockroom: Stockroom, changes: dict[str, object], kind: type[Exception]
) -> None:
    three_orders(stockroom)

    with pytest.raises(kind):
        short(stockroom, 1, **changes)

    assert stockroom.stock("A") == {"w1": (10, 10)}
    assert stockroom.broken() == {}


def test_what_its_shipment_has_not_heard_of_is_not_booked_again(stockroom: Stockroom) -> None:
    three_orders(stockroom)

    first, second = (short(stockroom, 2, shipment_id="shp_1") for _ in range(2))
    other = short(stockroom, 1, shipment_id="shp_2")
    [count, _] = open_counts(stockroom)
    stockroom.servicer.CloseCount(pb.CloseCountRequest(count_id=first.count_id), None)
    third = short(stockroom, 1, shipment_id="shp_1")

    assert (second.count_id, second.on_hand, second.delta) == (first.count_id, 8, 0)
    assert (count.orders[0].short.shipment_id, count.orders[0].short.line_id, count.orders[0].short.quantity) == (
        "shp_1", "l1", 2
    )  # fmt: skip
    assert count.why == "2 of A: short pick of SH-1001, missing"
    assert len({first.count_id, other.count_id, third.count_id}) == 3
    assert stockroom.stock("A") == {"w1": (6, 6)}
    assert stockroom.broken() == {}


def test_what_is_damaged_is_in_quarantine_and_what_is_free_beside_it_serves_the_order(stockroom: Stockroom) -> None:
    three_orders(stockroom)
    stockroom.receive("w1", "A", 1)

    done = short(stockroom, 2, is_damaged=True)
    [apart] = stockroom.servicer.ListQuarantine(inventory.ListQuarantineRequest(), None).units
    [moved] = stockroom.facts("stock_adjusted")
    [damaged] = stockroom.facts("damage_quarantined")

    assert (done.delta, moved["quantity"]) == (-2, -2)
    assert (apart.sku, apart.quantity, apart.order_id, apart.return_id) == ("A", 2, "", "")
    assert apart.reason == "short pick of SH-1001, missing"
    assert (damaged["quantity"], damaged["value_minor"]) == (2, apart.value.minor_units)
    assert apart.value.minor_units == -moved["value_minor"]
    assert stockroom.stock("A") == {"w1": (9, 9)}
    assert [(row.order_id, row.quantity) for row in stockroom.queue("A")] == [("o1", 1)]
    assert stockroom.broken() == {}


def test_what_was_damaged_and_turns_out_good_is_in_stock_again(stockroom: Stockroom) -> None:
    three_orders(stockroom)
    short(stockroom, 2, is_damaged=True)
    [apart] = stockroom.servicer.ListQuarantine(inventory.ListQuarantineRequest(), None).units

    done = stockroom.servicer.DecideQuarantine(
        inventory.DecideQuarantineRequest(
            request_id=stockroom.key(), movement_id=apart.movement_id, quantity=2, outcome="release",
            reason="only the box", decided_by="pat",
        ), None,
    )  # fmt: skip

    assert (done.left_quantity, list(done.filled_order_ids)) == (0, ["o1"])
    assert stockroom.stock("A") == {"w1": (10, 10)}
    assert stockroom.broken() == {}
