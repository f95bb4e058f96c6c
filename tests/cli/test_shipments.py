from __future__ import annotations

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms, claims

SHIPMENT = {
    "shipment_id": "shp_1", "number": "SH-1001", "order_number": "SO-1001", "state": "released", "warehouse_id": "W1",
    "lines": [{"quantity": 60}, {"quantity": 25}], "carrier": None, "tracking_number": None,
}  # fmt: skip


def test_a_shipment_is_shipped_by_its_number_in_the_role_of_the_warehouse(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/shipments", SHIPMENT)
    shipped = {**SHIPMENT, "state": "shipped", "carrier": "UPS", "tracking_number": "1Z1"}
    api.on("POST /v1/shipments/shp_1/ship", shipped)
    api.on("GET /v1/shipments/shp_1", shipped)

    answer = command("shipments", "ship", "sh-1001", "--carrier", "UPS")

    asked = next(asked for asked in api.asked if asked.method == "POST")
    assert api.asked[0].query == {"number": "SH-1001", "limit": "1"}
    assert answer.out == "SH-1001 of SO-1001 is shipped with UPS, tracking number 1Z1\n"
    assert asked.body == {"carrier": "UPS"}
    assert asked.headers["Idempotency-Key"] == "oms-ship-shp_1"
    assert claims(asked.headers["Authorization"])["roles"] == ["warehouse"]


def test_a_step_that_was_taken_before_is_not_told_as_where_the_shipment_is(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/shipments", SHIPMENT)
    api.on("POST /v1/shipments/shp_1/pick", {**SHIPMENT, "state": "picked"})
    api.on("GET /v1/shipments/shp_1", {**SHIPMENT, "state": "shipped"})

    answer = command("shipments", "pick", "SH-1001")

    assert (answer.code, answer.out) == (0, "SH-1001 of SO-1001 was picked before and is shipped now\n")


def test_a_picker_sees_that_a_change_of_the_order_is_pending(command: Oms, api: FakeApi) -> None:
    pending = {"what": ["Quantity of PUMP: 60 → 20"], "until": "2026-03-03T09:00:00.000Z"}
    changing = {**SHIPMENT, "change_pending": pending}
    api.page("GET /v1/shipments", changing)
    api.on("POST /v1/shipments/shp_1/pick", {**changing, "state": "picked"})
    api.on("GET /v1/shipments/shp_1", {**changing, "state": "picked"})

    listed = command("shipments", "list")
    picked = command("shipments", "pick", "shp_1")

    assert "Quantity of PUMP: 60 → 20" in listed.out
    assert "Mar 3, 2026" in listed.out or "2026-03-03" in listed.out
    assert picked.out == "SH-1001 of SO-1001 is picked\na change of SO-1001 is pending: Quantity of PUMP: 60 → 20\n"


def test_a_recall_is_listed_and_answered_in_the_role_of_the_warehouse(command: Oms, api: FakeApi) -> None:
    line = {"quantity": 5, "sku": "PUMP", "shipment_number": "SH-1001"}
    row = {"recall_id": "rcl_1", "order_number": "SO-1001", "since": "2026-03-02T09:00:00.000Z", "lines": [line]}
    api.page("GET /v1/recalls", row)
    api.on("POST /v1/recalls/rcl_1/answer", {**row, "state": "refused"})

    listed = command("shipments", "recalls")
    answer = command("shipments", "recall", "rcl_1", "--refuse", "the truck is loaded")
    undecided = command("shipments", "recall", "rcl_1")

    assert "5 PUMP of SH-1001" in listed.out
    assert answer.out == "the recall for SO-1001 is refused: 5 PUMP of SH-1001\n"
    assert api.asked[-1].body == {"answer": "refuse", "reason": "the truck is loaded"}
    assert claims(api.asked[-1].headers["Authorization"])["roles"] == ["warehouse"]
    assert (undecided.code, undecided.err) == (1, "say --acknowledge, or --refuse with a reason\n")


def test_a_refusal_of_the_system_is_its_sentence(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/shipments/shp_1/ship", {"code": "NOT_PACKED", "detail": "SH-1001 is released: pack it first"}, 409)

    answer = command("shipments", "ship", "shp_1")

    assert (answer.code, answer.out, answer.err) == (1, "", "SH-1001 is released: pack it first\n")


def test_a_short_pick_names_every_line_and_why_one_is_short(command: Oms, api: FakeApi) -> None:
    lines = [{"line_id": "1", "sku": "PUMP", "quantity": 15}, {"line_id": "2", "sku": "SEAL", "quantity": 2}]
    api.on("GET /v1/shipments/shp_1", {**SHIPMENT, "state": "picked", "lines": lines})
    api.on("POST /v1/shipments/shp_1/pick", {**SHIPMENT, "state": "picked", "lines": lines})

    answer = command("shipments", "pick", "shp_1", "--found", "1=12", "--reason", "damaged")

    asked = next(asked for asked in api.asked if asked.method == "POST")
    assert answer.code == 0
    assert asked.body == {
        "lines": [
            {"line_id": "1", "sku": "PUMP", "quantity": 12, "short_reason": "damaged"},
            {"line_id": "2", "sku": "SEAL", "quantity": 2},
        ]
    }


@pytest.mark.parametrize("said", ["9=1", "1", "1=x", "1=-2", "=3"])
def test_what_is_no_line_of_the_shipment_is_not_sent(command: Oms, api: FakeApi, said: str) -> None:
    lines = [{"line_id": "1", "sku": "PUMP", "quantity": 15}]
    api.on("GET /v1/shipments/shp_1", {**SHIPMENT, "lines": lines})

    answer = command("shipments", "pick", "shp_1", "--found", said)

    assert answer.code != 0
    assert "LINE=UNITS" in answer.err
    assert {asked.method for asked in api.asked} == {"GET"}
