"""Expected receipts: one of a reference, changed, cancelled, received against; what comes, who gets it and what may be promised."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from oms.inventory.v1 import inventory_pb2 as inventory
from oms.inventory.v1 import supply_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.inventory.models import outbox
from services.kernel.errors import DomainError, InvalidArgument, NotFound, Refused
from tests import facts
from tests.inventory.stockroom import Stockroom

LEAD = {"w1": 3, "w2": 5}


def change(
    stockroom: Stockroom, receipt: str, expected_on: str = "", quantity: int = 0
) -> pb.ChangeExpectedReceiptResponse:
    request = pb.ChangeExpectedReceiptRequest(
        request_id=stockroom.key(), expected_receipt_id=receipt, expected_on=expected_on, quantity=quantity,
        reason="the vessel is late", changed_by="kim",
    )  # fmt: skip
    return stockroom.servicer.ChangeExpectedReceipt(request, None)


def cancel(stockroom: Stockroom, receipt: str) -> pb.CancelExpectedReceiptResponse:
    request = pb.CancelExpectedReceiptRequest(
        request_id=stockroom.key(), expected_receipt_id=receipt, reason="no material", changed_by="kim"
    )
    return stockroom.servicer.CancelExpectedReceipt(request, None)


def receipts(stockroom: Stockroom, place: str = "", reference: str = "") -> list[pb.ExpectedReceipt]:
    request = pb.ListExpectedReceiptsRequest(warehouse_id=place, reference=reference)
    return list(stockroom.servicer.ListExpectedReceipts(request, None).receipts)


def to_come(stockroom: Stockroom) -> list[tuple[str, int, str]]:
    return [(one.reference, one.remaining_quantity, one.expected_on) for one in receipts(stockroom)]


def come(stockroom: Stockroom, units: int, *, receipt: str = "", reference: str = "", place: str = "w1") -> None:
    request = inventory.ReceiveStockRequest(
        request_id=stockroom.key(), warehouse_id=place, sku="J", quantity=units, unit_cost="1.00", currency="USD",
        reference=reference, expected_receipt_id=receipt,
    )  # fmt: skip
    stockroom.servicer.ReceiveStock(request, None)


def due(stockroom: Stockroom, order_id: str) -> list[tuple[str, str]]:
    """(Day, reference) by line."""
    found = stockroom.servicer.GetReservation(inventory.GetReservationRequest(order_id=order_id), None)
    return [(one.expected_on, one.expected_reference) for one in found.shortages]


def outlook(stockroom: Stockroom, place: str = "") -> pb.GetSupplyOutlookResponse:
    return stockroom.servicer.GetSupplyOutlook(pb.GetSupplyOutlookRequest(sku="J", warehouse_id=place), None)


def atp(stockroom: Stockroom, place: str = "") -> list[tuple[str, int]]:
    return [(one.day, one.quantity) for one in outlook(stockroom, place).atp]


@pytest.mark.on_postgres
def test_the_same_reference_again_is_the_same_receipt_or_a_changed_one_and_never_another(stockroom: Stockroom) -> None:
    first = stockroom.expect("w1", "J", 10, "2026-03-20", "PO-1")

    same = stockroom.expect("w1", "J", 10, "2026-03-20", "PO-1")
    elsewhere = stockroom.expect("w2", "J", 4, "2026-03-21", "PO-1")
    changed = stockroom.expect("w1", "J", 12, "2026-03-22", "PO-1")

    assert first == same == changed != elsewhere
    assert to_come(stockroom) == [("PO-1", 4, "2026-03-21"), ("PO-1", 12, "2026-03-22")]
    [kept] = receipts(stockroom, "w1")
    assert [one.verb for one in kept.changes] == ["changed", "announced"]
    assert stockroom.broken() == {}


@pytest.mark.on_postgres
def test_a_later_day_moves_who_waits_and_each_order_is_told_once(stockroom: Stockroom) -> None:
    stockroom.reserve("ord_1", {"L1": ("J", 6)})
    stockroom.reserve("ord_2", {"L1": ("J", 3)}, placed_days=1)
    receipt = stockroom.expect("w1", "J", 9, "2026-03-20", "PO-1")
    sent = len(stockroom.facts("stock_expected"))

    answer = change(stockroom, receipt, "2026-03-27")
    again = change(stockroom, receipt, "2026-03-27")

    assert (answer.moved_order_count, again.moved_order_count) == (2, 0)
    assert [due(stockroom, order) for order in ("ord_1", "ord_2")] == [[("2026-03-27", "PO-1")]] * 2
    assert [one["order_id"] for one in stockroom.facts("stock_expected")[sent:]] == ["ord_1", "ord_2"]
    [kept] = receipts(stockroom)
    [newest, _] = kept.changes
    assert (newest.verb, newest.changed_by, newest.reason) == ("changed", "kim", "the vessel is late")
    assert stockroom.broken() == {}


def test_less_of_a_receipt_moves_only_who_it_does_not_reach_any_more(stockroom: Stockroom) -> None:
    stockroom.reserve("ord_1", {"L1": ("J", 6)})
    stockroom.reserve("ord_2", {"L1": ("J", 3)}, placed_days=1)
    receipt = stockroom.expect("w1", "J", 9, "2026-03-20", "PO-1")
    stockroom.expect("w1", "J", 9, "2026-04-02", "PO-2")

    answer = change(stockroom, receipt, quantity=8)

    assert answer.moved_order_count == 1
    assert due(stockroom, "ord_1") == [("2026-03-20", "PO-1")]
    assert due(stockroom, "ord_2") == [("2026-04-02", "PO-2")]


def test_a_cancelled_receipt_takes_its_day_along_and_may_be_announced_again(stockroom: Stockroom) -> None:
    stockroom.reserve("ord_1", {"L1": ("J", 6)})
    receipt = stockroom.expect("w1", "J", 9, "2026-03-20", "PO-1")
    come(stockroom, 2, receipt=receipt)

    done = cancel(stockroom, receipt)

    assert (done.receipt.received_quantity, done.receipt.cancelled_quantity, done.moved_order_count) == (2, 7, 1)
    assert due(stockroom, "ord_1") == [("", "")]
    for act in (lambda: cancel(stockroom, receipt), lambda: change(stockroom, receipt, "2026-04-01")):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.reason == "NOTHING_TO_COME"
    assert change(stockroom, receipt, quantity=6).receipt.remaining_quantity == 4
    assert due(stockroom, "ord_1") == [("2026-03-20", "PO-1")]
    assert [one.verb for one in receipts(stockroom, reference="PO-1")[0].changes] == [
        "changed", "cancelled", "received", "announced",
    ]  # fmt: skip
    assert stockroom.broken() == {}


def test_goods_are_taken_off_what_they_were_announced_as(stockroom: Stockroom) -> None:
    stockroom.expect("w1", "J", 9, "2026-03-20", "PO-1")
    second = stockroom.expect("w1", "J", 9, "2026-04-02", "PO-2")
    stockroom.expect("w1", "J", 9, "2026-04-09", "PO-3")

    come(stockroom, 4, receipt=second)
    come(stockroom, 3, reference="PO-3")
    come(stockroom, 2, reference="DN-88")

    assert to_come(stockroom) == [("PO-1", 7, "2026-03-20"), ("PO-2", 5, "2026-04-02"), ("PO-3", 6, "2026-04-09")]
    come(stockroom, 9, receipt=second)
    assert to_come(stockroom) == [("PO-1", 7, "2026-03-20"), ("PO-3", 6, "2026-04-09")]
    assert stockroom.broken() == {}


def test_an_early_receipt_moves_who_still_waits_to_the_earlier_day(stockroom: Stockroom) -> None:
    """6 and 3 wait; 9 come on 2 April, but 6 of them come today: the other 3 keep their day, and the next supply is theirs no more."""
    stockroom.reserve("ord_1", {"L1": ("J", 6)})
    stockroom.reserve("ord_2", {"L1": ("J", 6)}, placed_days=1)
    stockroom.expect("w1", "J", 6, "2026-04-02", "PO-1")
    late = stockroom.expect("w1", "J", 6, "2026-04-09", "PO-2")
    assert due(stockroom, "ord_2") == [("2026-04-09", "PO-2")]
    sent = len(stockroom.facts("stock_expected"))

    come(stockroom, 6, receipt=late)

    assert stockroom.held("ord_1") == {("L1", "w1"): 6}
    assert due(stockroom, "ord_2") == [("2026-04-02", "PO-1")]
    assert [one["order_id"] for one in stockroom.facts("stock_expected")[sent:]] == ["ord_2"]


@pytest.mark.on_postgres
def test_the_outlook_says_who_gets_what_and_what_may_be_promised_from_when(stockroom: Stockroom) -> None:
    """Today 5 are free. 8 wait that only w2 may serve: 6 come there on the 20th, 10 on the 27th, of which 2 are taken."""
    stockroom.receive("w1", "J", 5)
    stockroom.reserve("ord_1", {"L1": ("J", 8)}, {"w2": 100})
    stockroom.expect("w2", "J", 6, "2026-03-20", "PO-1")
    stockroom.expect("w2", "J", 10, "2026-03-27", "PO-2")
    stockroom.expect("w1", "J", 4, "2026-03-23", "TR-1")

    found = outlook(stockroom)

    takers = [
        (one.receipt.reference, [(each.order_id, each.quantity) for each in one.takers]) for one in found.receipts
    ]
    assert takers == [("PO-1", [("ord_1", 6)]), ("TR-1", []), ("PO-2", [("ord_1", 2)])]
    assert atp(stockroom) == [("2026-03-01", 5), ("2026-03-23", 9), ("2026-03-27", 17)]
    assert atp(stockroom, "w2") == [("2026-03-01", 0), ("2026-03-27", 8)]
    assert found.uncovered_quantity == 0


def test_supply_that_is_overdue_counts_today_and_what_nothing_brings_is_said(stockroom: Stockroom) -> None:
    stockroom.reserve("ord_1", {"L1": ("J", 8)})
    stockroom.expect("w1", "J", 6, "2026-02-20", "PO-1")

    found = outlook(stockroom)

    [one] = found.receipts
    assert (one.is_overdue, one.due_on, one.taken_quantity, found.uncovered_quantity) == (True, "2026-03-01", 6, 2)


def test_an_order_hears_how_long_its_warehouse_takes(stockroom: Stockroom) -> None:
    request = inventory.ReserveStockRequest(
        request_id="r", order_id="ord_1", lines=[types.LineQuantity(line_id="L1", sku="J", quantity=2)], placed_at_micros=1,
        costs=[inventory.WarehouseCost(warehouse_id=place, cost_minor=1, lead_days=days) for place, days in LEAD.items()],
    )  # fmt: skip
    stockroom.servicer.ReserveStock(request, None)

    stockroom.expect("w2", "J", 2, "2026-03-20", "PO-1")

    with stockroom.database.reading() as session:
        row = session.execute(outbox.select().order_by(outbox.c.position.desc()).limit(1)).one()
    line = facts.kept(row.kind, row.detail)["lines"]["L1"]
    assert (line["expected_on"], line["lead_days"], line["expected_reference"]) == ("2026-03-20", 5, "PO-1")
    queue = stockroom.servicer.ListBackorders(inventory.ListBackordersRequest(), None).backorders
    assert [one.lead_days for one in queue] == [5]


def test_movements_are_listed_the_newest_first_page_by_page(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "J", 5)
    stockroom.adjust("w1", "J", -2)
    stockroom.receive("w2", "J", 1)

    request = pb.ListMovementsRequest(sku="J", limit=2)
    first = stockroom.servicer.ListMovements(request, None)
    rest = stockroom.servicer.ListMovements(pb.ListMovementsRequest(sku="J", limit=2, cursor=first.next_cursor), None)

    found = [
        (one.warehouse_id, one.kind, one.quantity, one.value.minor_units) for one in (*first.movements, *rest.movements)
    ]
    assert found == [("w2", "received", 1, 100), ("w1", "adjusted", -2, -200), ("w1", "received", 5, 500)]
    assert rest.next_cursor == ""


def _fewer(stockroom: Stockroom) -> None:
    receipt = stockroom.expect("w1", "J", 9, "2026-03-20", "PO-1")
    come(stockroom, 4, receipt=receipt)
    change(stockroom, receipt, quantity=3)


def _differs(stockroom: Stockroom) -> None:
    come(stockroom, 1, receipt=stockroom.expect("w2", "J", 9, "2026-03-20", "PO-1"))


REFUSED: dict[str, tuple[Callable[[Stockroom], object], type[DomainError]]] = {
    "EXPECTED_RECEIPT_UNKNOWN": (lambda room: change(room, "exp_9", "2026-03-20"), NotFound),
    "NOTHING_TO_CHANGE": (lambda room: change(room, room.expect("w1", "J", 1, "2026-03-20")), InvalidArgument),
    "DATE_MALFORMED": (lambda room: change(room, "exp_9", "20 March"), InvalidArgument),
    "FEWER_THAN_RECEIVED": (_fewer, Refused),
    "EXPECTED_RECEIPT_DIFFERS": (_differs, Refused),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_is_refused_by_what_to_do(stockroom: Stockroom, reason: str) -> None:
    act, kind = REFUSED[reason]

    with pytest.raises(kind) as refused:
        act(stockroom)

    assert refused.value.reason == reason
    assert stockroom.broken() == {}


def test_a_receipt_that_is_not_what_its_last_change_says_is_found(stockroom: Stockroom) -> None:
    stockroom.expect("w1", "J", 9, "2026-03-20", "PO-1")
    with stockroom.database.transaction() as session:
        session.execute(text("UPDATE expected_receipt SET expected_on = '2026-03-19'"))

    assert list(stockroom.broken()) == ["inventory.supply_changes_are_kept"]


def test_a_reference_that_no_database_keeps_is_refused_in_lists_too(stockroom: Stockroom) -> None:
    with pytest.raises(InvalidArgument, match="reference"):
        stockroom.servicer.ListExpectedReceipts(pb.ListExpectedReceiptsRequest(reference="PO-1\x00"), None)


@pytest.mark.parametrize("act", ["canceled", "found", "opened"])
def test_whatever_lets_who_was_behind_come_earlier_is_told_once(stockroom: Stockroom, act: str) -> None:
    if act == "opened":
        stockroom.receive("w2", "J", 6)
        stockroom.put_warehouse("w2", is_active=False)
    stockroom.receive("w1", "J", 1)
    stockroom.reserve("ord_0", {"L1": ("J", 1)})
    stockroom.reserve("ord_1", {"L1": ("J", 6)})
    stockroom.reserve("ord_2", {"L1": ("J", 6)}, placed_days=1)
    stockroom.expect("w1", "J", 6, "2026-03-20", "PO-1")
    stockroom.expect("w1", "J", 6, "2026-04-02", "PO-2")
    before, sent = due(stockroom, "ord_2"), len(stockroom.facts("stock_expected"))

    if act == "canceled":
        stockroom.release("ord_1")
    elif act == "found":
        stockroom.adjust("w1", "J", 6)
    else:
        stockroom.put_warehouse("w2")

    assert (before, due(stockroom, "ord_2")) == ([("2026-04-02", "PO-2")], [("2026-03-20", "PO-1")])
    assert [one["order_id"] for one in stockroom.facts("stock_expected")[sent:]] == ["ord_2"]
    assert stockroom.broken() == {}
