"""A ship confirm that was a mistake, through the whole system: stock, money and people are as before it, and the goods ship again."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from tests.system.test_a2_partial_shipments import changes
from tests.system.trade import Trade, eventually, key, ok
from tests.threads import Crew

WHY = {"reason": "scanned the wrong pallet"}
WITHIN_S = 240.0
Act = Callable[[], object]


def _placed(trade: Trade, in_stock: int = 10, **terms: Any) -> tuple[dict[str, Any], str, str]:
    """10 at 33.33 with freight and tax, cost 20.00, of which so many are in stock: the order, its SKU and its warehouse."""
    customer = trade.customer(tax_rate="0.0825", **terms)
    sku = trade.product("p", "33.33", cost="20.00")
    warehouse = trade.warehouses({"w": 900})["w"]
    trade.receive(warehouse, sku, in_stock, "20.00")
    order = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}], freight="10.00"))
    return order, sku, warehouse


def _reverse(trade: Trade, shipment: dict[str, Any], idempotency_key: str = "") -> httpx.Response:
    path = f"/v1/shipments/{shipment['shipment_id']}/reversal"
    return trade.system.api("warehouse").post(path, json=WHY, headers=key(idempotency_key))


def _ship(trade: Trade, shipment: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/shipments/{shipment['shipment_id']}/ship"
    sent: dict[str, Any] = ok(trade.system.api("warehouse").post(path, headers=key()))
    return sent


def _invoices(trade: Trade, order_id: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ok(trade.system.api("accounting").get("/v1/invoices", params={"order_id": order_id}))[
        "rows"
    ]
    return rows


def _cents(money: dict[str, str]) -> int:
    return round(float(money["amount"]) * 100)


def _net(trade: Trade, order_id: str) -> int:
    """What the invoices of an order come to less what is credited of them, in cents."""
    return sum(_cents(one["total"]) - _cents(one["credited"]) for one in _invoices(trade, order_id))


def _packed(trade: Trade, order_id: str) -> dict[str, Any]:
    (packed,) = trade.shipments(order_id, "packed")
    return packed


def _complete(trade: Trade, order: dict[str, Any]) -> dict[str, Any]:
    """All that is shipped arrives, what is open is paid, and the order is closed."""
    order_id = order["order_id"]
    for shipment in trade.shipments(order_id, "shipped"):
        trade.deliver(shipment)
    trade.when_idle(order_id)
    for one in _invoices(trade, order_id):
        if _cents(one["open"]):
            trade.pay(order["customer_id"], one["open"]["amount"], [(one["invoice_id"], one["open"]["amount"])])
    return trade.until(order_id, lambda one: one["status"] == "completed", "the end")


@pytest.mark.on_postgres
def test_stock_and_allocation_are_as_before_and_the_goods_are_billed_once_when_they_do_ship(trade: Trade) -> None:
    """Ten on hand and allocated, a shipment of ten that had not left: ten and ten again, and nothing owed."""
    before = trade.ledger()
    order, sku, warehouse = _placed(trade)
    order_id = order["order_id"]
    (released,) = trade.shipments(order_id)
    sent = trade.send_off(released)
    trade.when_idle(order_id)
    shipped = trade.stock(sku)
    seen = ok(trade.system.api("support").get(f"/v1/shipments/{sent['shipment_id']}/reversal"))

    done = ok(_reverse(trade, sent, f"undo-{trade.tag}"))
    after = trade.when_idle(order_id)
    again = ok(_reverse(trade, sent, f"undo-{trade.tag}"))

    # 333.30 + 10.00 + 8.25 % of both
    assert (seen["billing"], seen["amount"]["amount"], seen["held"]) == (
        "credited",
        order["totals"]["total"]["amount"],
        None,
    )
    assert (done["state"], done["reversal"]["reason"], again) == ("cancelled", WHY["reason"], done)
    assert (shipped, trade.stock(sku)) == ({warehouse: (0, 0)}, {warehouse: (10, 10)})
    assert after["status"] == "in_fulfilment"
    quantities = after["lines"][0]["quantities"]
    assert [quantities[name] for name in ("allocated", "packed", "shipped", "invoiced")] == [10, 10, 0, 0]
    (invoice,) = _invoices(trade, order_id)
    assert (invoice["status"], _net(trade, order_id)) == ("credited", 0)
    assert changes(before, trade.ledger()) == {
        "inventory": 20_000,
        "goods_received_not_invoiced": -20_000,
        "revenue": -33_330,
        "sales_returns": 33_330,
    }
    packed = _packed(trade, order_id)
    assert (packed["number"], packed["replaces"]) == (done["reversal"]["replaced_by"], sent["number"])
    assert any("has not left yet" in subject for subject in trade.mails(order["number"]))
    assert _ship(trade, packed)["tracking_number"] != sent["tracking_number"]
    complete = _complete(trade, order)
    assert _net(trade, order_id) == _cents(complete["totals"]["total"])
    assert trade.stock(sku) == {warehouse: (0, 0)}
    trade.until_audit_is_clean()


@pytest.mark.parametrize(
    ("policy", "outcome"), [("weekly", "unqueued"), ("manual", "unqueued"), ("at_order", "deferred")]
)
def test_whatever_the_policy_nothing_is_earned_by_what_has_not_left(trade: Trade, policy: str, outcome: str) -> None:
    before = trade.ledger()
    order, sku, warehouse = _placed(trade, invoicing=policy)
    order_id = order["order_id"]
    sent = trade.send_off(trade.shipments(order_id)[0])
    trade.when_idle(order_id)
    seen = ok(trade.system.api("support").get(f"/v1/shipments/{sent['shipment_id']}/reversal"))

    ok(_reverse(trade, sent))
    trade.when_idle(order_id)

    moved = changes(before, trade.ledger())
    assert seen["billing"] == outcome
    assert (moved.get("revenue", 0), moved.get("cost_of_goods_sold", 0)) == (0, 0)
    assert trade.stock(sku) == {warehouse: (10, 10)}
    customer = {"customer_id": order["customer_id"]}
    assert ok(trade.system.api("accounting").get("/v1/billable", params=customer))["rows"] == []
    _ship(trade, _packed(trade, order_id))
    trade.when_idle(order_id)
    if policy != "at_order":
        rows = ok(trade.system.api("accounting").get("/v1/billable", params=customer))["rows"]
        assert len(rows) == 1
        body = {"order_id": order_id}
        ok(trade.system.api("accounting").post("/v1/invoices", json=body, headers=key()))
    complete = _complete(trade, order)
    assert _net(trade, order_id) == _cents(complete["totals"]["total"])
    trade.until_audit_is_clean()


def test_what_was_paid_is_held_for_the_order_and_pays_its_next_invoice(trade: Trade) -> None:
    customer, sku = trade.customer("prepaid", credit_limit="0.00"), trade.product("q", "25.00", cost="10.00")
    warehouse = trade.warehouses({"w2": 900})["w2"]
    trade.receive(warehouse, sku, 4, "10.00")
    body = trade.order_body(customer, [{"sku": sku, "quantity": 4}], payment={"method": "prepaid"})
    paid = trade.placed(body)
    order_id = paid["order_id"]
    trade.pay(customer, "100.00", orders=[(paid["number"], "100.00")])
    trade.until(order_id, lambda one: bool(one["shipments"]), "the release")
    trade.when_idle(order_id)
    sent = trade.send_off(trade.shipments(order_id)[0])
    trade.when_idle(order_id)

    ok(_reverse(trade, sent))
    trade.when_idle(order_id)

    assert [one["status"] for one in _invoices(trade, order_id)] == ["credited"]
    _ship(trade, _packed(trade, order_id))
    trade.when_idle(order_id)
    assert [one["status"] for one in _invoices(trade, order_id)] == ["credited", "paid"]
    for shipment in trade.shipments(order_id, "shipped"):
        trade.deliver(shipment)
    trade.until(order_id, lambda one: one["status"] == "completed", "the end")
    trade.until_audit_is_clean()


def test_an_order_can_be_cancelled_whole_once_its_ship_confirm_is_reversed(trade: Trade) -> None:
    before = trade.ledger()
    order, sku, warehouse = _placed(trade)
    order_id = order["order_id"]
    sent = trade.send_off(trade.shipments(order_id)[0])
    trade.when_idle(order_id)
    ok(_reverse(trade, sent))
    trade.when_idle(order_id)

    path, why = f"/v1/orders/{order_id}/cancellation", {"reason": "ordered twice"}
    ok(trade.system.api("support").post(path, json=why, headers=key()))
    ended = trade.until(order_id, lambda one: one["status"] == "cancelled", "the cancellation")

    assert ended["phase"] == "cancelled"
    trade.when_idle(order_id)
    assert trade.stock(sku) == {warehouse: (10, 0)}
    assert _net(trade, order_id) == 0
    moved = changes(before, trade.ledger())
    assert (moved.get("accounts_receivable", 0), moved.get("cost_of_goods_sold", 0)) == (0, 0)
    trade.until_audit_is_clean()


def test_what_has_left_is_not_reversed_and_says_what_to_do_instead(trade: Trade) -> None:
    order, _, _ = _placed(trade)
    (released,) = trade.shipments(order["order_id"])
    early = _reverse(trade, released)
    sent = trade.send_off(released)
    trade.deliver(sent, status="in_transit")
    on_its_way = _reverse(trade, sent)
    trade.deliver(sent)
    arrived = _reverse(trade, sent)

    answers = [early, on_its_way, arrived]
    assert [answer.status_code for answer in answers] == [409, 409, 409]
    codes = ["ILLEGAL_TRANSITION", "CARRIER_HAS_SHIPMENT", "SHIPMENT_DELIVERED"]
    assert [answer.json()["code"] for answer in answers] == codes
    assert all("return" in answer.json()["detail"] for answer in answers[1:])
    trade.when_idle(order["order_id"])
    trade.until_audit_is_clean()


@pytest.mark.parametrize("count", [pytest.param(4, id="slice"), pytest.param(40, marks=pytest.mark.prove)])
def test_a_reversal_against_a_delivery_a_change_or_a_cancellation_has_one_outcome(trade: Trade, count: int) -> None:
    chance = random.Random(count)
    customer = trade.customer(tax_rate="0.0825")
    sku = trade.product("s", "10.00", cost="4.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 4 * count, "4.00")
    orders = [
        trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 4}], freight="7.77")) for _ in range(count)
    ]
    sent = {order["order_id"]: trade.send_off(trade.shipments(order["order_id"])[0]) for order in orders}

    def cancel(order_id: str, **part: Any) -> None:
        path, why = f"/v1/orders/{order_id}/cancellation", {"reason": "postponed", **part}
        answer = trade.system.api("support").post(path, json=why, headers=key())
        assert answer.is_success or answer.status_code == httpx.codes.CONFLICT, answer.text

    def change(order_id: str) -> None:
        cancel(order_id, lines=[{"line_id": "1", "quantity": 2}])

    def reverse(shipment: dict[str, Any]) -> None:
        assert _reverse(trade, shipment, f"rev-{shipment['shipment_id']}").status_code in (200, 409)

    with Crew(6, WITHIN_S) as crew:
        tasks = []
        for order_id, shipment in sent.items():
            rivals: list[Act] = [partial(trade.deliver, shipment), partial(cancel, order_id), partial(change, order_id)]
            acts: list[Act] = [chance.choice(rivals), partial(reverse, shipment), partial(reverse, shipment)]
            chance.shuffle(acts)
            tasks += [crew.submit(act) for act in acts]
        for task in tasks:
            task.result()

    for order_id in sent:
        order = trade.when_idle(order_id)
        _one_outcome(trade, order)
    trade.until_audit_is_clean()


def _one_outcome(trade: Trade, order: dict[str, Any]) -> None:
    """It has left, and is billed; or it has not, and nothing is owed for it."""

    def claim() -> None:
        states = sorted(one["state"] for one in trade.shipments(order["order_id"]))
        net = _net(trade, order["order_id"])
        if set(states) & {"shipped", "delivered"}:
            assert (len(states), net) == (1, _cents(order["totals"]["total"]))
        else:
            assert net == 0
            assert states in (["cancelled", "packed"], ["cancelled", "cancelled"])
            assert states.count("packed") == (order["phase"] == "accepted")

    eventually(claim)


def test_a_reversal_while_inventory_and_billing_are_away_is_made_once_when_they_are_back(trade: Trade) -> None:
    order, sku, warehouse = _placed(trade)
    order_id = order["order_id"]
    sent = trade.send_off(trade.shipments(order_id)[0])
    trade.when_idle(order_id)
    for name in ("inventory", "billing"):
        trade.system.stop_service(name)
        trade.afterwards.callback(_be_back, trade, name)

    for _ in range(2):
        ok(_reverse(trade, sent, f"undo-{trade.tag}"))
    for name in ("inventory", "billing"):
        trade.system.start_service(name)
    trade.when_idle(order_id)

    assert trade.stock(sku) == {warehouse: (10, 10)}
    assert (_net(trade, order_id), len(_invoices(trade, order_id))) == (0, 1)
    trade.until_audit_is_clean()


def _be_back(trade: Trade, name: str) -> None:
    if name not in trade.system.processes:
        trade.system.start_service(name)
