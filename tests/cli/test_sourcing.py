"""`oms orders sourcing`."""

from __future__ import annotations

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

NOTHING = {"amount": "0.00", "currency": "USD"}


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def candidate(places: dict[str, int], total: str, reason: str, *, is_chosen: bool = False) -> dict[str, object]:
    parts = dict.fromkeys(("handling", "fees", "splits", "lateness", "avoidance"), NOTHING)
    return {
        "shipments": [{"warehouse_id": place, "quantity": units} for place, units in places.items()],
        "quantity": sum(places.values()),
        "costs": {**parts, "freight": usd(total), "total": usd(total)},
        "promised_on": "2026-12-04",
        "is_chosen": is_chosen,
        "reason": reason,
    }


def test_the_plan_its_rivals_and_who_could_give_nothing_are_shown(command: Oms, api: FakeApi) -> None:
    plan = {
        "plan_id": "src_1",
        "planned_at": "2026-12-01T09:00:00.000Z",
        "wanted": 14,
        "served": 14,
        "why": "wh_2 for 16.00 USD: 1.00 USD less than wh_1 and wh_3; nothing that serves as much costs less",
        "candidates": [
            candidate({"wh_2": 14}, "16.00", "nothing that serves as much costs less", is_chosen=True),
            candidate({"wh_1": 10, "wh_3": 4}, "17.00", "costs 1.00 USD more"),
        ],
        "unused": [{"warehouse_id": "wh_4", "reason": "closed"}],
    }
    api.page("GET /v1/orders/SO-1001/sourcing", plan)

    shown = command("orders", "sourcing", "so-1001")
    as_json = command("orders", "sourcing", "so-1001", "--json")

    for words in ("14 of 14 units", "1.00 USD less than", "10 wh_1 + 4 wh_3", "17.00", "costs 1.00 USD more", "closed"):
        assert words in shown.out
    assert "Handling" not in shown.out
    assert '"plan_id": "src_1"' in as_json.out


def test_an_order_without_a_plan_says_so(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/orders/SO-1001/sourcing")

    assert command("orders", "sourcing", "SO-1001").out == "no stock was planned for it yet\n"
