"""The wholesaler of the benchmarks: many customers, enough SKUs for long orders, and stock that never runs out."""

from __future__ import annotations

import itertools
from typing import Any

from bench.door import Door
from bench.parallel import for_each
from samples import documents

CUSTOMERS = tuple(f"cus_bench_{number}" for number in range(200))
"""So many that none orders enough in a policy's window for a review, which counts a customer's orders together."""
SKUS = tuple(f"BENCH-{number:03}" for number in range(100))
HOT = "BENCH-HOT"
"""What nobody has and everybody wants."""
WAREHOUSES = {"dallas": 900, "reno": 1400}
"""Short name → what a shipment to Texas costs from there, in cents."""
TEXAS = {
    "name": "Dock 4", "street": "1 Main Street", "city": "Dallas", "region": "TX", "postal_code": "75001", "country": "US",
}  # fmt: skip

_AT_ONCE = 8
_numbers = itertools.count(1)


def load_company(door: Door) -> None:
    """Load master data, the sample policies and stock."""
    first = [("/v1/customers", _customer(each)) for each in CUSTOMERS]
    first += [("/v1/products", _product(sku)) for sku in SKUS]
    first += [("/v1/warehouses", _warehouse(short)) for short in WAREHOUSES]
    for_each(lambda each: door.post("admin", *each), first, _AT_ONCE)
    second = [("/v1/rates", _rates()), ("/v1/policies", documents.read("policies"))]
    for_each(lambda each: door.post("admin", *each), second, _AT_ONCE)
    receipts = [_receipt(short, sku) for short in WAREHOUSES for sku in SKUS]
    for_each(lambda body: door.post("warehouse", "/v1/stock/receipts", body), receipts, _AT_ONCE)


def order(lines: int) -> dict[str, Any]:
    """A new order document with so many lines; orders walk through the catalog."""
    number = next(_numbers)
    return {
        "channel": "web",
        "channel_ref": f"WEB-{number}",
        "customer_id": CUSTOMERS[number % len(CUSTOMERS)],
        "po_number": f"PO-{number}",
        "currency": "USD",
        "ship_to": TEXAS,
        "lines": [{"sku": SKUS[(number * lines + each) % len(SKUS)], "quantity": 2} for each in range(lines)],
    }


def load_hot(door: Door) -> None:
    """Sell what is not there."""
    door.post("admin", "/v1/products", _product(HOT))


def hot_order() -> dict[str, Any]:
    """A new order document for one unit of HOT."""
    return {**order(1), "lines": [{"sku": HOT, "quantity": 1}]}


def expect_hot(door: Door, units: int) -> None:
    """Announce so many units of HOT."""
    announced = {"warehouse_id": "wh_dallas", "sku": HOT, "quantity": units, "expected_on": "2030-01-02"}
    door.post("warehouse", "/v1/stock/expected-receipts", {**announced, "reference": "PO-HOT"})


def receive_hot(door: Door, units: int) -> None:
    """So many units of HOT arrive."""
    door.post("warehouse", "/v1/stock/receipts", {**_receipt("dallas", HOT), "quantity": units})


def _customer(customer_id: str) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "name": f"Buyer {customer_id.rpartition('_')[2]}",
        "currency": "USD",
        "net_days": 30,
        "tax_rate": "0.0825",
        "contact_email": f"{customer_id}@buyers.example",
        "accounting_email": f"{customer_id}@payables.example",
        "sales_rep_email": "rep@oms.example",
        "credit_limit": "90000000.00",
    }


def _product(sku: str) -> dict[str, Any]:
    return {
        "sku": sku,
        "description": f"Fitting {sku[-3:]}",
        "kind": "stock",
        "currency": "USD",
        "list_price": "12.50",
        "standard_cost": "7.00",
        "weight_grams": 250,
    }


def _warehouse(short: str) -> dict[str, Any]:
    return {"warehouse_id": f"wh_{short}", "name": short.title(), "kind": "own", "address": TEXAS}


def _rates() -> dict[str, Any]:
    rates = [
        {
            "warehouse_id": f"wh_{short}",
            "carrier": "roadrunner",
            "zone": "south",
            "base_minor": cents,
            "per_kg_minor": 0,
            "per_unit_minor": 0,
            "transit_days": 2,
        }
        for short, cents in WAREHOUSES.items()
    ]
    return {"currency": "USD", "rates": rates, "zones": [{"country": "US", "region": "*", "zone": "south"}]}


def _receipt(short: str, sku: str) -> dict[str, Any]:
    return {"warehouse_id": f"wh_{short}", "sku": sku, "quantity": 1_000_000, "unit_cost": "7.00", "currency": "USD"}
