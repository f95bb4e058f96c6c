from __future__ import annotations

from tests.system.paper import check_einvoices
from tests.system.trade import Trade, ok


def test_a9_three_shipments_sum_to_the_order_to_the_cent(trade: Trade) -> None:
    """3 at 33.33, discount 10.00, tax 7.25 %, one unit in each of three warehouses; naive rounding would give 96.52."""
    customer = trade.customer(tax_rate="0.0725")
    sku = trade.product("third", "33.33")
    warehouses = trade.warehouses({"w1": 900, "w2": 900, "w3": 900})
    for warehouse in warehouses.values():
        trade.receive(warehouse, sku, 1, "5.00")

    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 3}], discount="10.00"))
    order_id = placed["order_id"]
    shipments = trade.shipments(order_id)
    for shipment in shipments:
        trade.send_off(shipment)
    invoices = trade.when_idle(order_id)["invoices"]
    reader = trade.system.api("accounting")
    taxes = [ok(reader.get(f"/v1/invoices/{invoice['invoice_id']}"))["tax"]["amount"] for invoice in invoices]

    assert len(shipments) == 3
    assert placed["totals"]["total"]["amount"] == "96.51"
    assert [invoice["total"]["amount"] for invoice in invoices] == ["32.18", "32.17", "32.16"]
    assert taxes == ["2.18", "2.17", "2.17"]
    assert check_einvoices(trade.system, order_id) == 3
    trade.until_audit_is_clean()


def test_freight_is_shared_half_up_over_shipments_of_unequal_worth(trade: Trade) -> None:
    """Freight 19.99 over 1,000, 600 and 400: 9.995, 5.997 and the rest, so 10.00, 6.00 and 3.99."""
    customer = trade.customer()
    skus = [trade.product(name, price) for name, price in (("big", "1000.00"), ("mid", "600.00"), ("low", "400.00"))]
    warehouses = trade.warehouses({"w1": 900, "w2": 900, "w3": 900})
    for warehouse, sku in zip(warehouses.values(), skus, strict=True):
        trade.receive(warehouse, sku, 1, "5.00")

    lines = [{"sku": sku, "quantity": 1} for sku in skus]
    order_id = trade.placed(trade.order_body(customer, lines, freight="19.99"))["order_id"]
    by_warehouse = {shipment["warehouse_id"]: shipment for shipment in trade.shipments(order_id)}
    for warehouse in warehouses.values():
        trade.send_off(by_warehouse[warehouse])
        trade.when_idle(order_id)
    invoices = trade.when_idle(order_id)["invoices"]

    assert [invoice["total"]["amount"] for invoice in invoices] == ["1010.00", "606.00", "403.99"]
    trade.until_audit_is_clean()
