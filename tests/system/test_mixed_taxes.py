from __future__ import annotations

from typing import Any

from tests.system.paper import check_einvoices
from tests.system.trade import TEXAS, Trade, ok


def rate(trade: Trade, category: str, fraction: str, region: str = "TX") -> None:
    """A rate of a place that only this test's orders go to: its postal codes begin as no other's do."""
    body = {"country": "US", "region": region, "postal_prefix": "885", "category": category, "rate": fraction}
    ok(trade.system.api("accounting").post("/v1/tax-rates", json={**body, "valid_from": "2026-01-01"}))


EL_PASO = {**TEXAS, "city": "El Paso", "postal_code": "88510"}


def taxed(trade: Trade, order_id: str) -> list[tuple[str, str, str]]:
    """The tax, the rates and the total of each invoice of an order."""
    reader = trade.system.api("accounting")
    found = [ok(reader.get(f"/v1/invoices/{one['invoice_id']}")) for one in trade.when_idle(order_id)["invoices"]]
    return [
        (one["tax"]["amount"], " ".join(row["rate"] for row in one["taxes"]), one["total"]["amount"]) for one in found
    ]


def test_an_order_that_mixes_rates_is_invoiced_to_the_cent(trade: Trade) -> None:
    """5 at 40.00 taxed 10 % and 1 at 20.00 free of tax are 220.00 and 20.00, freight goes with the goods; 240.00 and 12.00 in all."""
    rate(trade, "standard", "0.1")
    rate(trade, "food", "0")
    rate(trade, "freight", "goods")
    customer = trade.customer(tax_rate="0.0725")
    pump, rice = trade.product("pump", "40.00"), trade.product("rice", "20.00", tax_category="food")
    warehouses = trade.warehouses({"w1": 900, "w2": 900})
    trade.receive(warehouses["w1"], pump, 5, "5.00")
    trade.receive(warehouses["w2"], rice, 1, "5.00")

    lines = [{"sku": pump, "quantity": 5}, {"sku": rice, "quantity": 1}]
    placed = trade.placed(trade.order_body(customer, lines, freight="11.00", ship_to=EL_PASO))
    order_id = placed["order_id"]
    by_warehouse = {shipment["warehouse_id"]: shipment for shipment in trade.shipments(order_id)}
    for name in ("w1", "w2"):
        trade.send_off(by_warehouse[warehouses[name]])
        trade.when_idle(order_id)

    assert [(row["rate"], row["net"]["amount"], row["tax"]["amount"]) for row in placed["totals"]["taxes"]] == [
        ("0.1", "210.00", "21.00"),
        ("0", "21.00", "0.00"),
    ]
    assert taxed(trade, order_id) == [("21.00", "0.1", "231.00"), ("0.00", "0", "21.00")]
    assert check_einvoices(trade.system, order_id) == 2
    trade.until_audit_is_clean()


def test_a_certificate_exempts_an_order_for_its_whole_life(trade: Trade) -> None:
    rate(trade, "standard", "0.1")
    certificate = {"certificate": "TX-88", "country": "US", "region": "TX", "valid_from": "2020-01-01"}
    customer = trade.customer("exempt", tax_exemptions=[certificate])
    sku = trade.product("valve", "50.00")
    warehouse = trade.warehouses({"w3": 900})["w3"]
    trade.receive(warehouse, sku, 2, "5.00")

    order_id = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 2}], ship_to=EL_PASO))["order_id"]
    admin = trade.system.api("admin")
    ok(admin.patch("/v1/customers", json={"customer_id": customer, "tax_exemptions": []}))
    for shipment in trade.shipments(order_id):
        trade.send_off(shipment)

    order: dict[str, Any] = trade.when_idle(order_id)
    assert order["tax_exemption"] == "TX-88"
    assert taxed(trade, order_id) == [("0.00", "0", "100.00")]
    assert check_einvoices(trade.system, order_id) == 1
    trade.until_audit_is_clean()
