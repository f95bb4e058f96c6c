"""The request's side of a return over the whole system: what may come back, its photos, its label and its parcel."""

from __future__ import annotations

import socket
from typing import Any

import httpx

from tests.billing.test_return_labels import _scanned, _text
from tests.pictures import JPEG, archive, png
from tests.system.test_a8_return import _ask, _back, _sold, _until
from tests.system.trade import Trade, eventually, key, ok


def _send(api: httpx.Client, number: str, content: bytes) -> Any:
    return api.post(f"/v1/returns/{number}/photos", content=content, headers={"Content-Type": "image/jpeg"})


def _cut_short(trade: Trade, number: str, token: str) -> None:
    """A sender who promises more than comes, and goes."""
    head = (
        f"POST /v1/returns/{number}/photos HTTP/1.1\r\nHost: oms\r\nAuthorization: {token}\r\n"
        f"Content-Type: image/jpeg\r\nContent-Length: {len(JPEG) + 100}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", trade.system.http_port), timeout=10) as wire:
        wire.sendall(head.encode() + JPEG)


def _files(trade: Trade) -> set[str]:
    folder = trade.system.folder / "return-photos"
    return {one.name for one in folder.iterdir()} if folder.is_dir() else set()


def test_what_is_not_returnable_comes_back_only_when_support_says_why(trade: Trade) -> None:
    order, sku, warehouse = _sold(trade)
    admin = trade.system.api("admin")
    ok(admin.patch("/v1/products", json={"sku": sku, "is_returnable": False}))
    line = {"line_id": "1", "quantity": 1, "reason": "defective"}
    body = {"order": order["number"], "lines": [line]}

    customer = _ask(trade, order, 1)
    override = trade.system.api("customer", order["customer_id"]).post(
        "/v1/returns", json={**body, "override_reason": "please"}, headers=key()
    )
    support = trade.system.api("support")
    wordless = support.post("/v1/returns", json=body, headers=key())
    taken = ok(support.post("/v1/returns", json={**body, "override_reason": "burst on day one"}, headers=key()))
    _back(trade, taken["number"], warehouse, 1, (1, "D", "scrap", "seller"))
    closed = _until(trade, taken["number"], lambda one: one["state"] == "closed")

    assert (customer.status_code, customer.json()["code"]) == (409, "NOT_RETURNABLE")
    assert "ask support" in customer.json()["detail"]
    assert (override.status_code, override.json()["code"]) == (403, "OVERRIDE_NOT_YOURS")
    assert wordless.json()["code"] == "NOT_RETURNABLE"
    assert taken["override_reason"] == "burst on day one"
    assert closed["credited"]["amount"] == "88.00"
    mine = ok(trade.system.api("customer", order["customer_id"]).get(f"/v1/returns/{taken['number']}"))
    assert mine["override_reason"] is None
    trade.until_audit_is_clean()


def test_photos_are_kept_whole_or_not_at_all_and_the_audit_misses_a_file(trade: Trade) -> None:
    order, _, warehouse = _sold(trade)
    number = str(_ask(trade, order, 3).json()["number"])
    buyer = trade.system.api("customer", order["customer_id"])
    before = _files(trade)

    refused = [_send(buyer, number, one) for one in (archive(), JPEG[:-20], png(padding=5 << 20), b"")]
    _cut_short(trade, number, buyer.headers["Authorization"])
    eventually(lambda: _is_same(_files(trade), before))
    first = ok(_send(buyer, number, JPEG))
    _back(trade, number, warehouse, 3, (3, "A", "restock", "customer"))
    found = ok(_send(trade.system.api("warehouse"), number, png()))
    _until(trade, number, lambda one: one["state"] == "closed")
    listed = ok(buyer.get(f"/v1/returns/{number}/photos"))["rows"]
    shown = buyer.get(f"/v1/returns/{number}/photos/{found['photo_id']}")
    trade.until_audit_is_clean()
    file = trade.system.folder / "return-photos" / first["photo_id"]
    content = file.read_bytes()
    file.unlink()
    [missed] = trade.audit()
    file.write_bytes(content)

    codes = ["PHOTO_TYPE", "PHOTO_DAMAGED", "PHOTO_TOO_LARGE", "PHOTO_TYPE"]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(422, code) for code in codes]
    assert [(one["stage"], one["photo_id"]) for one in listed] == [
        ("request", first["photo_id"]), ("inspection", found["photo_id"]),
    ]  # fmt: skip
    assert (shown.content, shown.headers["Content-Type"]) == (png(), "image/png")
    assert (missed["name"], missed["offenders"]) == (
        "orders.photos_have_their_files", [f"{first['photo_id']}: no file"],
    )  # fmt: skip
    trade.until_audit_is_clean()


def test_the_label_goes_with_the_mail_names_the_warehouse_and_the_parcel_is_awaited(trade: Trade) -> None:
    order, _, _ = _sold(trade)
    asked = _ask(trade, order, 2).json()
    number = asked["number"]
    buyer = trade.system.api("customer", order["customer_id"])

    label = buyer.get(f"/v1/returns/{number}/label.pdf")
    mailed = eventually(lambda: _attached(trade, order["number"], f"{number}-label.pdf"))
    sent = ok(buyer.post(f"/v1/returns/{number}/in-transit", json={"tracking_number": "PW 4711", "carrier": "ups"}))
    foreign = trade.system.api("customer", trade.customer("rival")).get(f"/v1/returns/{number}/label.pdf")
    ok(trade.system.api("support").post(f"/v1/returns/{number}/cancel", json={"note": "kept"}, headers=key()))
    ended = _until(trade, number, lambda one: bool(one["ended_at"]))
    late = buyer.get(f"/v1/returns/{number}/label.pdf")
    tracked = buyer.post(f"/v1/returns/{number}/in-transit", json={"tracking_number": "PW 4712"})

    assert label.status_code == 200, label.text
    assert label.headers["Content-Type"] == "application/pdf"
    for pdf in (label.content, mailed):
        assert _scanned(pdf) == [(number, "Code128")]
        assert all(word in _text(pdf) for word in (number, order["number"], "Drop it off"))
    assert asked["label_sent_at"]
    assert (sent["stage"], sent["waits_for"], sent["tracking_number"]) == ("in_transit", "warehouse", "PW 4711")
    assert (foreign.status_code, late.status_code, tracked.status_code) == (404, 409, 409)
    assert late.json()["code"] == "RETURN_HAS_NO_LABEL"
    assert ended["state"] == "cancelled"
    events = {one["what"] for one in ok(buyer.get(f"/v1/orders/{order['order_id']}/history"))["rows"]}
    assert "return_in_transit" in events
    trade.until_audit_is_clean()


def _is_same(found: set[str], wanted: set[str]) -> None:
    assert found == wanted


def _attached(trade: Trade, number: str, name: str) -> bytes:
    files = trade.attachments(number)
    assert name in files, sorted(files)
    return files[name]
