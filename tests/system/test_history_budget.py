"""The history of a real order: within 8 KB with ten lines, and not a byte more for a hundred than their totals need."""

from __future__ import annotations

from tests.system.trade import Trade, eventually
from tests.workflows.driver import actions

FEW_BYTES = 64  # totals with more digits, never lines
EVENTS = 28


def history_of(trade: Trade, line_count: int) -> tuple[int, int, int]:
    """Events, billable actions and bytes of an order with so many lines, from placed to paid."""
    customer = trade.customer()
    skus = [trade.product(f"s{line_count}x{number}", "10.00", cost="5.00") for number in range(10)]
    warehouse = trade.warehouses({"w1": 900})["w1"]
    for sku in skus:
        trade.receive(warehouse, sku, line_count, "5.00")

    lines = [{"sku": skus[number % 10], "quantity": 1} for number in range(line_count)]
    placed = trade.placed(trade.order_body(customer, lines))
    order_id = placed["order_id"]
    (shipment,) = trade.shipments(order_id)
    sent = trade.send_off(shipment)
    trade.when_idle(order_id)
    trade.deliver(sent)
    trade.when_idle(order_id)
    trade.pay(customer, placed["totals"]["total"]["amount"])
    trade.until(order_id, lambda order: order["status"] == "completed", "completion")

    handle = trade.system.workflow(order_id)
    trade.system.on_loop(handle.result())
    history = trade.system.on_loop(handle.fetch_history())
    return len(history.events), actions(history), sum(event.ByteSize() for event in history.events)


def undisturbed(trade: Trade, line_count: int) -> tuple[int, int, int]:
    """The figures of a life in which no step outlasted its local try; on a busy machine one may, so others are looked at for a minute."""

    def life() -> tuple[int, int, int]:
        figures = history_of(Trade(trade.system), line_count)
        assert figures[0] == EVENTS, figures
        return figures

    return eventually(life, 60)


def test_a_history_does_not_grow_with_the_lines_of_its_order(trade: Trade) -> None:
    ten = undisturbed(trade, 10)
    hundred = undisturbed(trade, 100)

    assert (ten[0], ten[1]) == (hundred[0], hundred[1]) == (EVENTS, 8)
    assert ten[2] <= 8 * 1024
    assert abs(hundred[2] - ten[2]) <= FEW_BYTES
