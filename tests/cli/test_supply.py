"""`oms stock expected …` and `oms promises`."""

from __future__ import annotations

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

RECEIPT = {
    "expected_receipt_id": "exp_1", "reference": "PO-1", "kind": "purchase_order", "sku": "PUMP", "warehouse_id": "wh_1",
    "quantity": 60, "received_quantity": 0, "remaining_quantity": 60, "cancelled_quantity": 0, "expected_on": "2026-12-16",
    "changes": [],
}  # fmt: skip
CHANGED = {"receipt": RECEIPT, "moved_order_count": 2}
PROMISE = {
    "order_number": "SO-1001", "customer_name": "ACME", "sku": "PUMP", "quantity": 5, "promised_on": "2026-12-04",
    "given_at": "2026-11-23T10:00:00Z", "given_by": "supply_change", "reason": "PO-1", "outcome": "broken", "moved_to": None,
    "delivered_on": "2026-12-07", "why": "delivered 3 days late",
}  # fmt: skip
LIST = "GET /v1/stock/expected-receipts"


def test_supply_is_announced_and_listed(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/stock/expected-receipts", {"expected_receipt_id": "exp_1", "is_known": True}, 201)
    api.page(LIST, RECEIPT)

    said = command(
        "stock", "expect", "PUMP", "60", "--warehouse", "wh_1", "--on", "2026-12-16", "--reference", "PO-1", "--kind",
        "transfer",
    )  # fmt: skip
    listed = command("stock", "expected", "--sku", "PUMP")

    assert "60 PUMP of PO-1 changed at wh_1 on 2026-12-16" in said.out
    assert api.asked[0].body["kind"] == "transfer"
    assert all(word in listed.out for word in ("exp_1", "PO-1", "purchase order", "60"))


def test_a_receipt_is_rescheduled_and_cancelled_by_its_reference(command: Oms, api: FakeApi) -> None:
    api.page(LIST, RECEIPT)
    api.on("POST /v1/stock/expected-receipts/exp_1/change", CHANGED)
    api.on("POST /v1/stock/expected-receipts/exp_1/cancel", CHANGED)

    moved = command("stock", "reschedule", "PO-1", "--on", "2026-12-16", "--reason", "late")
    ended = command("stock", "cancel-expected", "exp_1", "--reason", "no material", "--json")

    assert "PO-1: 60 PUMP on 2026-12-16 to come; 2 orders moved" in moved.out
    assert [one.body for one in api.asked if one.method == "POST"] == [
        {"reason": "late", "expected_on": "2026-12-16"}, {"reason": "no material"},
    ]  # fmt: skip
    assert '"moved_order_count": 2' in ended.out


def test_a_reference_that_names_none_or_several_says_where_the_ids_are(command: Oms, api: FakeApi) -> None:
    api.page(LIST)
    none = command("stock", "reschedule", "PO-9", "--on", "2026-12-16")
    api.page(LIST, RECEIPT, {**RECEIPT, "expected_receipt_id": "exp_2"})
    command("stock", "reschedule", "PO-9", "--on", "2026-12-16")
    several = command("stock", "reschedule", "PO-1", "--on", "2026-12-16")

    assert (none.code, several.code) == (1, 1)
    assert "there is none under the reference PO-9: `oms stock expected` lists their ids" in none.err
    assert "there are several" in several.err


def test_what_comes_who_gets_it_and_what_moved(command: Oms, api: FakeApi) -> None:
    taker = {"order_id": "ord_1", "order_number": "SO-1001", "line_id": "1", "quantity": 3}
    coming = {**RECEIPT, "due_on": "2026-12-16", "is_overdue": False, "takers": [taker], "taken_quantity": 3}
    atp = [{"day": "2026-12-16", "quantity": 57}]
    api.on("GET /v1/stock/outlook", {"sku": "PUMP", "receipts": [coming], "atp": atp, "uncovered_quantity": 4})
    moved = {
        "occurred_at": "2026-11-23T10:00:00Z", "warehouse_id": "wh_1", "kind": "received", "quantity": 7, "order_id": None,
        "shipment_id": None, "reference": "DN-88",
    }  # fmt: skip
    api.page("GET /v1/stock/movements", moved)

    outlook, movements = command("stock", "outlook", "PUMP"), command("stock", "movements", "PUMP")

    assert "2026-12-16" not in outlook.out
    assert all(word in outlook.out for word in ("SO-1001: 3", "57", "4 units wait that nothing announced brings"))
    assert "DN-88" in movements.out


def test_promises_and_on_time_delivery(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/promises", PROMISE)
    figures = {
        "since": "2026-11-01", "until": "2026-12-01", "delivered": 10, "on_time_percent": "60.0",
        "on_time_to_first_percent": "40.0", "open": 5, "late": 2,
    }  # fmt: skip
    api.on("GET /v1/promises/on-time", figures)

    listed, sent = command("promises", "--late"), command("promises", "on-time")

    assert api.asked[0].query["late"] == "true"
    assert all(word in listed.out for word in ("SO-1001", "supply change", "delivered 3 days late"))
    assert "on time: 60.0 % by the last promise, 40.0 % by the first" in sent.out
    assert "5 units promised and not delivered, 2 of them late" in sent.out


def test_promises_of_a_sku_that_is_none_say_so(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/promises")
    api.page("GET /v1/products", {"sku": "PUMP"})

    answer = command("promises", "list", "--sku", "NOPE")

    assert (answer.code, "there is no SKU NOPE in the catalog" in " ".join(answer.err.split())) == (1, True)
