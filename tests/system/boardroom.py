"""The people who decide: hired through the public API, each with a token and an HTTP client of their own."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import httpx

from services.orders.policies import engine
from tests.system.trade import Trade, key, ok

RULES = [
    {
        "code": "SKU_UNKNOWN",
        "scope": "line",
        "when": "!product.is_known",
        "severity": "BLOCK",
        "message": "The SKU is not in the catalog.",
    }
]


def tier(level: int, position: str, **more: Any) -> dict[str, Any]:
    """A tier of approvers in a position."""
    return {"level": level, "role": "approver", "position": position, "mode": "any"} | more


OVER_5000 = {
    "code": "OVER_5000",
    "when": "order.cumulative > 5000.0",
    "message": "The order is over 5,000.",
    "tiers": [tier(1, "manager")],
}
OVER_25000 = {
    "code": "OVER_25000",
    "when": "order.cumulative > 25000.0",
    "message": "The order is over 25,000.",
    "tiers": [tier(2, "finance_director")],
}
DEADLINES = {
    "remind_after_hours": 4,
    "escalate_after_hours": 24,
    "expire_after_hours": 120,
    "on_expiry": "hold",
    "calendar": "always",
}


class Boardroom:
    """People of one Trade by short names; their subjects are the Trade's own. With the Trade they go, and so does its policy."""

    def __init__(self, trade: Trade) -> None:
        self.trade = trade
        self.system = trade.system
        self._clients: dict[str, httpx.Client] = {}
        self._has_policy = False

    def sub(self, who: str) -> str:
        """The subject of somebody's token."""
        return self.trade.name(who)

    def hire(
        self,
        who: str,
        *,
        roles: list[str],
        positions: list[str],
        limit: str = "",
        currency: str = "USD",
        manager: str = "",
        company: str = "",
    ) -> None:
        """Put somebody into the directory and give them a token."""
        body = {
            "sub": self.sub(who),
            "name": who.title(),
            "email": f"{self.sub(who)}@oms.example",
            "roles": roles,
            "positions": positions,
            "company": company,
            "manager": self.sub(manager) if manager else "",
            "limits": [{"amount": limit, "currency": currency}] if limit else [],
        }
        ok(self.system.api("admin").post("/v1/people", json=body))
        token = self.system.issuer.token(sub=self.sub(who), roles=roles, company=company or None)
        self._clients[who] = httpx.Client(
            base_url=self.system.base_url, headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
        self.trade.afterwards.callback(self._clients[who].close)
        self.trade.afterwards.callback(self._dismiss, body)

    def _dismiss(self, body: dict[str, Any]) -> None:
        ok(self.system.api("admin").post("/v1/people", json=body | {"is_active": False}))

    def policy(self, *reviews: dict[str, Any], **more: Any) -> None:
        """Put a policy in force: these rows of the matrix, else A4's."""
        body = {"rules": RULES, "reviews": list(reviews) or [OVER_5000, OVER_25000], "deadlines": DEADLINES} | more
        if not self._has_policy:
            self.trade.afterwards.callback(self._drop_policy)
        self._has_policy = True
        ok(self.system.api("admin").post("/v1/policies", json=body))

    def _drop_policy(self) -> None:
        built_in = [asdict(rule) for rule in engine.built_in().rules]
        ok(self.system.api("admin").post("/v1/policies", json={"rules": built_in}))

    def api(self, who: str) -> httpx.Client:
        """Somebody's HTTP client."""
        return self._clients[who]

    def post(self, who: str, path: str, body: dict[str, Any]) -> httpx.Response:
        """Post as somebody, with a key."""
        return self.api(who).post(path, json=body, headers=key())

    def place(self, who: str, body: dict[str, Any]) -> httpx.Response:
        """Enter an order for a customer."""
        return self.post(who, "/v1/orders", body)

    def delegate(self, who: str, to: str, **more: Any) -> dict[str, Any]:
        """Hand decisions over for a day, from a minute ago."""
        now = self.system.now()
        body = {
            "to_sub": self.sub(to),
            "valid_from": (now - timedelta(minutes=1)).isoformat(),
            "valid_to": (now + timedelta(days=1)).isoformat(),
            "note": "away",
        } | more
        answer: dict[str, Any] = ok(self.post(who, "/v1/delegations", body))
        return answer

    def steps(self, order_id: str) -> list[dict[str, Any]]:
        """Every step that was ever asked of an order."""
        return [step for review in self.trade.order(order_id)["reviews"] for step in review["steps"]]

    def open_step(self, order_id: str) -> dict[str, Any]:
        """The one step that waits for somebody."""
        (step,) = [step for step in self.steps(order_id) if step["state"] == "open"]
        return step

    def decide(
        self, who: str, order_id: str, decision: str, *, version: int, step_id: str = "", note: str = "checked"
    ) -> httpx.Response:
        """Decide a step, the open one unless another is named."""
        body = {
            "step_id": step_id or self.open_step(order_id)["step_id"],
            "decision": decision,
            "version": version,
            "note": note,
        }
        return self.post(who, f"/v1/orders/{order_id}/decisions", body)


def placed(room: Boardroom, quantity: int = 6, **changes: Any) -> dict[str, Any]:
    """An order of so many thousands, parked."""
    trade = room.trade
    customer_id = trade.customer(**changes)
    sku = trade.product("f", "1000.00", cost="700.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], sku, quantity, "700.00")
    return trade.placed(trade.order_body(customer_id, [{"sku": sku, "quantity": quantity}]))
