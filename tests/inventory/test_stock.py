from __future__ import annotations

import pytest
from sqlalchemy import text

from oms.inventory.v1 import inventory_pb2 as pb
from services.inventory.store import stock
from services.kernel.errors import Conflict, NotFound, Refused
from tests.inventory.stockroom import Stockroom


def queue(stockroom: Stockroom, sku: str = "J") -> list[tuple[str, int, str]]:
    answer = stockroom.servicer.ListBackorders(pb.ListBackordersRequest(sku=sku), None)
    return [(one.order_id, one.quantity, one.expected_on) for one in answer.backorders]


@pytest.mark.on_postgres
def test_a_receipt_fills_the_queue_in_the_order_placed(stockroom: Stockroom) -> None:
    stockroom.reserve("o1", {"l1": ("J", 30)}, placed_days=3)
    stockroom.reserve("o3", {"l1": ("J", 15)}, placed_days=2)
    stockroom.reserve("o2", {"l1": ("J", 20)}, placed_days=1)

    receipt = stockroom.receive("w1", "J", 40)

    assert (receipt.on_hand, receipt.filled_quantity) == (40, 40)
    assert list(receipt.filled_order_ids) == ["o2", "o3", "o1"]
    assert queue(stockroom) == [("o1", 25, "")]
    assert stockroom.stock("J") == {"w1": (40, 40)}
    stockroom.receive("w2", "J", 26)
    assert stockroom.held("o1") == {("l1", "w1"): 5, ("l1", "w2"): 25}
    assert stockroom.stock("J")["w2"] == (26, 25)
    assert stockroom.broken() == {}


def test_a_receipt_where_nobody_can_be_served_from_fills_nothing(stockroom: Stockroom) -> None:
    stockroom.reserve("o1", {"l1": ("J", 5)}, {"w2": 100})

    assert stockroom.receive("w1", "J", 9).filled_quantity == 0
    assert stockroom.receive("w2", "J", 9).filled_quantity == 5
    assert stockroom.broken() == {}


def test_units_freed_in_two_warehouses_at_once_all_find_who_waits_for_them(stockroom: Stockroom) -> None:
    """Two units are freed, and the first two in the queue may use w1 alone: whoever may use w2 must be found too."""
    stockroom.receive("w1", "J", 1)
    stockroom.receive("w2", "J", 1)
    stockroom.reserve("o0", {"l1": ("J", 2)})
    for order_id, place in (("o1", "w1"), ("o2", "w1"), ("o3", "w2")):
        stockroom.reserve(order_id, {"l1": ("J", 1)}, {place: 1})

    stockroom.release("o0")

    assert [bool(stockroom.held(order_id)) for order_id in ("o1", "o2", "o3")] == [True, False, True]
    assert stockroom.broken() == {}


def test_backorders_take_the_date_of_the_receipt_that_reaches_them(stockroom: Stockroom) -> None:
    stockroom.reserve("o1", {"l1": ("J", 10)}, placed_days=1)
    stockroom.reserve("o2", {"l1": ("J", 10)}, placed_days=2)
    stockroom.reserve("o3", {"l1": ("J", 10)}, placed_days=3)

    stockroom.expect("w1", "J", 10, "2026-03-27")
    stockroom.expect("w1", "J", 12, "2026-03-20")

    assert queue(stockroom) == [("o1", 10, "2026-03-20"), ("o2", 10, "2026-03-27"), ("o3", 10, "")]
    (level,) = stockroom.servicer.ListStock(pb.ListStockRequest(sku="J"), None).levels
    assert (level.expected, level.expected_on) == (22, "2026-03-20")


def test_supply_that_is_announced_later_is_told_to_each_order_whose_day_it_changes(stockroom: Stockroom) -> None:
    for order_id, place in (("o1", "w1"), ("o2", "w1"), ("o3", "w2")):
        stockroom.reserve(order_id, {"l1": ("J", 10)}, {place: 1}, placed_days=int(order_id[1]))

    def notified() -> list[tuple[str, str]]:
        facts = stockroom.facts("stock_expected")
        return [(fact["order_id"], fact["lines"]["l1"]["expected_on"]) for fact in facts]

    stockroom.expect("w1", "J", 10, "2026-03-27")
    assert notified() == [("o1", "2026-03-27")]
    stockroom.expect("w1", "J", 12, "2026-03-20")
    assert notified()[1:] == [("o1", "2026-03-20"), ("o2", "2026-03-27")]
    stockroom.expect("w1", "J", 5, "2026-04-20")
    stockroom.expect("w1", "ELSE", 5, "2026-03-02")
    assert len(notified()) == 3
    assert stockroom.broken() == {}


def test_a_warehouse_without_stock_when_an_order_was_placed_serves_it_later(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "J", 1)
    stockroom.reserve("o1", {"l1": ("J", 3)})

    assert stockroom.receive("w3", "J", 2).filled_quantity == 2
    assert stockroom.held("o1") == {("l1", "w1"): 1, ("l1", "w3"): 2}


def test_a_receipt_uses_up_what_was_announced(stockroom: Stockroom) -> None:
    stockroom.expect("w1", "J", 10, "2026-03-20")
    stockroom.expect("w1", "J", 10, "2026-03-27")
    stockroom.expect("w2", "J", 7, "2026-03-05")

    stockroom.receive("w1", "J", 14)

    levels = stockroom.servicer.ListStock(pb.ListStockRequest(sku="J"), None).levels
    assert [(level.expected, level.expected_on) for level in levels] == [(6, "2026-03-27"), (7, "2026-03-05")]


def test_missing_units_leave_the_oldest_layer_as_a_loss(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 10, "2.00")
    stockroom.receive("w1", "A", 10, "3.00")

    answer = stockroom.adjust("w1", "A", -12)

    # 10 x 2.00 + 2 x 3.00 = 26.00 lost of 50.00
    assert (answer.on_hand, stockroom.value()) == (8, 2400)
    (notified,) = stockroom.facts("stock_adjusted")
    assert (notified["quantity"], notified["value_minor"], notified["currency"]) == (-12, -2600, "USD")
    assert stockroom.broken() == {}


@pytest.mark.on_postgres
def test_promised_units_cannot_go_missing(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 10)
    stockroom.reserve("o1", {"l1": ("A", 8)})

    with pytest.raises(Refused) as refusal:
        stockroom.adjust("w1", "A", -3)

    assert refusal.value.reason == "STOCK_ALLOCATED"
    assert "so 1 of them would lose theirs: record what was counted as a count" in refusal.value.message
    with pytest.raises(Refused, match="has 10 units of A, so 11 cannot be missing") as refusal:
        stockroom.adjust("w1", "A", -11)
    assert stockroom.adjust("w1", "A", -2).on_hand == 8
    assert stockroom.broken() == {}


def test_found_units_are_worth_what_they_last_cost_and_serve_who_waits(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 1, "2.00")
    stockroom.receive("w1", "A", 1, "2.50")
    stockroom.reserve("o1", {"l1": ("A", 5)})

    stockroom.adjust("w1", "A", 2)

    assert stockroom.facts("stock_adjusted")[0]["value_minor"] == 500
    assert (stockroom.held("o1"), stockroom.waiting("o1")) == ({("l1", "w1"): 4}, {"l1": 1})
    assert stockroom.facts("stock_allocated")[0]["lines"]["l1"]["allocated"] == 4
    assert stockroom.broken() == {}


def test_nothing_is_counted_or_expected_where_there_is_no_warehouse(stockroom: Stockroom) -> None:
    for act in (
        lambda: stockroom.adjust("w9", "A", 1, given="1.00"),
        lambda: stockroom.expect("w9", "A", 1, "2026-03-20"),
    ):
        with pytest.raises(NotFound, match="there is no warehouse 'w9'"):
            act()


@pytest.mark.on_postgres
def test_what_is_kept_of_a_shipment_and_of_a_new_backorder_is_what_happened(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 3, "2.50")
    stockroom.reserve("o1", {"l1": ("A", 5)})
    stockroom.ship("o1", "shp_1", "w1", {"l1": ("A", 3)})

    with stockroom.database.reading() as session:
        cost = session.execute(text("SELECT cost_minor, currency FROM stock_issue")).one()
        counts = session.execute(
            text("SELECT waiting_quantity, filled_quantity, cancelled_quantity FROM backorder")
        ).one()

    assert tuple(cost) == (750, "USD")
    assert tuple(counts) == (2, 0, 0)


def test_a_warehouse_is_valued_in_one_currency(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 1, "2.00", "EUR")
    stockroom.receive("w2", "A", 1, "300", "JPY")

    with pytest.raises(Refused) as refusal:
        stockroom.receive("w1", "B", 1, "2.00", "USD")

    assert refusal.value.reason == "WAREHOUSE_CURRENCY"
    worth = [(amount.currency, amount.minor_units) for amount in stockroom.audit().stock_value]
    assert worth == [("EUR", 200), ("JPY", 300)]


@pytest.mark.on_postgres
def test_stock_is_read_page_by_page(stockroom: Stockroom) -> None:
    for sku in ("A", "B"):
        for place in ("w1", "w2"):
            stockroom.receive(place, sku, 1, "1.005")

    seen, cursor = [], ""
    while True:
        page = stockroom.servicer.ListStock(pb.ListStockRequest(limit=3, cursor=cursor), None)
        seen += [(level.sku, level.warehouse_id, level.value.minor_units) for level in page.levels]
        cursor = page.next_cursor
        if not cursor:
            break

    assert seen == [("A", "w1", 101), ("A", "w2", 101), ("B", "w1", 101), ("B", "w2", 101)]


@pytest.mark.on_postgres
def test_the_queue_is_read_page_by_page(stockroom: Stockroom) -> None:
    for number in range(5):
        stockroom.reserve(f"o{number}", {"l1": ("J", 1)}, placed_days=5 - number)

    seen, cursor = [], ""
    while True:
        page = stockroom.servicer.ListBackorders(pb.ListBackordersRequest(limit=2, cursor=cursor), None)
        seen += [one.order_id for one in page.backorders]
        cursor = page.next_cursor
        if not cursor:
            break

    assert seen == ["o4", "o3", "o2", "o1", "o0"]


@pytest.mark.on_postgres
def test_warehouses_are_listed_as_they_were_put(stockroom: Stockroom) -> None:
    stockroom.put_warehouse("w2", is_active=False)

    places = stockroom.servicer.ListWarehouses(pb.ListWarehousesRequest(), None).warehouses

    assert [(place.warehouse_id, place.is_active) for place in places] == [("w1", True), ("w2", False), ("w3", True)]


def test_units_promised_since_they_were_read_are_not_promised_twice(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 5)

    with stockroom.database.transaction() as session:
        free = stock.available(session, ["A"])["A"]["w1"]
        stock.hold(session, {("A", "w1"): 3})
        with pytest.raises(Conflict) as conflict:
            stock.hold(session, {("A", "w1"): free})

    assert conflict.value.reason == "STOCK_TAKEN"
    assert stockroom.stock("A") == {"w1": (5, 3)}
