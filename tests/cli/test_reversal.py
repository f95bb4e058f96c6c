from __future__ import annotations

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms, claims

SHIPMENT = {"shipment_id": "shp_1", "number": "SH-1001", "order_number": "SO-1001", "state": "shipped", "lines": []}
SEEN = {
    "number": "SH-1001",
    "order_number": "SO-1001",
    "lines": [{"sku": "PUMP", "quantity": 60}],
    "billing": "credited",
    "invoice_number": "INV-000001",
    "amount": {"amount": "46.00", "currency": "USD"},
    "held": {"amount": "10.00", "currency": "USD"},
}


def test_a_ship_confirm_is_reversed_by_its_number_in_the_role_of_the_warehouse(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/shipments", SHIPMENT)
    api.on("POST /v1/shipments/shp_1/reversal", {**SHIPMENT, "reversal": {"replaced_by": "SH-1002"}})

    answer = command("shipments", "reverse", "SH-1001", "--reason", "wrong pallet")

    asked = next(asked for asked in api.asked if asked.method == "POST")
    assert answer.out == "SH-1001 of SO-1001 has not shipped: SH-1002 has its goods, packed\n"
    assert asked.body == {"reason": "wrong pallet"}
    assert asked.headers["Idempotency-Key"] == "oms-reverse-shp_1"
    assert claims(asked.headers["Authorization"])["roles"] == ["warehouse"]


def test_what_it_would_do_is_shown_and_nothing_is_done(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/shipments/shp_1/reversal", SEEN)

    answer = command("shipments", "reverse", "shp_1", "--preview")

    assert answer.out == (
        "SH-1001 of SO-1001 would be packed again: 60 PUMP on hand and allocated; invoice INV-000001 is credited with 46.00 USD\n"
        "10.00 USD of that was paid and is held for the order\n"
    )
    assert [asked.method for asked in api.asked] == ["GET"]


def test_a_reversal_needs_a_reason(command: Oms, api: FakeApi) -> None:
    answer = command("shipments", "reverse", "shp_1")

    assert answer.code != 0
    assert "--reason" in answer.err
    assert api.asked == []
