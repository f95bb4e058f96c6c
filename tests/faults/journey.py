"""An order from placed to paid through the public API, by people and machines who ask again until they are answered."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from gateway.http.neighbors.carrier_secrets import LocalSecrets
from gateway.http.neighbors.signatures import sign
from tests.faults.running import RunningSystem
from tests.faults.summary import Rows, summary, unsent
from tests.system.harness import System
from tests.system.trade import Trade, ok

WAIT_S = 120.0
PRICE, UNITS, TOTAL = "129.00", 4, "558.57"  # 4 × 129.00 × 1.0825 = 558.57


@dataclass(frozen=True, slots=True)
class Goods:
    """What one order needs to itself: nobody else buys it, nobody else is billed."""

    customer_id: str
    sku: str
    warehouse_id: str


class Shop:
    """A wholesaler with one warehouse in a running system."""

    def __init__(self, running: RunningSystem) -> None:
        self.running = running
        self.warehouse_id = self.trade().warehouses({"w1": 900})["w1"]

    def trade(self) -> Trade:
        """A trade with names of its own; the running system offers what it asks of a system."""
        return Trade(cast("System", self.running))

    def goods(self, units: int = 10) -> Goods:
        """A customer, a SKU, and some of it on the shelf."""
        trade = self.trade()
        sku = trade.product("pump", PRICE, cost="80.00")
        customer_id = trade.customer(tax_rate="0.0825")
        trade.receive(self.warehouse_id, sku, units, "80.00")
        return Goods(customer_id, sku, self.warehouse_id)


class Journey:
    """One order's way. Every wait is for the order itself, so it may be disturbed anywhere."""

    def __init__(self, shop: Shop, goods: Goods) -> None:
        self.running = shop.running
        self.goods = goods
        self.trade = shop.trade()
        self.order_id = self.number = ""

    def travel(self) -> dict[str, Rows]:
        """Place, ship, deliver, pay; what it came to once nothing is under way any more."""
        self.place()
        self.ship()
        self.finish()
        return self.came_to()

    def place(self) -> None:
        """Place the order and wait until the warehouse has it."""
        self.acknowledged(ok(self.trade.place(self.body())))
        self.until_released()

    def body(self) -> dict[str, Any]:
        """The order's document."""
        return self.trade.order_body(self.goods.customer_id, [{"sku": self.goods.sku, "quantity": UNITS}])

    def acknowledged(self, receipt: dict[str, Any]) -> None:
        """The order is known by its receipt from now on."""
        self.order_id, self.number = receipt["order_id"], receipt["number"]

    def until_released(self) -> None:
        """Wait until the warehouse has it."""
        self.until(lambda order: order["status"] == "in_fulfilment", "release")

    def ship(self) -> None:
        """Pick, pack and ship, and wait for the invoice."""
        for shipment in self.leaving():
            self.trade.send_off(shipment)
        self.until(lambda order: order["axes"]["billing"] == "full", "billing")

    def leaving(self) -> list[dict[str, Any]]:
        """The order's shipments."""
        return self.trade.shipments(self.order_id)

    def finish(self) -> None:
        """Deliver, pay, and wait until it is complete."""
        for shipment in self.leaving():
            self.deliver(shipment)
        self.until(lambda order: order["axes"]["fulfilment"] == "delivered", "delivery")
        self.trade.pay(self.goods.customer_id, TOTAL)
        self.until(lambda order: order["status"] == "completed", "completion")

    def deliver(self, shipment: dict[str, Any]) -> None:
        """The carrier's webhook, sent again under its id until it is taken."""
        document = {
            "tracking_number": shipment["tracking_number"],
            "status": "delivered",
            "occurred_at": datetime.now(UTC).isoformat(),
        }
        body, carrier = json.dumps(document).encode(), shipment["carrier"]
        secret = LocalSecrets(self.running.folder / "keys")[carrier]
        headers = sign(secret, f"evt_{uuid.uuid4().hex}", datetime.now(UTC), body)
        headers["content-type"] = "application/json"
        ok(self.running.api("warehouse").post(f"/v1/webhooks/carriers/{carrier}", content=body, headers=headers))

    def until(self, is_so: Callable[[dict[str, Any]], bool], what: str) -> None:
        """Wait until the order is as wanted."""
        trade, order_id = self.trade, self.order_id

        def check() -> dict[str, Any] | None:
            return order if is_so(order := trade.order(order_id)) else None

        self.running.wait_for(check, f"{what} of {order_id}", WAIT_S)

    def came_to(self) -> dict[str, Rows]:
        """The summary, once every message has arrived, every mail is out and the payment provider has answered."""
        self.running.wait_for(lambda: self._is_quiet() or None, f"quiet around {self.order_id}", WAIT_S)
        return self._summary()

    def _summary(self) -> dict[str, Rows]:
        return summary(self.running, self.order_id, self.number, self.goods.customer_id, self.goods.sku)

    def _is_quiet(self) -> bool:
        if unsent(self.running, self.order_id):
            return False
        notified = self._summary()
        has_ended = notified["order"][0][0] in ("closed", "cancelled")
        is_answered = all(state != "asked" for _, _, state, *_ in notified["card operations"])
        return has_ended and is_answered and all(state == "sent" for *_, state in notified["deliveries"])
