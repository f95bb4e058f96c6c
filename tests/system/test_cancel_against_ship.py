"""Cancelling the rest while its warehouses go on: they decide, and there is one outcome everywhere."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from tests.system.trade import Trade, key, ok
from tests.threads import Crew

WITHIN_S = 300.0
SHIPPED_FIRST = 0.3
"""Of so many the rest is canceled; the others race."""


def _order(trade: Trade, customer: str, number: int, scarce: str, warehouses: list[str]) -> str:
    """4 units in two shipments of different warehouses, and 3 of what there is none of; discount, freight and tax."""
    sku = trade.product(f"s{number}", "10.00", cost="4.00")
    for warehouse in warehouses:
        trade.receive(warehouse, sku, 2, "4.00")
    lines = [{"sku": sku, "quantity": 4}, {"sku": scarce, "quantity": 3}]
    return str(ok(trade.place(trade.order_body(customer, lines, freight="7.77", discount="1.11")))["order_id"])


def _ship(trade: Trade, shipment: dict[str, Any]) -> None:
    """Pick, pack and ship, as far as nobody has taken it back."""
    warehouse = trade.system.api("warehouse")
    for verb in ("pick", "pack", "ship"):
        answer = warehouse.post(f"/v1/shipments/{shipment['shipment_id']}/{verb}", headers=key())
        if answer.status_code == httpx.codes.CONFLICT:
            return
        ok(answer)


def _cancel(trade: Trade, order_id: str) -> None:
    path, why = f"/v1/orders/{order_id}/cancellation", {"reason": "the project is postponed"}
    answer = trade.system.api("support").post(path, json=why, headers=key())
    assert answer.is_success or answer.json()["code"] == "CANCELLATION_DECLINED", answer.text


def _one_after_the_other(*acts: Callable[[], None]) -> None:
    """What the first has done the orders service may not have heard of when the second is asked for."""
    for act in acts:
        act()


def _answer(trade: Trade, order_id: str, chance: random.Random) -> None:
    warehouse = trade.system.api("warehouse")
    for recall in ok(warehouse.get("/v1/recalls", params={"order_id": order_id}))["rows"]:
        said = chance.choice([{"answer": "acknowledge"}, {"answer": "refuse", "reason": "the truck is loaded"}])
        answer = warehouse.post(f"/v1/recalls/{recall['recall_id']}/answer", json=said, headers=key())
        assert answer.status_code in (httpx.codes.OK, httpx.codes.CONFLICT), answer.text


@pytest.mark.parametrize("count", [pytest.param(4, id="slice"), pytest.param(200, marks=pytest.mark.prove)])
def test_a_cancellation_and_a_warehouse_that_goes_on_have_one_outcome(trade: Trade, count: int) -> None:
    chance = random.Random(count)
    customer = trade.customer(tax_rate="0.0825")
    scarce = trade.product("n", "3.33", cost="1.00")
    warehouses = list(trade.warehouses({"w1": 900, "w2": 950}).values())
    with Crew(6, WITHIN_S) as crew:
        placed = crew.map(lambda number: _order(trade, customer, number, scarce, warehouses), range(count))
    trade.until_idle(*placed, within_s=WITHIN_S)
    work = [(trade.shipments(order_id), order_id) for order_id in placed]

    with Crew(6, WITHIN_S) as crew:
        tasks = []
        for shipments, order_id in work:
            ship = partial(_ship, trade, shipments[0])
            acts = [partial(_cancel, trade, order_id), ship]
            if chance.random() < SHIPPED_FIRST:
                acts = [partial(_one_after_the_other, ship, acts[0])]
            chance.shuffle(acts)
            tasks += [crew.submit(act) for act in acts]
        for task in tasks:
            task.result()
    trade.until_idle(*placed, within_s=WITHIN_S)
    for order_id in placed:
        _answer(trade, order_id, chance)
    trade.until_idle(*placed, within_s=WITHIN_S)
    orders = [trade.order(order_id) for order_id in placed]
    outcomes = Counter((order["status"], order["cancellations"][0]["state"]) for order in orders)
    print(dict(outcomes))

    for order in orders:
        first, second = (line["quantities"] for line in order["lines"])
        left = [one for one in order["shipments"] if one["state"] in ("released", "picked", "packed")]
        units = sum(line["quantity"] for one in left for line in one["lines"])
        [asked] = order["cancellations"]
        assert asked["state"] in ("done", "declined"), asked
        if order["status"] == "cancelled":
            assert (asked["state"], first["shipped"], left) == ("done", 0, [])
            continue
        assert first["ordered"] == first["cancelled"] + first["shipped"] + units
        assert (second["cancelled"], second["backordered"]) == ((3, 0) if asked["state"] == "done" else (0, 3))
    trade.until_audit_is_clean()
