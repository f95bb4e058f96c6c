"""An order of as many lines as one may have, from placed to paid, changed and canceled, by the whole system."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from services.inventory import transactions
from services.inventory.domain.requests import Receipt
from services.kernel.bounds import MAX_LINES
from services.kernel.clock import utc_now
from services.kernel.money import UnitPrice
from services.orders.domain.masterdata import Product
from services.orders.masterdata import catalog
from tests.system.trade import Trade, key, ok

pytestmark = pytest.mark.prove

EVENTS = 28


def stocked(trade: Trade, count: int, warehouse: str) -> list[str]:
    """SKUs with three units each; past the API, which takes one at a time."""
    skus = [trade.name(f"n{number}").upper() for number in range(count)]
    price, cost = UnitPrice.parse("0.10", "USD"), UnitPrice.parse("0.05", "USD")
    processes = trade.system.processes
    with processes["orders"].database.transaction() as session:
        for sku in skus:
            product = Product(sku, f"Nut {sku}", list_price=price, standard_cost=cost, weight_grams=5)
            catalog.put_product(session, product, "root", utc_now())
    with processes["inventory"].database.transaction() as session:
        for sku in skus:
            transactions.receive(session, Receipt(warehouse, sku, 3, cost, "first"), utc_now())
    return skus


@pytest.mark.parametrize(
    ("system", "kind"),
    [
        ("sqlite", "distinct"),
        ("postgres", "distinct"),
        ("sqlite", "one"),
        pytest.param("postgres", "one", marks=pytest.mark.slice),
    ],
    indirect=["system"],
)
def test_the_longest_order_goes_all_the_way_and_its_history_is_as_short_as_any(trade: Trade, kind: str) -> None:
    customer = trade.customer(tax_rate="0.0825")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    if kind == "distinct":
        skus = stocked(trade, MAX_LINES, warehouse)
    else:
        skus = stocked(trade, 1, warehouse) * MAX_LINES
        trade.receive(warehouse, skus[0], 2 * MAX_LINES, "0.05")
    lines = [{"sku": sku, "quantity": 2} for sku in skus]

    placed = trade.placed(trade.order_body(customer, lines, freight="19.99"))
    order_id = placed["order_id"]
    (shipment,) = trade.shipments(order_id)
    counted = [{name: line[name] for name in ("line_id", "sku", "quantity")} for line in shipment["lines"]]
    picker = trade.system.api("warehouse")
    ok(picker.post(f"/v1/shipments/{shipment['shipment_id']}/pick", json={"lines": counted}, headers=key()))
    ok(picker.post(f"/v1/shipments/{shipment['shipment_id']}/pack", headers=key()))
    sent = ok(picker.post(f"/v1/shipments/{shipment['shipment_id']}/ship", headers=key()))
    trade.when_idle(order_id)
    trade.deliver(sent)
    (billed,) = trade.when_idle(order_id)["invoices"]
    invoice = ok(trade.system.api("accounting").get(f"/v1/invoices/{billed['invoice_id']}"))
    trade.pay(customer, billed["total"]["amount"])
    order = trade.until(order_id, lambda each: each["status"] == "completed", "completion")

    # 2,000 × 2 × 0.10 = 400.00, 8.25 % of it 33.00, freight 19.99
    assert (billed["total"]["amount"], len(invoice["lines"]), len(order["lines"])) == ("452.99", MAX_LINES, MAX_LINES)
    assert sum(Decimal(line["extended"]["amount"]) for line in invoice["lines"]) == Decimal("400.00")
    handle = trade.system.workflow(order_id)
    trade.system.on_loop(handle.result())
    history = trade.system.on_loop(handle.fetch_history())
    # on a busy machine a step outlasts its local try, or its workflow task is renewed meanwhile, whatever the lines
    patient = sum(event.HasField("activity_task_scheduled_event_attributes") for event in history.events)
    renewed = sum(
        one.HasField("workflow_task_completed_event_attributes")
        and next_.HasField("workflow_task_scheduled_event_attributes")
        for one, next_ in pairwise(history.events)
    )
    assert len(history.events) <= EVENTS + 6 * patient + 3 * renewed
    assert sum(event.ByteSize() for event in history.events) <= 8 * 1024 * (1 + patient)
    trade.until_audit_is_clean()


def test_the_longest_order_waits_is_changed_line_by_line_and_canceled(trade: Trade) -> None:
    customer = trade.customer()
    warehouse = trade.warehouses({"w1": 900})["w1"]
    skus = stocked(trade, MAX_LINES // 2, warehouse)
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 4} for sku in skus]))
    more = [{"sku": sku, "quantity": 1} for sku in skus]
    fewer = [{"line_id": line["line_id"], "quantity": 3} for line in placed["lines"]]
    change = {"reason": "as agreed", "lines": [*fewer, *more], "version": 1}
    buyer = trade.system.api("customer", customer)

    ok(buyer.post(f"/v1/orders/{placed['order_id']}/changes", json=change, headers=key()))
    changed = trade.until(placed["order_id"], lambda order: order["version"] == 2, "the change")
    cancelled = buyer.post(
        f"/v1/orders/{placed['order_id']}/cancellation", json={"reason": "ordered twice"}, headers=key()
    )
    order = trade.until(placed["order_id"], lambda each: each["status"] == "cancelled", "the cancellation")
    trade.when_idle(placed["order_id"])

    assert len(changed["lines"]) == MAX_LINES
    assert cancelled.status_code in (200, 202)
    assert order["phase"] == "cancelled"
    assert trade.stock(skus[0]) == {warehouse: (3, 0)}
    trade.until_audit_is_clean()
