from __future__ import annotations

import uuid

import httpx
import pytest

from tests.system.trade import Trade, ok
from tests.threads import Crew

WITHIN_S = 120.0


@pytest.mark.on_postgres
def test_a3_twenty_orders_sent_three_times_each_for_ten_units(trade: Trade) -> None:
    customer = trade.customer()
    sku = trade.product("c", "10.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 10, "5.00")
    orders = [(uuid.uuid4().hex, trade.order_body(customer, [{"sku": sku, "quantity": 1}])) for _ in range(20)]
    sends = [order for order in orders for _ in range(3)]

    with Crew(12, WITHIN_S) as crew:
        answers = crew.map(lambda send: trade.place(send[1], send[0]), sends)
    by_key: dict[str, set[str]] = {}
    for (key, _), answer in zip(sends, answers, strict=True):
        by_key.setdefault(key, set()).add(answer.text)
    order_ids = {ok(answer)["order_id"] for answer in answers}
    final = [trade.when_idle(order_id)["lines"][0]["quantities"] for order_id in order_ids]

    assert len(answers) == 60
    assert [texts for texts in by_key.values() if len(texts) != 1] == []
    assert len(order_ids) == 20
    assert sum(line["allocated"] for line in final) == 10
    assert sum(line["backordered"] for line in final) == 10
    assert trade.stock(sku)[warehouse] == (10, 10)
    trade.until_audit_is_clean()


def test_a3_the_same_key_with_another_quantity_is_refused(trade: Trade) -> None:
    customer = trade.customer()
    sku = trade.product("c", "10.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 10, "5.00")
    body = trade.order_body(customer, [{"sku": sku, "quantity": 1}])
    ok(trade.place(body, "once-only-" + trade.tag))

    again = trade.place(body | {"lines": [{"sku": sku, "quantity": 2}]}, "once-only-" + trade.tag)

    assert again.status_code == 422
    assert again.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_a3_two_lines_of_one_sku_share_what_is_there(trade: Trade) -> None:
    customer = trade.customer()
    sku = trade.product("d", "10.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 10, "5.00")

    body = trade.order_body(customer, [{"sku": sku, "quantity": 6}, {"sku": sku, "quantity": 6}])
    lines = [line["quantities"] for line in trade.placed(body)["lines"]]

    assert sum(line["allocated"] for line in lines) == 10
    assert sum(line["backordered"] for line in lines) == 2
    assert trade.stock(sku)[warehouse] == (10, 10)
    trade.until_audit_is_clean()


def test_fifty_identical_posts_are_one_order(trade: Trade) -> None:
    customer = trade.customer()
    sku = trade.product("e", "10.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], sku, 10, "5.00")
    body = trade.order_body(customer, [{"sku": sku, "quantity": 1}])

    def send(_: int) -> httpx.Response:
        return trade.place(body, "fifty-" + trade.tag)

    with Crew(16, WITHIN_S) as crew:
        answers = crew.map(send, range(50))

    assert len({ok(answer)["order_id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    found = ok(trade.system.api("auditor").get("/v1/orders", params={"customer_id": customer}))
    assert len(found["rows"]) == 1
