"""One shipment in three packages, through the whole system: the carrier's own numbers, each package's delivery, the slip, the mail."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pypdf import PdfReader

from tests.billing.test_packing_slips import scanned
from tests.system.trade import Trade, eventually, key, ok

NUMBERS = ["1Z999AA10123456784", "1Z999AA10123456785", "1Z999AA10123456786"]


def _picked(trade: Trade) -> tuple[dict[str, Any], dict[str, Any]]:
    """An order of 10 and its shipment, off the shelf."""
    customer = trade.customer(tax_rate="0.0825")
    sku = trade.product("p", "33.33", cost="20.00")
    warehouse = trade.warehouses({"w": 900})["w"]
    trade.receive(warehouse, sku, 10, "20.00")
    order = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}], freight="10.00"))
    (shipment,) = trade.shipments(order["order_id"])
    path = f"/v1/shipments/{shipment['shipment_id']}/pick"
    return order, ok(trade.system.api("warehouse").post(path, headers=key()))


def _packed(*units: int) -> dict[str, Any]:
    return {"packages": [{"contents": [{"line_id": "1", "quantity": each}], "weight_grams": 4100} for each in units]}


@pytest.mark.on_postgres
def test_a_shipment_in_three_packages_is_delivered_with_the_last_of_them(trade: Trade) -> None:
    order, picked = _picked(trade)
    order_id, path = order["order_id"], f"/v1/shipments/{picked['shipment_id']}"
    warehouse = trade.system.api("warehouse")

    short = warehouse.post(f"{path}/pack", json=_packed(4, 3), headers=key())
    packed = ok(warehouse.post(f"{path}/pack", json=_packed(4, 3, 3), headers=key()))
    slip, labels, zpl = (warehouse.get(f"{path}/{name}") for name in ("packing-slip.pdf", "labels.pdf", "labels.zpl"))
    sent = ok(warehouse.post(f"{path}/ship", json={"tracking_numbers": NUMBERS}, headers=key()))

    assert (short.status_code, short.json()["code"]) == (409, "UNITS_NOT_PACKED")
    codes = [each["sscc"] for each in packed["packages"]]
    assert len({*codes}) == 3
    pages = PdfReader(io.BytesIO(slip.content)).pages
    assert [code in page.extract_text() for code, page in zip(codes, pages, strict=True)] == [True] * 3
    assert [scanned(labels.content, page)[0][0] for page in range(3)] == [f"(00){code}" for code in codes]
    assert warehouse.get(f"{path}/bill-of-lading.pdf").content.startswith(b"%PDF-")
    assert [f"^FD(00){code}^FS" in zpl.text for code in codes] == [True] * 3
    assert [each["tracking_number"] for each in sent["packages"]] == NUMBERS
    for number in (NUMBERS[2], NUMBERS[0]):
        assert trade.deliver({**sent, "tracking_number": number}, times=2) == [200, 200]
    assert ok(warehouse.get(path))["state"] == "shipped"
    assert trade.deliver({**sent, "tracking_number": NUMBERS[1]}) == [200]
    assert ok(warehouse.get(path))["state"] == "delivered"
    delivered = trade.until(order_id, lambda one: one["shipments"][0]["state"] == "delivered", "the delivery")
    assert [each["tracking_number"] for each in delivered["shipments"][0]["packages"]] == NUMBERS
    eventually(lambda: _mailed(trade, order["number"]))
    trade.until_audit_is_clean()


def _mailed(trade: Trade, number: str) -> None:
    said = [
        str(part.get_content())
        for mail in trade.system.sink.messages
        if number in str(mail["Subject"])
        for part in mail.walk()
        if part.get_content_type() == "text/plain"
    ]
    assert any(all(each in text for each in NUMBERS) for text in said)
