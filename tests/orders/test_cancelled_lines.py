"""Cancelling lines and units of an order that goes on, as people of other systems missed it."""

from __future__ import annotations

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.errors import Conflict, Refused
from services.kernel.money import Money
from services.orders.changes import cancel_units
from services.orders.domain.changes import AWAITING_WAREHOUSE
from services.orders.lifecycle import cancel
from services.orders.lifecycle.cancel import Requested
from tests.orders.cancel_desk import (
    answered,
    ask,
    cancelled,
    found,
    keep,
    keep_again,
    part_shipped,
    preview,
    settle,
    stocked,
    with_rules,
)
from tests.orders.change_desk import asked, changed, quantity, record
from tests.orders.desk import ANY, SHOP, SUPPORT, Desk, amount, invoice, invoiced, shipment


def test_the_discount_follows_its_line(desk: Desk) -> None:
    """vendure#4811: 50 + 50, order discount 20: cancel one line: 40.00 remain, never a discount of 20 on the survivor."""
    stocked(desk)
    order_id = desk.accepted(("FIFTY", 1), ("OTHER", 1), discount=amount("20.00"), by=SHOP)

    done = cancelled(desk, order_id, {"2": 1})

    sums = desk.read(order_id).order.totals
    # ACME is taxed 7.25 %: 50.00 - 10.00 = 40.00, tax 2.90
    assert (sums.merchandise, sums.discount, sums.total) == (amount("50.00"), amount("10.00"), amount("42.90"))
    assert done.consequence is not None
    assert (done.consequence.merchandise, done.consequence.discount) == (amount("50.00"), amount("10.00"))
    assert desk.broken() == []


def test_no_minimum_is_judged_again_and_freight_stays_while_something_ships(desk: Desk) -> None:
    """vendure#3885: 5 at 5.50 less 10 % and 0.50 delivery, cancel 2: 9.90 less, 0.50 stays, though it is below the minimum."""
    stocked(desk)
    order_id = desk.accepted(("PLAIN", 5), discount=amount("2.75"), freight=amount("0.50"), by=SHOP)
    minimum = {
        "code": "TOO_SMALL",
        "when": "order.merchandise_minor < 2000",
        "severity": "BLOCK",
        "message": "Too small.",
    }
    with_rules(desk, minimum)

    done = cancelled(desk, order_id, {"1": 2})

    sums = desk.read(order_id).order.totals
    assert (sums.merchandise, sums.discount, sums.freight) == (amount("16.50"), amount("1.65"), amount("0.50"))
    assert done.consequence is not None
    # 11.00 - 1.10 = 9.90 net, tax of 7.25 % on 24.75 was 1.79, on 14.85 it is 1.08
    assert (done.consequence.total, done.consequence.freight) == (amount("10.61"), amount("0.00"))
    cleared = desk.clear_release(order_id)
    assert cleared.is_clear
    assert desk.read(order_id).holds == ()
    assert desk.broken() == []


def test_two_units_then_one_of_three_and_a_fourth_is_refused(desk: Desk) -> None:
    """vendure#2608, #2397."""
    order_id = desk.accepted(("PUMP", 3), ("CENT", 1))
    cancelled(desk, order_id, {"1": 2})
    cancelled(desk, order_id, {"1": 1})

    with pytest.raises(Refused) as refusal:
        ask(desk, order_id, {"1": 1})

    line = desk.read(order_id).lines()["1"]
    assert (line.ordered, line.cancelled, line.wanted) == (3, 3, 0)
    assert refusal.value.reason == "NOTHING_LEFT_TO_CANCEL"
    assert desk.read(order_id).order.version == 3
    assert desk.broken() == []


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ({"1": 5}, "MORE_THAN_LEFT"),
        ({"9": 1}, "LINE_UNKNOWN"),
        ({"1": 0}, "QUANTITY_NOT_POSITIVE"),
    ],
)
def test_what_cannot_be_cancelled_is_refused_with_what_can(desk: Desk, lines: dict[str, int], reason: str) -> None:
    order_id = desk.accepted(("PUMP", 4), ("CENT", 1))

    shown = preview(desk, order_id, lines)
    with pytest.raises(Refused) as refusal:
        ask(desk, order_id, lines)

    assert refusal.value.reason == reason
    assert [one.code for one in shown.obstacles] == [reason]
    assert not any(shown.consequence.cancelled.values())


def test_one_thing_at_a_time(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), ("CENT", 1))
    ask(desk, order_id, {"1": 1})

    with pytest.raises(Refused) as again:
        ask(desk, order_id, {"1": 1})
    with pytest.raises(Refused) as other:
        changed(desk, order_id, asked(quantity("1", 5)))

    assert (again.value.reason, other.value.reason) == ("CANCELLATION_PENDING", "CANCELLATION_PENDING")


def test_an_order_that_is_being_validated_is_asked_again_in_a_moment(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 4), ("CENT", 1)).order_id

    with pytest.raises(Conflict):
        ask(desk, order_id, {"1": 1})

    assert ask(desk, order_id).cancellation.change_id == ""


def test_all_lines_of_an_order_that_has_not_shipped_end_it(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), ("CENT", 1))

    shown, done = preview(desk, order_id, {"1": 4, "2": None}), ask(desk, order_id, {"1": 4, "2": None})

    assert (shown.becomes, done.cancellation.change_id) == (None, "")
    assert shown.consequence.is_whole
    assert shown.consequence.total_after == amount("0.00")
    assert len(desk.outbox("cancellation_requested", order_id)) == 1


def test_the_rest_of_apart_shipped_order_is_cancelled_and_its_stages_are_told(desk: Desk) -> None:
    order_id = part_shipped(desk)

    does = preview(desk, order_id).consequence
    cheapest = preview(desk, order_id, {"1": 22}).consequence

    [line] = does.lines
    assert (line.ordered, line.cancelled, line.left, line.freed) == (40, 30, 10, 20)
    assert dict(line.taken.by_stage()) == {"backordered": 10, "allocated": 0, "released": 10, "picked": 10, "packed": 0}
    assert does.shipments == ("SH-3", "SH-2")
    assert dict(cheapest.lines[0].taken.by_stage())["picked"] == 2
    assert does.mails == ("units_cancelled",)


def test_a_warehouse_that_gives_everything_back_makes_what_was_previewed(desk: Desk) -> None:
    order_id = part_shipped(desk)
    shown = preview(desk, order_id).consequence
    done = ask(desk, order_id)
    record(desk, order_id, done.cancellation.change_id, "recall")
    waiting = desk.read(order_id).asked.change

    answered(desk, order_id, done, 4, yes=True, waiting_count=1, lines={"1": _counts(20, 20, 10, 10)})
    between = desk.read(order_id).asked.change
    answered(desk, order_id, done, 5, yes=True, lines={"1": _counts(10, 10, 10, 10)})
    keep(desk, order_id, done, {"1": 10})
    assert settle(desk, order_id, done).is_applied

    settled = found(desk, order_id, done)
    assert waiting is not None
    assert between is not None
    assert (waiting.state, between.state) == (AWAITING_WAREHOUSE, AWAITING_WAREHOUSE)
    assert desk.signals(order_id).count("recall_answered") == 1
    assert (settled.state, settled.consequence, settled.settled_reason) == ("done", shown, "")
    line = desk.read(order_id).lines()["1"]
    assert (line.ordered, line.cancelled, line.wanted, line.shipped) == (40, 30, 10, 10)
    assert desk.mails(order_id)[-1] == "units_cancelled"
    assert desk.broken() == []


def _counts(released: int, picked: int, packed: int, shipped: int) -> dict[str, int]:
    return {"released": released, "picked": picked, "packed": packed, "shipped": shipped, "delivered": 0}


def test_what_a_warehouse_keeps_is_not_cancelled_and_the_document_says_so(desk: Desk) -> None:
    order_id = part_shipped(desk)
    done = ask(desk, order_id)
    record(desk, order_id, done.cancellation.change_id, "recall")

    answered(desk, order_id, done, 4, yes=True, waiting_count=1, lines={"1": _counts(20, 20, 10, 10)})
    answered(desk, order_id, done, 5, yes=False, lines={"1": _counts(20, 20, 20, 20)})
    keep(desk, order_id, done, {"1": 20})
    assert settle(desk, order_id, done, key="1").is_applied

    settled = found(desk, order_id, done)
    assert settled.consequence is not None
    [line] = settled.consequence.lines
    assert (line.cancelled, line.kept, line.left) == (20, 10, 20)
    assert dict(line.taken.by_stage()) == {"backordered": 10, "allocated": 0, "released": 10, "picked": 0, "packed": 0}
    assert settled.settled_reason == "not canceled, for the warehouse keeps them: 10 of line 1"
    # 20 of 40 at 129.00, taxed 7.25 %: 2,580.00 + 187.05
    assert settled.consequence.total_after == Money(276_705, "USD")
    assert desk.read(order_id).lines()["1"].cancelled == 20
    assert desk.broken() == []


def test_a_step_that_is_done_again_once_the_units_are_cancelled_is_answered_as_before(desk: Desk) -> None:
    """Its worker died after the change was made: told that it is over, the workflow would go on with the version before."""
    order_id = desk.accepted(("PUMP", 4))
    done = ask(desk, order_id, {"1": 2})

    first = keep_again(desk, order_id, done, {"1": 1})
    made = settle(desk, order_id, done)
    again = keep_again(desk, order_id, done, {"1": 1})

    assert made.is_applied
    assert first.is_pending
    assert again == first
    assert settle(desk, order_id, done) == made


def test_a_warehouse_that_keeps_everything_declines_it(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), ("CENT", 1))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_picked", 1, shipment("SH-1", "picked", {"1": 4})))
    done = ask(desk, order_id, {"1": 4})
    record(desk, order_id, done.cancellation.change_id, "recall")

    answered(desk, order_id, done, 2, yes=False, lines={"1": _counts(4, 4, 4, 4)})
    keep(desk, order_id, done, {"1": 4})

    settled = found(desk, order_id, done)
    assert (settled.state, settled.settled_reason) == ("declined", cancel_units.KEPT)
    assert desk.read(order_id).order.version == 1
    assert not settle(desk, order_id, done).is_applied
    assert desk.broken() == []


def test_an_invoice_that_is_to_come_takes_the_freight_and_one_that_is_not_heard_of_is_waited_for(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), freight=amount("40.00"), by=SHOP)
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1})))
    done = ask(desk, order_id)

    with pytest.raises(Conflict) as pending:
        settle(desk, order_id, done)
    with pytest.raises(Conflict):
        _settled(desk, order_id, done, invoices=1)
    answer = _settled(desk, order_id, done, invoices=0)

    assert pending.value.reason == "INVOICE_PENDING"
    assert answer.is_applied
    assert answer.frees_cash
    assert desk.read(order_id).order.totals.freight == amount("40.00")
    assert desk.broken() == []


def _settled(desk: Desk, order_id: str, done: Requested, *, invoices: int) -> pb.ApplyChangeResponse:
    change_id = done.cancellation.change_id
    request = pb.ApplyChangeRequest(
        request_id=f"{order_id}/apply/{change_id}/1",
        order_id=order_id,
        change_id=change_id,
        credit=pb.CreditStanding(is_granted=True),
        invoice_count=invoices,
    )
    return desk.servicer.ApplyChange(request, ANY)


def test_what_is_delivered_and_paid_completes_by_the_cancellation_of_the_rest(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    bill = {**invoiced("INV-1", 13_835, {"1": 1}), "invoice": invoice("INV-1", 13_835, 13_835)}
    desk.notify(
        desk.fact(order_id, "fulfillment", "shipment_delivered", 1, shipment("SH-1", "delivered", {"1": 1})),
        desk.fact(order_id, "billing", "invoice_issued", 1, bill),
    )

    cancelled(desk, order_id)

    assert desk.signals(order_id)[-2:] == ["shipment_delivered", "payment_settled"]
    assert desk.read(order_id).standing.status == "completed_with_cancellations"
    assert desk.broken() == []


def test_a_line_that_was_cancelled_can_be_wanted_again_and_does_not_vanish(desk: Desk) -> None:
    """odoo PR#254636: 3 cancelled, the line raised to 10: the demand is 10, neither 13 nor 7."""
    order_id = desk.accepted(("PUMP", 3), ("CENT", 1))
    cancelled(desk, order_id, {"1": None})
    changed(desk, order_id, asked(quantity("1", 10)), key="2")

    aggregate = desk.read(order_id)
    removed = desk.accepted(("PUMP", 3), ("CENT", 1))
    cancelled(desk, removed, {"1": 2})
    changed(desk, removed, asked(quantity("1", 0)), key="3")

    assert (aggregate.order.lines[0].quantity, aggregate.lines()["1"].cancelled) == (10, 3)
    line = desk.read(removed).order.lines[0]
    assert (line.quantity, line.cancelled, line.extended) == (0, 2, amount("0.00"))
    assert desk.broken() == []


def test_a_line_that_is_cancelled_whole_is_in_no_document_for_others(desk: Desk) -> None:
    """odoo#24634: what is bought or made for an order follows what is still wanted of it."""
    order_id = desk.accepted(("PUMP", 3), ("CENT", 10))
    cancelled(desk, order_id, {"1": None})
    cancelled(desk, order_id, {"2": 4})

    document = desk.servicer.GetOrder(pb.GetOrderRequest(order_id=order_id), ANY).order

    assert [(line.line_id, line.quantity) for line in document.lines] == [("2", 6)]
    assert document.total.minor_units == desk.read(order_id).order.totals.total.minor


def test_cash_that_is_held_for_what_is_cancelled_is_named(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), payment_method="prepaid")
    held = {"payment_id": "pay_1", "amount_minor": 55_341, "currency": "USD", "reference": "wire", "held_minor": 55_341}
    desk.notify(desk.fact(order_id, "billing", "deposit_received", 1, held))

    part, whole = preview(desk, order_id, {"1": 1}).consequence, preview(desk, order_id).consequence
    with desk.database.reading() as session:
        seen = cancel.preview(session, order_id, SUPPORT, 55_341, cancel.ALL, desk.now)

    assert seen.consequence.released_credit == amount("0.00")  # it took no credit
    # a quarter of 553.41 is 138.35; what stays is 387.00 and its tax of 28.06
    assert (part.freed_cash, part.total_after) == (amount("138.35"), amount("415.06"))
    assert whole.freed_cash == amount("553.41")
