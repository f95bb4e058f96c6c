"""Orders that an external tax engine taxes, through the whole system: an engine that answers, is away, comes back, and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from services.orders.fake_avatax.server import FakeAvaTax
from tests.system.paper import check_einvoices
from tests.system.trade import TEXAS, Trade, eventually, key, ok

KEY = "1100012345:4F5E6D7C8B9A"


@pytest.fixture
def engine(trade: Trade) -> Iterator[FakeAvaTax]:
    """The engine, and orders that ask it for as long as the test takes."""
    fake = FakeAvaTax(key=KEY)
    fake.start()
    settings: dict[str, Any] = {
        "tax_engine_url": fake.url,
        "tax_engine_key": SecretStr(KEY),
        "tax_engine_codes": "clothing=PC040100",
        "company_postal_code": "75247",
    }
    trade.system.restart_orders(**settings)
    yield fake
    fake.wrong = ""
    trade.system.restart_orders()
    fake.stop()


def stocked(trade: Trade, what: str, price: str, units: int, **changes: Any) -> str:
    sku, warehouse = trade.product(what, price, **changes), trade.warehouses({what: 900})[what]
    trade.receive(warehouse, sku, units, "1.00")
    return sku


def shipped(trade: Trade, order_id: str) -> list[tuple[str, str]]:
    """Tax and total of each invoice, once everything has left."""
    trade.until_released(order_id)
    for shipment in trade.shipments(order_id):
        trade.send_off(shipment)
    reader = trade.system.api("accounting")
    found = [ok(reader.get(f"/v1/invoices/{one['invoice_id']}")) for one in trade.when_idle(order_id)["invoices"]]
    return [(one["tax"]["amount"], one["total"]["amount"]) for one in found]


def taxes(order: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["rate"], row["net"]["amount"], row["tax"]["amount"]) for row in order["totals"]["taxes"]]


def test_an_order_is_taxed_to_the_engines_cents_and_invoiced_so(trade: Trade, engine: FakeAvaTax) -> None:
    """3 at 33.33 are 99.99: 6.25 + 1.00 + 1.00 is 8.25, at 8.25 % too; freight 11.00: 0.69 + 0.11 + 0.11 is 0.91, as 8.25 % has it."""
    customer, sku = trade.customer(), stocked(trade, "pump", "33.33", 3)
    lines = [{"sku": sku, "quantity": 3}]

    order = trade.placed(trade.order_body(customer, lines, freight="11.00"))

    assert taxes(order) == [("0.0825", "110.99", "9.16")]
    assert (order["tax_source"], order["holds"], order["totals"]["total"]["amount"]) == ("engine", [], "120.15")
    assert shipped(trade, order["order_id"]) == [("9.16", "120.15")]
    assert check_einvoices(trade.system, order["order_id"]) == 1
    trade.until_audit_is_clean()


def test_an_engine_that_is_away_holds_the_order_until_it_is_back(trade: Trade, engine: FakeAvaTax) -> None:
    """Away: 202 or 201, held, untaxed. Back: taxed, released by itself, invoiced to the cent; credit holds the taxed total."""
    customer, sku = trade.customer(credit_limit="108.24"), stocked(trade, "pump", "50.00", 2)
    engine.wrong = "away"

    placed = ok(trade.place(trade.order_body(customer, [{"sku": sku, "quantity": 2}])))
    order_id = placed["order_id"]
    held = trade.until(order_id, lambda one: bool(one["holds"]), "the hold")
    engine.wrong = ""
    credit = trade.until(order_id, lambda one: one["version"] == 2, "the tax")

    assert placed["reasons"] in ([], ["TAX_UNDETERMINED"])
    assert (held["tax_source"], held["totals"]["tax"]["amount"], held["phase"]) == ("pending", "0.00", "in_review")
    assert "asked again" in held["holds"][0]["reason"]
    assert (credit["tax_source"], credit["totals"]["total"]["amount"]) == ("engine", "108.25")
    assert [one["code"] for one in credit["holds"] if one["released_at"] is None] == ["CREDIT_EXCEEDED"]
    release_credit(trade, credit)
    assert shipped(trade, order_id) == [("8.25", "108.25")]
    trade.until_audit_is_clean()


def release_credit(trade: Trade, order: dict[str, Any]) -> None:
    [hold] = [one for one in order["holds"] if one["released_at"] is None]
    path = f"/v1/orders/{order['order_id']}/holds/{hold['hold_id']}/release"
    ok(trade.system.api(hold["owner_role"]).post(path, json={"note": "seen"}, headers=key()))


def test_an_address_that_the_engine_refuses_is_corrected_and_taxed(trade: Trade, engine: FakeAvaTax) -> None:
    customer, sku = trade.customer(), stocked(trade, "pump", "50.00", 2)
    nowhere = {**TEXAS, "postal_code": "00000"}

    placed = ok(trade.place(trade.order_body(customer, [{"sku": sku, "quantity": 2}], ship_to=nowhere)))
    order_id = placed["order_id"]
    held = trade.until(order_id, lambda one: "refuses" in str(one["holds"]), "the reason")
    [problem] = [
        one
        for one in ok(trade.system.api("accounting").get("/v1/exceptions", params={"order_id": order_id}))["rows"]
        if one["kind"] == "tax_missing"
    ]
    consent = {"given_by": "Ann", "given_at": held["placed_at"], "how": "by phone"}
    body = {"reason": "a typing error", "ship_to": TEXAS, "version": 1, "consent": consent}
    ok(trade.system.api("support").post(f"/v1/orders/{order_id}/changes", json=body, headers=key()))

    assert "correct it by a change of the order" in held["holds"][0]["reason"]
    assert problem["owner_role"] == "accounting"
    trade.until(order_id, lambda one: one["tax_source"] == "engine", "the tax")
    assert shipped(trade, order_id) == [("8.25", "108.25")]
    trade.until_audit_is_clean()


def test_a_change_is_taxed_by_the_engine_and_says_so_while_it_is_away(trade: Trade, engine: FakeAvaTax) -> None:
    """Shirts are taxed on what a line has beyond 110.00: 4 at 40.00 are 160.00, of which 50.00 have 3.13 + 0.50 + 0.50."""
    customer, pump = trade.customer(), stocked(trade, "pump", "50.00", 2)
    rate = {"country": "US", "category": "clothing", "rate": "0", "region": "ZZ", "valid_from": "2026-01-01"}
    ok(trade.system.api("accounting").post("/v1/tax-rates", json=rate))
    shirt = stocked(trade, "shirt", "40.00", 4, tax_category="clothing")
    order = trade.placed(trade.order_body(customer, [{"sku": pump, "quantity": 2}]))
    path, support = f"/v1/orders/{order['order_id']}/changes", trade.system.api("support")
    consent = {"given_by": "Ann", "given_at": order["placed_at"], "how": "by phone"}
    body = {"reason": "shirts too", "lines": [{"sku": shirt, "quantity": 4}], "consent": consent}

    engine.wrong = "away"
    away = ok(support.post(path, json=body, params={"preview": "true"}, headers=key()))
    refused = support.post(path, json=body, headers=key())
    engine.wrong = ""

    def previewed() -> dict[str, Any]:
        given: dict[str, Any] = ok(support.post(path, json=body, params={"preview": "true"}, headers=key()))
        assert given["obstacles"] == []
        return given

    preview = eventually(previewed)
    ok(support.post(path, json=body, headers=key()))
    after = trade.until(order["order_id"], lambda one: one["version"] == 2, "the change")

    assert [one["code"] for one in away["obstacles"]] == ["TAX_UNDETERMINED"]
    assert "try again in a few minutes" in away["obstacles"][0]["detail"]
    assert (refused.status_code, refused.json()["code"]) == (409, "TAX_UNDETERMINED")
    assert preview["totals_after"]["total"]["amount"] == "272.38"  # 100.00 + 8.25 + 160.00 + 4.13
    assert after["totals"]["tax"]["amount"] == "12.38"
    assert sum(round(float(tax) * 100) for tax, _ in shipped(trade, order["order_id"])) == 1_238
    trade.until_audit_is_clean()
