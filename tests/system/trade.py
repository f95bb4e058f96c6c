"""A tiny wholesaler that trades through the public API only: master data, orders, warehouse, carrier and bank."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self, TypeVar

import httpx

from gateway.http.neighbors.carrier_secrets import LocalSecrets
from gateway.http.neighbors.signatures import sign
from gateway.http.plumbing.inputs import IDENTITY
from tests.system.harness import System
from tests.system.pending import pending

Found = TypeVar("Found")

_NAMES = ("warehouse_id", "carrier", "zone")
PATIENCE_S = 90.0
"""How long something is waited for that must come: it costs nothing when all is well, and a busy machine needs it."""

TEXAS = {
    "name": "Dock 4",
    "street": "1 Main Street",
    "city": "Dallas",
    "region": "TX",
    "postal_code": "75001",
    "country": "US",
}


class Trade:
    """What people and machines around the system do. Ids are unique a Trade, so several share one system.

    As a context manager it takes back at the end what others would notice.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self.tag = uuid.uuid4().hex[:8]
        self.afterwards = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.afterwards.close()

    # Master data.

    def name(self, what: str) -> str:
        """An id that no other test uses."""
        return f"{what}-{self.tag}"

    def customer(
        self,
        what: str = "cus",
        *,
        tax_rate: str = "0",
        credit_limit: str = "1000000.00",
        net_days: int = 30,
        **changes: Any,
    ) -> str:
        """A customer account, one for each word."""
        customer_id = self.name(what)
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
        """A SKU of the catalog."""
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
        """Warehouses by short name with what a shipment to Texas costs in cents; others keep their rates."""
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
        """The rates of these warehouses; shipments of other tests still rest on those of theirs."""
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
        self.put_rates(plain, [{"country": "US", "region": "*", "zone": "south"}])

    def put_rates(self, rates: list[dict[str, Any]], zones: list[dict[str, str]]) -> None:
        """Put these in place of what the table says of their warehouses and countries."""
        admin = self.system.api("admin")
        found = admin.get("/v1/rates/table")
        table = {"rates": [], "zones": []} if found.status_code == 404 else ok(found)
        ours, places = {rate["warehouse_id"] for rate in rates}, {zone["country"] for zone in zones}
        body = {
            "currency": "USD",
            "rates": [*(row for row in table["rates"] if _is_of_others(row, ours)), *rates],
            "zones": [*(row for row in table["zones"] if row["country"] not in places), *zones],
        }
        ok(admin.post("/v1/rates", json=body))

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
        """Wait until the order is as wanted. Whatever else is asserted may come later: wait for that, or use `when_idle`."""

        def claim() -> dict[str, Any]:
            order = self.order(order_id)
            seen = {name: order[name] for name in ("status", "phase", "version", "axes", "waiting_for", "change")}
            assert is_so(order), f"waited for {what} of {order_id}: {seen}"
            return order

        return eventually(claim)

    def until_released(self, order_id: str) -> dict[str, Any]:
        """Wait until the order is with its warehouse, and its workflow and its stock have said so too: in any order."""

        def is_so(order: dict[str, Any]) -> bool:
            is_held = all(line["quantities"]["allocated"] for line in order["lines"])
            return (order["status"], order["phase"]) == ("in_fulfilment", "accepted") and is_held

        return self.until(order_id, is_so, "the release")

    def when_idle(self, order_id: str) -> dict[str, Any]:
        """The order once nothing is under way."""
        self.until_idle(order_id)
        return self.order(order_id)

    def until_idle(self, *order_ids: str, within_s: float = PATIENCE_S) -> None:
        """Wait until nothing is under way: every message taken, every mail sent, the workflows of these orders asleep or ended.

        What has not come by then never comes by itself, so this is what an assertion about absence waits for.
        """

        def claim() -> None:
            left = pending(self.system, *order_ids)
            assert not left, f"still under way: {left}"

        eventually(claim, within_s)

    def placed(self, body: dict[str, Any], role: str = "channel") -> dict[str, Any]:
        """Place an order; it as it stands when its workflow waits for somebody else. A slow answer gives no verdict yet."""
        return self.when_idle(ok(self.place(body, role=role))["order_id"])

    # Warehouse and carrier.

    def shipments(self, order_id: str, state: str = "") -> list[dict[str, Any]]:
        """Shipments of an order, oldest first."""
        query = {"order_id": order_id} | ({"state": state} if state else {})
        rows: list[dict[str, Any]] = ok(self.system.api("warehouse").get("/v1/shipments", params=query))["rows"]
        return rows

    def send_off(self, shipment: dict[str, Any]) -> dict[str, Any]:
        """Pick, pack and ship; a service visit is performed."""
        warehouse, path = self.system.api("warehouse"), f"/v1/shipments/{shipment['shipment_id']}"
        verbs = ("perform",) if shipment["is_service"] else ("pick", "pack", "ship")
        for verb in verbs:
            shipment = ok(warehouse.post(f"{path}/{verb}", headers=key()))
        return shipment

    def deliver(self, shipment: dict[str, Any], *, times: int = 1, status: str = "delivered") -> list[int]:
        """The carrier's webhook, as often as the carrier likes; gives the status codes. It is signed by the clock of orders."""
        carrier = shipment["carrier"]
        document = {
            "tracking_number": shipment["tracking_number"],
            "status": status,
            "occurred_at": datetime.now(UTC).isoformat(),
        }
        body = json.dumps(document).encode()
        secret = LocalSecrets(self.system.folder / "keys")[carrier]
        headers = sign(secret, f"evt_{uuid.uuid4().hex}", self.system.now(), body)
        headers["content-type"] = "application/json"
        url = f"{self.system.base_url}/v1/webhooks/carriers/{carrier}"
        return [httpx.post(url, content=body, headers=headers, timeout=60).status_code for _ in range(times)]

    # Bank and books.

    def pay(
        self,
        customer_id: str,
        amount: str,
        applications: list[tuple[str, str]] | None = None,
        orders: list[tuple[str, str]] | None = None,
    ) -> dict[str, Any]:
        """Cash in; applications are (invoice id, amount), orders (order id or number, amount)."""
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
        if orders:
            body["orders"] = [
                {"order_id": order_id, "amount": {"amount": part, "currency": "USD"}} for order_id, part in orders
            ]
        answer: dict[str, Any] = ok(self.system.api("accounting").post("/v1/payments", json=body, headers=key()))
        return answer

    def reverse(self, payment_id: str) -> None:
        """The bank takes a payment back."""
        path, why = f"/v1/payments/{payment_id}/reversal", {"reason": "check returned unpaid"}
        ok(self.system.api("accounting").post(path, json=why, headers=key()))

    def ledger(self) -> dict[str, int]:
        """Debit minus credit in cents by account, once no message is on its way to it: stock of a test before may be booked late."""
        self.until_idle()
        self.until_audit_is_clean()
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

        def claim() -> None:
            broken = self.audit()
            assert not broken, f"the audit is not clean: {broken}"

        eventually(claim)

    def addressed_mails(self, number: str) -> list[tuple[str, str]]:
        """Recipient and subject of the mails that name an order, in the order they came."""
        mails = self.system.sink.messages
        return [(str(mail["To"]), str(mail["Subject"])) for mail in mails if number in str(mail["Subject"])]

    def attachments(self, number: str) -> dict[str, bytes]:
        """The files of the mails that name an order: name → content."""
        mails = [mail for mail in self.system.sink.messages if number in str(mail["Subject"])]
        files = [part for mail in mails for part in mail.iter_attachments()]
        return {str(part.get_filename()): part.get_content() for part in files}

    def mails(self, number: str) -> list[str]:
        """Subjects of the mails that name an order, in the order they came."""
        return [subject for _, subject in self.addressed_mails(number)]


def _is_of_others(row: dict[str, Any], ours: set[str]) -> bool:
    """Whether to keep a rate: another test's, unless it came past the API, which does not take it."""
    return row["warehouse_id"] not in ours and all(re.fullmatch(IDENTITY, row[name]) for name in _NAMES)


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


def wait_for(refresh: Callable[[], Found | None], what: str, timeout_s: float = PATIENCE_S) -> Found:
    """Look again and again until something is found."""

    def claim() -> Found:
        found = refresh()
        assert found is not None, f"waited {timeout_s:.0f} s in vain for {what}"
        return found

    return eventually(claim, timeout_s)


def eventually(claim: Callable[[], Found], within_s: float = PATIENCE_S) -> Found:
    """Make a claim until it holds and give what it gives; when the time is over, its last failure is raised."""
    deadline, pause_s = time.monotonic() + within_s, 0.05
    while True:
        try:
            return claim()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.2, 0.5)
