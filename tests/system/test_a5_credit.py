"""A customer's credit through the whole system, to the cent: an order counts once, and what waits goes by itself."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.system.test_changes import at_version, change, recall_of, recalled
from tests.system.trade import Trade, key, ok
from tests.threads import at_once


def _stocked(trade: Trade, quantity: int) -> str:
    """A SKU at 50.00."""
    sku = trade.product("pump", "50.00", cost="30.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], sku, quantity, "30.00")
    return sku


def _order(trade: Trade, customer: str, sku: str, dollars: int, **more: Any) -> dict[str, Any]:
    return trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": dollars // 50}], **more))


def _exposure(trade: Trade, customer: str) -> tuple[str, str]:
    """Committed and receivable."""
    credit = ok(trade.system.api("accounting").get(f"/v1/customers/{customer}"))["credit"]
    return credit["committed"]["amount"], credit["receivable"]["amount"]


def _held_for(order: dict[str, Any]) -> list[str]:
    return [hold["hold_type"] for hold in order["holds"] if not hold["released_at"]]


def _owing(trade: Trade, customer: str, sku: str) -> None:
    """An invoice of 6,200 is open."""
    owed = _order(trade, customer, sku, 6_200)
    for shipment in trade.shipments(owed["order_id"]):
        trade.send_off(shipment)
    trade.when_idle(owed["order_id"])


def test_a5_what_is_over_the_limit_waits_and_goes_once_when_money_comes(trade: Trade) -> None:
    """Limit 10,000, owed 6,200, accepted 2,500 (Y). X 1,500 is held; billing 1,000 of Y changes nothing; 250 paid release X."""
    customer, sku = trade.customer(credit_limit="10000.00"), _stocked(trade, 300)
    _owing(trade, customer, sku)
    late = trade.product("late", "50.00", cost="30.00")
    lines = [{"sku": sku, "quantity": 20}, {"sku": late, "quantity": 30}]
    y = trade.placed(trade.order_body(customer, lines))
    before = _exposure(trade, customer)
    x = _order(trade, customer, sku, 1_500)

    for shipment in trade.shipments(y["order_id"]):
        trade.send_off(shipment)
    trade.when_idle(y["order_id"])
    billed = _exposure(trade, customer)
    prepaid = _order(trade, customer, sku, 5_000, payment={"method": "prepaid"})
    trade.pay(customer, "5000.00", orders=[(prepaid["number"], "5000.00")])
    passed = trade.until(prepaid["order_id"], lambda order: bool(order["shipments"]), "the prepaid release")
    still_held = _held_for(trade.order(x["order_id"]))

    trade.pay(customer, "250.00")
    freed = trade.until(x["order_id"], lambda order: bool(order["shipments"]), "the release")

    assert (before, billed) == (("2500.00", "6200.00"), ("1500.00", "7200.00"))
    assert (x["status"], _held_for(x), still_held) == ("on_hold", ["credit"], ["credit"])
    assert _held_for(passed) == []
    assert [hold["released_by"] for hold in freed["holds"]] == ["billing"]
    assert _exposure(trade, customer) == ("8000.00", "1950.00")  # 5,000 of it prepaid: its cash is in the receivable
    trade.until_audit_is_clean()


def test_a5_two_orders_in_parallel_do_not_share_the_same_headroom(trade: Trade) -> None:
    """Headroom 1,300, two orders of 1,000 at once: exactly one passes."""
    customer, sku = trade.customer(credit_limit="7500.00"), _stocked(trade, 300)
    _owing(trade, customer, sku)

    both = at_once([partial(_order, trade, customer, sku, 1_000) for _ in range(2)])

    assert sorted(map(_held_for, both)) == [[], ["credit"]]
    trade.until_audit_is_clean()


def test_a5_a_reopened_order_is_tested_again(trade: Trade) -> None:
    """Y 2,500 is cut to 1,000, Z takes the 1,400 that this frees; Y cannot come back to 2,500, and is as it was."""
    customer, sku = trade.customer(credit_limit="8800.00"), _stocked(trade, 300)
    _owing(trade, customer, sku)
    y = _order(trade, customer, sku, 2_500)
    line = y["lines"][0]["line_id"]
    change(trade, y, "customer", {"line_id": line, "quantity": 20})
    recalled(trade, y["order_id"])
    answer = {"answer": "acknowledge"}
    path = f"/v1/recalls/{recall_of(trade, y)['recall_id']}/answer"
    ok(trade.system.api("warehouse").post(path, json=answer, headers=key()))
    cut = at_version(trade, y["order_id"], 2)
    z = _order(trade, customer, sku, 1_400)

    change(trade, cut, "customer", {"line_id": line, "quantity": 50})
    after = trade.until(y["order_id"], lambda order: order["change"] is None, "the answer to the change")

    assert (_held_for(y), _held_for(z)) == ([], [])
    assert (after["version"], after["totals"]["total"]["amount"]) == (2, "1000.00")
    assert _exposure(trade, customer) == ("2400.00", "6200.00")
    trade.until_audit_is_clean()
