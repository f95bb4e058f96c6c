"""A tiny wholesaler that trades through the public API only: master data, orders, warehouse, carrier and bank."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import httpx

from services.orders.api.carrier_secrets import LocalSecrets
from services.orders.api.signatures import sign
from tests.system.harness import System

Found = TypeVar("Found")

TEXAS = {
    "name": "Dock 4",
    "street": "1 Main Street",
    "city": "Dallas",
    "region": "TX",
    "postal_code": "75001",
    "country": "US",
}


class Trade:
    """What people and machines around the system do. Ids are unique a Trade, so several share one system."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.tag = uuid.uuid4().hex[:8]

    # Master data.

    def name(self, what: str) -> str:
        """An id that no other test uses."""
        return f"{what}-{self.tag}"

    def customer(
        self, *, tax_rate: str = "0", credit_limit: str = "1000000.00", net_days: int = 30, **changes: Any
    ) -> str:
        """A customer account."""
        customer_id = self.name("cus")
        body = {
            "customer_id": customer_id,
            "name": "Acme Pumps",
            "currency": "USD",
            "net_days": net_days,
            "tax_rate": tax_rate,
            "contact_email": f"buyer-{self.tag}@acme.example",
            "sales_rep_email": f"rep-{self.tag}@oms.example",
            "credit_limit": credit_limit,
            "duplicate_po": "allow",
        } | changes
        ok(self.system.api("admin").post("/v1/customers", json=body))
        return customer_id

    def product(self, what: str, price: str, *, kind: str = "stock", cost: str = "0.01", **changes: Any) -> str:
        """A SKU of the catalogue."""
        sku = self.name(what).upper()
        body = {
            "sku": sku,
            "description": f"Product {what}",
            "kind": kind,
            "currency": "USD",
            "list_price": price,
            "standard_cost": cost,
            "weight_grams": 500,
        } | changes
        ok(self.system.api("admin").post("/v1/products", json=body))
        return sku

    def warehouses(self, costs: dict[str, int]) -> dict[str, str]:
        """Warehouses by short name with what a shipment to Texas costs in cents; they replace the whole rate table."""
        names = {short: self.name(f"wh-{short}") for short in costs}
        for short, warehouse_id in names.items():
            body = {"warehouse_id": warehouse_id, "name": short, "kind": "own", "address": TEXAS}
            ok(self.system.api("admin").post("/v1/warehouses", json=body))
        rates = [
            {
                "warehouse_id": names[short],
                "carrier": "roadrunner",
                "zone": "south",
                "base": {"amount": f"{cents / 100:.2f}", "currency": "USD"},
                "transit_days": 2,
            }
            for short, cents in costs.items()
        ]
        self.rates(rates)
        return names

    def rates(self, rates: list[dict[str, Any]]) -> None:
        """Replace the rate table."""
        plain = [
            {
                "warehouse_id": rate["warehouse_id"],
                "carrier": rate["carrier"],
                "zone": rate["zone"],
                "base_minor": int(Decimal(rate["base"]["amount"]) * 100),
                "per_kg_minor": 0,
                "per_unit_minor": 0,
                "transit_days": rate["transit_days"],
            }
            for rate in rates
        ]
        body = {"currency": "USD", "rates": plain, "zones": [{"country": "US", "region": "*", "zone": "south"}]}
        ok(self.system.api("admin").post("/v1/rates", json=body))

    def receive(self, warehouse_id: str, sku: str, quantity: int, unit_cost: str) -> dict[str, Any]:
        """Goods in."""
        body = {
            "warehouse_id": warehouse_id,
            "sku": sku,
            "quantity": quantity,
            "unit_cost": unit_cost,
            "currency": "USD",
        }
        answer: dict[str, Any] = ok(self.system.api("warehouse").post("/v1/stock/receipts", json=body, headers=key()))
        return answer

    # Orders.

    def order_body(self, customer_id: str, lines: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
        """An order document."""
        return {
            "channel": "web",
            "customer_id": customer_id,
            "po_number": f"PO-{uuid.uuid4().hex[:6]}",
            "currency": "USD",
            "ship_to": TEXAS,
            "lines": lines,
        } | changes

    def place(self, body: dict[str, Any], idempotency_key: str = "", role: str = "channel") -> httpx.Response:
        """Place an order."""
        company = body["customer_id"] if role == "customer" else None
        return self.system.api(role, company).post("/v1/orders", json=body, headers=key(idempotency_key))

    def order(self, order_id: str) -> dict[str, Any]:
        """The whole order as an auditor sees it."""
        found: dict[str, Any] = ok(self.system.api("auditor").get(f"/v1/orders/{order_id}"))
        return found

    def until(self, order_id: str, is_so: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """Wait until the order is as wanted."""
        return wait_for(lambda: order if is_so(order := self.order(order_id)) else None, f"{what} of {order_id}")

    def until_released(self, order_id: str) -> dict[str, Any]:
        """Wait until the order is with its warehouse and its story and its stock have said so too: their words come in any order."""

        def is_so(order: dict[str, Any]) -> bool:
            is_told = order["accepted_at"] and all(line["quantities"]["allocated"] for line in order["lines"])
            return order["status"] == "in_fulfilment" and bool(is_told)

        return self.until(order_id, is_so, "the release")

    # Warehouse and carrier.

    def shipments(self, order_id: str, state: str = "") -> list[dict[str, Any]]:
        """Shipments of an order, oldest first."""
        query = {"order_id": order_id} | ({"state": state} if state else {})
        rows: list[dict[str, Any]] = ok(self.system.api("warehouse").get("/v1/shipments", params=query))["rows"]
        return rows

    def send_off(self, shipment: dict[str, Any]) -> dict[str, Any]:
        """Pick, pack and ship; a service visit is performed."""
        floor, path = self.system.api("warehouse"), f"/v1/shipments/{shipment['shipment_id']}"
        verbs = ("perform",) if shipment["is_service"] else ("pick", "pack", "ship")
        for verb in verbs:
            shipment = ok(floor.post(f"{path}/{verb}", headers=key()))
        return shipment

    def deliver(self, shipment: dict[str, Any], *, times: int = 1, status: str = "delivered") -> list[int]:
        """The carrier's webhook, as often as the carrier likes; gives the status codes."""
        carrier = shipment["carrier"]
        document = {
            "tracking_number": shipment["tracking_number"],
            "status": status,
            "occurred_at": datetime.now(UTC).isoformat(),
        }
        body = json.dumps(document).encode()
        secret = LocalSecrets(self.system.folder / "keys")[carrier]
        headers = sign(secret, f"evt_{uuid.uuid4().hex}", datetime.now(UTC), body)
        headers["content-type"] = "application/json"
        url = f"{self.system.base_url}/v1/webhooks/carriers/{carrier}"
        return [httpx.post(url, content=body, headers=headers).status_code for _ in range(times)]

    # Bank and books.

    def pay(self, customer_id: str, amount: str, applications: list[tuple[str, str]] | None = None) -> dict[str, Any]:
        """Cash in; applications are (invoice id, amount)."""
        body: dict[str, Any] = {
            "customer_id": customer_id,
            "amount": {"amount": amount, "currency": "USD"},
            "reference": f"BANK-{uuid.uuid4().hex[:10]}",
        }
        if applications:
            body["applications"] = [
                {"invoice_id": invoice_id, "amount": {"amount": part, "currency": "USD"}}
                for invoice_id, part in applications
            ]
        answer: dict[str, Any] = ok(self.system.api("accounting").post("/v1/payments", json=body, headers=key()))
        return answer

    def books(self) -> dict[str, int]:
        """Debit minus credit in cents by account."""
        answer = ok(self.system.api("accounting").get("/v1/ledger/trial-balance"))
        return {row["account"]: balance_of(row) for row in answer["rows"]}

    def stock(self, sku: str) -> dict[str, tuple[int, int]]:
        """On hand and allocated by warehouse."""
        rows = ok(self.system.api("warehouse").get("/v1/stock", params={"sku": sku}))["rows"]
        return {row["warehouse_id"]: (row["on_hand"], row["allocated"]) for row in rows}

    def audit(self) -> list[dict[str, Any]]:
        """Invariants that are broken; empty is clean."""
        answer = ok(self.system.api("auditor").get("/v1/audit/invariants"))
        return [row for row in answer["rows"] if row["violations"]]

    def until_audit_is_clean(self) -> None:
        """What is under way between two services settles; then nothing may be broken."""
        deadline = time.monotonic() + 45
        while broken := self.audit():
            if time.monotonic() > deadline:
                raise AssertionError(f"the audit is not clean: {broken}")
            time.sleep(0.2)

    def letters(self, number: str) -> list[tuple[str, str]]:
        """Recipient and subject of the mails that name an order, in the order they came."""
        mails = self.system.sink.messages
        return [(str(mail["To"]), str(mail["Subject"])) for mail in mails if number in str(mail["Subject"])]

    def mails(self, number: str) -> list[str]:
        """Subjects of the mails that name an order, in the order they came."""
        return [subject for _, subject in self.letters(number)]


def balance_of(row: dict[str, Any]) -> int:
    """Debit minus credit of a trial balance row, in cents."""
    return int(Decimal(row["balance"]["amount"]) * 100)


def key(given: str = "") -> dict[str, str]:
    """An idempotency key header."""
    return {"Idempotency-Key": given or uuid.uuid4().hex}


def ok(response: httpx.Response) -> Any:
    """The answer, or a failure that shows the problem document."""
    assert response.is_success, (
        f"{response.request.method} {response.request.url}: {response.status_code} {response.text}"
    )
    return response.json()


def wait_for(look: Callable[[], Found | None], what: str, timeout_s: float = 60) -> Found:
    """Look again and again until something is found."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {timeout_s} s in vain for {what}; last seen: {look()}")
