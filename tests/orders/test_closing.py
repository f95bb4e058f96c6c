"""Closing lines: what has shipped is billed, the rest is given up, and it is not a cancellation."""

from __future__ import annotations

import pytest

from services.kernel.errors import Refused
from services.orders.store import versions
from tests.orders.cancel_desk import answered, ask, cancelled, found, keep, part_shipped, preview, settle
from tests.orders.change_desk import asked, changed, quantity, record
from tests.orders.desk import Desk, amount, invoice, invoiced, paid, shipment, stock


def _of_three(desk: Desk) -> str:
    """erpnext#39030: three lines, of the second 20 of 50 have shipped and are billed, 30 wait for stock."""
    order_id = desk.accepted(("PUMP", 10), ("PUMP", 50), ("PUMP", 10))
    desk.notify(
        desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"2": (20, 30)}, "2026-12-08")),
        desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"2": 20})),
        desk.fact(order_id, "billing", "invoice_issued", 1, invoiced("INV-1", 276_705, {"2": 20})),
    )
    return order_id


def test_a_line_is_closed_at_what_has_shipped_and_the_others_are_open(desk: Desk) -> None:
    order_id = _of_three(desk)

    shown = preview(desk, order_id, {"2": None}, is_closing=True).consequence
    done = ask(desk, order_id, {"2": None}, is_closing=True)
    assert settle(desk, order_id, done).is_applied

    came, order = found(desk, order_id, done), desk.read(order_id)
    line = order.lines()["2"]
    assert (line.ordered, line.cancelled, line.closed, line.wanted, line.backordered) == (50, 0, 30, 20, 0)
    assert [order.lines()[other].wanted for other in ("1", "3")] == [10, 10]
    assert (came.consequence, shown.is_closing, shown.mails) == (shown, True, ("units_closed",))
    # 40 of 129.00 stay: 5,160.00 and 7.25 % tax
    assert (shown.merchandise, order.order.totals.total) == (amount("3870.00"), amount("5534.10"))
    assert desk.mails(order_id)[-1] == "units_closed"
    assert [one.what for one in desk.events(order_id)][-2:] == ["closing_requested", "units_closed"]
    assert desk.broken() == []


def test_an_order_that_is_closed_is_completed_and_not_with_cancellations(desk: Desk) -> None:
    order_id = _of_three(desk)
    cancelled(desk, order_id, {"1": None, "3": None})
    word = desk.read(order_id).standing.status

    assert settle(desk, order_id, ask(desk, order_id, is_closing=True), key="c").is_applied
    desk.notify(
        desk.fact(order_id, "fulfillment", "shipment_delivered", 2, shipment("SH-1", "delivered", {"2": 20})),
        desk.fact(order_id, "billing", "payment_received", 2, paid(276_705, [invoice("INV-1", 276_705, 276_705)])),
    )

    assert word == "partially_shipped"
    assert desk.read(order_id).standing.status == "completed_with_cancellations"
    assert desk.broken() == []


def test_what_was_closed_alone_is_completed(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 50))
    desk.notify(
        desk.fact(order_id, "fulfillment", "shipment_delivered", 2, shipment("SH-1", "delivered", {"1": 20})),
        desk.fact(order_id, "billing", "invoice_issued", 1, invoiced("INV-1", 276_705, {"1": 20})),
        desk.fact(order_id, "billing", "payment_received", 2, paid(276_705, [invoice("INV-1", 276_705, 276_705)])),
    )

    assert settle(desk, order_id, ask(desk, order_id, is_closing=True)).is_applied

    assert desk.read(order_id).standing.status == "completed"
    assert {"shipment_delivered", "payment_settled"} <= set(desk.signals(order_id))
    assert desk.broken() == []


def test_what_a_warehouse_keeps_is_not_closed(desk: Desk) -> None:
    order_id = part_shipped(desk)
    done = ask(desk, order_id, is_closing=True)
    record(desk, order_id, done.cancellation.change_id, "recall")
    waits = desk.read(order_id).standing.waiting_for

    answered(desk, order_id, done, 4, yes=False)
    keep(desk, order_id, done, {"1": 30})
    assert settle(desk, order_id, done).is_applied

    line, came = desk.read(order_id).lines()["1"], found(desk, order_id, done)
    assert waits is not None
    assert (waits.who, waits.what) == ("warehouse", "answer to the recall for a closing")
    assert (line.closed, line.cancelled, line.wanted) == (10, 0, 30)
    assert came.settled_reason == "not closed, for the warehouse keeps them: 20 of line 1"
    assert desk.broken() == []


def test_closing_and_cancelling_one_after_the_other_are_kept_apart(desk: Desk) -> None:
    order_id = _of_three(desk)
    cancelled(desk, order_id, {"2": 5})

    assert settle(desk, order_id, ask(desk, order_id, {"2": None}, is_closing=True), key="c").is_applied

    order = desk.read(order_id)
    line = order.lines()["2"]
    assert (line.ordered, line.cancelled, line.closed, line.wanted) == (50, 5, 25, 20)
    with desk.database.reading() as session:
        kept = versions.of_order(session, order.order)
    assert [one.order.lines[1].closed for one in kept] == [0, 0]
    changed(desk, order_id, asked(quantity("2", 22)))


@pytest.mark.parametrize("lines", [{}, {"1": None}])
def test_an_order_of_which_nothing_has_shipped_is_cancelled_instead(desk: Desk, lines: dict[str, None]) -> None:
    order_id = desk.accepted(("PUMP", 4))

    shown = preview(desk, order_id, lines, is_closing=True)
    with pytest.raises(Refused) as refusal:
        ask(desk, order_id, lines, is_closing=True)

    assert ([one.code for one in shown.obstacles], refusal.value.reason) == (["NOTHING_SHIPPED"], "NOTHING_SHIPPED")
    assert shown.becomes is None
    assert not any(shown.consequence.cancelled.values())


def test_an_order_that_is_not_accepted_is_not_closed(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 4)).order_id

    shown = preview(desk, order_id, is_closing=True)

    assert [one.code for one in shown.obstacles] == ["NOT_ACCEPTED"]


def test_an_order_that_has_ended_has_nothing_to_close(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    done = ask(desk, order_id)
    desk.record(order_id, "cancelled", done.cancellation.cancellation_id)

    shown = preview(desk, order_id, is_closing=True)

    assert [one.sentence for one in shown.obstacles] == ["the order is cancelled already, so there is nothing to close"]
