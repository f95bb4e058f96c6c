"""Who gets what from where: the optimum of scenario A1, explained, through the public API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.trade import Trade, ok

CENTS = {"w1": 900, "w2": 1600, "w3": 800, "p": 1200}


class Shop:
    """The four warehouses of A1 and the policy, which each order finds as it asks for."""

    def __init__(self, trade: Trade) -> None:
        self.trade = trade
        self.customer = trade.customer()
        self.admin = trade.system.api("admin")
        self.number = 0

    def plan(self, w2: int = 1600, closed: str = "", **policy: Any) -> tuple[dict[str, int], dict[str, Any]]:
        """Place 10 A and 4 B over warehouses and SKUs of its own: short name → units reserved there, and the plan."""
        self.number += 1
        costs = {short: w2 if short == "w2" else cents for short, cents in CENTS.items()}
        made = self.trade.warehouses({f"{short}-{self.number}": cents for short, cents in costs.items()})
        names = dict(zip(CENTS, made.values(), strict=True))
        self._handling(names["p"])
        self.put_policy(policy)
        a, b = (self.trade.product(f"{sku}{self.number}", "20.00") for sku in "ab")
        for short, sku, units in (
            ("w1", a, 10), ("w2", a, 10), ("w2", b, 4), ("w3", b, 4), ("p", a, 10), ("p", b, 4)
        ):  # fmt: skip
            self.trade.receive(names[short], sku, units, "10.00")
        for short in closed.split():
            ok(self.admin.patch("/v1/warehouses", json={"warehouse_id": names[short], "is_active": False}))
        lines = [{"sku": a, "quantity": 10}, {"sku": b, "quantity": 4}]
        order_id = self.trade.placed(self.trade.order_body(self.customer, lines))["order_id"]
        found = {
            one["warehouse_id"]: sum(line["quantity"] for line in one["lines"])
            for one in self.trade.shipments(order_id)
        }
        shorts = {name: short for short, name in names.items()}
        return {shorts[place]: units for place, units in found.items()}, self._read(order_id)

    def _handling(self, third_party: str) -> None:
        """1.50 for each unit beside the 12.00 of a shipment."""
        rate = {
            "warehouse_id": third_party, "carrier": "roadrunner", "zone": "south", "base_minor": CENTS["p"],
            "per_kg_minor": 0, "per_unit_minor": 150, "transit_days": 2,
        }  # fmt: skip
        self.trade.put_rates([rate], [{"country": "US", "region": "*", "zone": "south"}])

    def put_policy(self, policy: dict[str, Any]) -> None:
        none: dict[str, Any] = {"split_penalty_minor": 0, "maximum_splits": None, "late_day_minor": 0, "nodes": []}
        ok(self.admin.post("/v1/sourcing-policy", json=none | policy))

    def _read(self, order_id: str) -> dict[str, Any]:
        [plan] = ok(self.trade.system.api("auditor").get(f"/v1/orders/{order_id}/sourcing"))["rows"]
        found: dict[str, Any] = plan
        return found


@pytest.fixture
def shop(trade: Trade) -> Shop:
    made = Shop(trade)
    trade.afterwards.callback(made.put_policy, {})
    return made


def total(plan: dict[str, Any]) -> str:
    return str(plan["candidates"][0]["costs"]["total"]["amount"])


def test_a1_the_optimum_is_found_and_explained(shop: Shop) -> None:
    assert shop.plan(w2=1600)[0] == {"w2": 14}
    split, plan = shop.plan(w2=1900)
    assert split == {"w1": 10, "w3": 4}
    assert (total(plan), plan["is_optimal"], plan["bound"]["amount"]) == ("17.00", True, "17.00")
    assert [one["reason"] for one in plan["candidates"][1:3]] == ["costs 2.00 USD more", "costs 10.00 USD more"]
    assert shop.plan(w2=1900, split_penalty_minor=500)[0] == {"w2": 14}
    assert shop.plan(w2=1900, maximum_splits=0)[0] == {"w2": 14}
    units, plan = shop.plan(w2=1900, closed="w2", split_penalty_minor=500)
    assert (units, total(plan)) == ({"w1": 10, "w3": 4}, "22.00")
    units, plan = shop.plan(w2=1900, closed="w2 w3", split_penalty_minor=500)
    assert (units, total(plan)) == ({"w1": 10, "p": 4}, "32.00")
    shop.trade.until_audit_is_clean()
