from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from oms.facts.v1 import facts_pb2
from oms.orders.v1 import orders_pb2 as pb
from services.kernel.errors import InvalidArgument, Refused
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import Address
from services.orders.masterdata import customers
from tests.orders.desk import ANY, SUPPORT, Desk, invoice, invoiced, paid, shipment, stock
from tests.threads import at_once


def life(desk: Desk, order_id: str) -> list[facts_pb2.Fact]:
    """Two units: one in stock, one received later; two shipments, two invoices, one payment."""
    goods, warehouse, billing = ("inventory",), ("fulfillment",), ("billing",)
    notified: list[tuple[Any, ...]] = [
        (*goods, "stock_reserved", 1, stock({"1": (1, 1)}, "2026-12-01")),
        (*warehouse, "shipment_picked", 1, shipment("SH-1", "picked", {"1": 1})),
        (*warehouse, "shipment_shipped", 2, shipment("SH-1", "shipped", {"1": 1})),
        (*billing, "invoice_issued", 1, invoiced("INV-1", 13835, {"1": 1})),
        (*goods, "stock_allocated", 2, stock({"1": (2, 0)})),
        (*warehouse, "shipment_delivered", 3, shipment("SH-1", "delivered", {"1": 1})),
        (*warehouse, "shipment_shipped", 4, shipment("SH-2", "shipped", {"1": 1}, before={"1": 1})),
        (*billing, "invoice_issued", 2, invoiced("INV-2", 13836, {"1": 2})),
        (*warehouse, "shipment_delivered", 5, shipment("SH-2", "delivered", {"1": 1}, before={"1": 1})),
        (
            *billing,
            "payment_received",
            3,
            paid(27671, [invoice("INV-1", 13835, 13835), invoice("INV-2", 13836, 13836)]),
        ),
    ]
    return [desk.fact(order_id, *one) for one in notified]


MAILS = [
    "order_received", "order_accepted", "backorder_created", "shipped", "invoice", "delivered", "shipped", "invoice",
    "delivered", "payment_received",
]  # fmt: skip
SIGNALS = ["shipment_shipped", "stock_allocated", "shipment_shipped", "shipment_delivered", "payment_settled"]


def test_an_order_lives_to_its_end_and_everything_is_told_once(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 2))
    facts = life(desk, order_id)

    for fact in facts:
        assert desk.notify(fact) == [fact.fact_id]
    closed = desk.record(order_id, "closed")

    assert (closed.status, closed.is_complete) == ("completed", True)
    assert desk.mails(order_id) == MAILS
    assert desk.signals(order_id) == SIGNALS
    assert len(desk.events(order_id)) == 3 + len(facts) + 1
    assert desk.broken() == []


@pytest.mark.parametrize("seed", range(4))
def test_three_sends_of_every_fact_in_any_order_change_nothing_of_that(desk: Desk, seed: int) -> None:
    order_id, twin_id = desk.accepted(("PUMP", 2)), desk.accepted(("PUMP", 2))
    facts = life(desk, order_id)
    desk.notify(*life(desk, twin_id))
    thrice = facts * 3
    random.Random(seed).shuffle(thrice)

    for start in range(0, len(thrice), 4):
        desk.notify(*thrice[start : start + 4])

    aggregate, twin = desk.read(order_id), desk.read(twin_id)
    assert aggregate.progress == twin.progress
    assert (aggregate.standing.status, aggregate.standing.axes) == (twin.standing.status, twin.standing.axes)
    # whether anybody is told of the backorder depends on whether it was over before its fact came
    notified = [mail for mail in desk.mails(order_id) if mail != "backorder_created"]
    assert sorted(notified) == sorted(mail for mail in MAILS if mail != "backorder_created")
    assert sorted(desk.signals(order_id)) == sorted(SIGNALS)
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_the_same_fact_from_eight_relays_at_once_is_kept_once(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 2))
    fact = life(desk, order_id)[2]

    answers = at_once([lambda: desk.notify(fact)] * 8)

    assert answers == [[fact.fact_id]] * 8
    assert desk.signals(order_id) == ["shipment_shipped"]
    assert desk.mails(order_id).count("shipped") == 1


@pytest.mark.on_postgres
def test_facts_of_one_order_from_three_services_at_once_leave_no_gap(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 2))
    facts = life(desk, order_id)

    at_once([partial(desk.notify, fact) for fact in facts * 2], threads=8)

    assert desk.read(order_id).standing.status == "completed"
    assert sorted(desk.signals(order_id)) == sorted(SIGNALS)
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_a_batch_leaves_an_order_as_its_facts_one_by_one_do(desk: Desk) -> None:
    order_id, twin_id = desk.accepted(("PUMP", 2)), desk.accepted(("PUMP", 2))

    desk.notify(*life(desk, order_id))
    for fact in life(desk, twin_id):
        desk.notify(fact)

    batch, singly = desk.read(order_id), desk.read(twin_id)
    assert (batch.progress, batch.standing.status) == (singly.progress, singly.standing.status)
    assert [(event.what, event.after["status"]) for event in desk.events(order_id)] == [
        (event.what, event.after["status"]) for event in desk.events(twin_id)
    ]
    assert desk.mails(order_id) == desk.mails(twin_id)
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_a_batch_costs_as_many_statements_for_many_orders_as_for_few(desk: Desk) -> None:
    costs = {
        count: statements_of(desk, [life(desk, desk.accepted(("PUMP", 2)))[2] for _ in range(count)])
        for count in (2, 12)
    }

    assert costs[12] == costs[2]


def statements_of(desk: Desk, facts: list[facts_pb2.Fact]) -> Counter[str]:
    """How often each kind of statement runs while the facts are told together."""
    seen: Counter[str] = Counter()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen[" ".join(statement.split()[:3])] += 1

    event.listen(desk.database.engine, "before_cursor_execute", note)
    desk.notify(*facts)
    event.remove(desk.database.engine, "before_cursor_execute", note)
    return seen


def test_a_fact_that_comes_twice_in_a_batch_counts_once(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 2))
    fact = life(desk, order_id)[2]

    desk.notify(fact, fact)

    assert desk.signals(order_id) == ["shipment_shipped"]
    assert [each.what for each in desk.events(order_id)].count("shipment_shipped") == 1
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_batches_that_name_the_same_orders_the_other_way_round_do_not_wait_for_each_other(desk: Desk) -> None:
    orders = [desk.accepted(("PUMP", 2)) for _ in range(4)]
    there = [life(desk, order_id)[0] for order_id in orders]
    back = [life(desk, order_id)[1] for order_id in reversed(orders)]

    answers = at_once([partial(desk.notify, *batch) for _ in range(10) for batch in (there, back)], threads=8)

    assert {len(answer) for answer in answers} == {4}
    assert desk.broken() == []


def test_a_batch_with_a_fact_that_is_refused_keeps_nothing(desk: Desk) -> None:
    order_id, other_id = desk.accepted(("PUMP", 2)), desk.accepted(("PUMP", 2))
    good = life(desk, order_id)[0]
    bad = facts_pb2.Fact(fact_id="f", source="inventory", order_id=other_id)

    with pytest.raises(InvalidArgument):
        desk.notify(good, bad)

    assert desk.read(order_id).progress.lines == {}
    assert desk.notify(good) == [good.fact_id]


def test_a_signal_is_named_by_its_fact(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 2))
    fact = life(desk, order_id)[2]
    desk.notify(fact)

    row = desk.outbox("signal")[0]

    assert row["detail"] == {
        "signal": "shipment_shipped",
        "fact_id": f"{fact.fact_id}/shipment_shipped",
        "is_complete": False,
    }
    assert row["subject_id"] == "shp_SH-1"


def test_backorders_are_told_when_both_the_acceptance_and_the_fact_are_in_whichever_came_first(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 2)).order_id
    desk.validate(order_id)
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (1, 1)}, "2026-12-01")))
    before = desk.mails(order_id)

    desk.record(order_id, "accepted")
    desk.record(order_id, "accepted", key="2")

    assert before == ["order_received"]
    assert desk.mails(order_id) == ["order_received", "order_accepted", "backorder_created"]
    notified = desk.outbox("notify", order_id)[-1]["detail"]
    assert [one["role"] for one in notified["recipients"]] == ["customer", "sales_rep", "warehouse_manager"]
    assert notified["variables"]["lines"] == [
        {"sku": "PUMP", "description": "Pump", "quantity": 1, "expected_on": "2026-12-01", "promised_on": "2026-12-01"}
    ]


def test_the_shipped_mail_names_tracking_and_contents(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 2))
    desk.notify(life(desk, order_id)[2])

    notified = desk.outbox("notify", order_id)[-1]["detail"]

    assert (notified["mail"], notified["variables"]["tracking_number"]) == ("shipped", "RR123")
    assert notified["variables"]["lines"] == [{"sku": "PUMP", "description": "Pump", "quantity": 1}]


def test_the_mails_of_several_packages_name_each_number_and_the_one_with_an_exception(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 2))
    sent = shipment("SH-1", "shipped", {"1": 2})
    packages = [{"tracking_number": f"1Z{one}", "weight_grams": 500} for one in (1, 2, 3)]
    sent["shipment"]["packages"] = packages
    lost = {**sent, "shipment": {**sent["shipment"], "exception_at_micros": 1_780_000_000_000_000}}
    lost["shipment"]["packages"] = [
        packages[0],
        {**packages[1], "exception_at_micros": 1_780_000_000_000_000},
        packages[2],
    ]

    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, sent))
    shipped = desk.outbox("notify", order_id)[-1]["detail"]["variables"]
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_exception", 2, lost))
    exception = desk.outbox("notify", order_id)[-1]["detail"]

    assert shipped["packages"] == ["1Z1", "1Z2", "1Z3"]
    assert (exception["mail"], exception["variables"]["tracking_number"]) == ("shipment_exception", "1Z2")


def test_the_accepted_mail_carries_the_promised_dates(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 2)).order_id
    desk.validate(order_id)
    desk.record(order_id, "accepted", promises=[pb.LinePromise(line_id="1", quantity=2, promised_on="2026-11-27")])

    notified = desk.outbox("notify", order_id)[-1]["detail"]

    assert notified["variables"]["promises"][0]["promised_on"] == "2026-11-27"
    assert desk.read(order_id).promises[0].promised_on == "2026-11-27"


def test_a_milestone_that_is_none_or_of_another_version_is_refused(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    before = desk.read(order_id)

    with pytest.raises(InvalidArgument) as unknown:
        desk.record(order_id, "lost")
    request = pb.RecordOrderRequest(request_id="late", order_id=order_id, milestone="closed", version=2)
    with pytest.raises(Refused) as stale:
        desk.servicer.RecordOrder(request, ANY)

    assert (unknown.value.reason, stale.value.reason) == ("MILESTONE_UNKNOWN", "VERSION_STALE")
    assert desk.read(order_id) == before


def test_an_order_that_no_rule_has_evaluated_is_not_accepted(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 1)).order_id

    with pytest.raises(Refused) as refusal:
        desk.record(order_id, "accepted")

    assert refusal.value.reason == "ILLEGAL_TRANSITION"
    assert desk.mails(order_id) == ["order_received"]


def test_support_holds_an_order_that_no_carrier_serves_until_it_is_accepted(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 1)).order_id
    desk.validate(order_id)

    desk.record(order_id, "undeliverable")

    aggregate = desk.read(order_id)
    (hold,) = aggregate.holds
    assert (aggregate.order.phase, aggregate.standing.status) == ("in_review", "on_hold")
    assert (hold.code, hold.hold_type, hold.owner_role) == ("CARRIER_MISSING", "ship_to", "support")
    assert "No carrier serves TX 75001 US" in hold.reason
    assert desk.mails(order_id) == ["order_received", "order_on_hold"]
    assert desk.release(order_id, hold.hold_id, SUPPORT).order.phase == "accepted"
    desk.record(order_id, "accepted")
    with pytest.raises(Refused, match="dates are promised"):
        desk.record(order_id, "undeliverable", "2")
    assert desk.broken() == []


def test_no_acceptance_mail_after_a_rejection(desk: Desk) -> None:
    from services.kernel.errors import Refused

    order_id = desk.place(("NOPE", 1)).order_id
    desk.validate(order_id)

    with pytest.raises(Refused):
        desk.record(order_id, "accepted")

    assert desk.mails(order_id) == ["order_received", "order_rejected"]


def test_waiting_since_does_not_move_while_it_waits_for_the_same(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 2))
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (0, 2)}, "2026-12-01")))
    since = desk.read(order_id).standing.waiting_for
    desk.now = desk.now.replace(hour=18)
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 2, stock({"1": (0, 2)}, "2026-12-05")))

    later = desk.read(order_id).standing.waiting_for
    assert since is not None
    assert later is not None
    assert (later.since, str(later.due)) == (since.since, "2026-12-05")


@pytest.mark.on_postgres
def test_liveness_names_the_ended_and_the_unknown(desk: Desk) -> None:
    alive, dead = desk.accepted(("PUMP", 1)), desk.place(("NOPE", 1)).order_id
    desk.validate(dead)

    asked = pb.CheckLivenessRequest(order_ids=[alive, dead, "ord_none"])

    assert list(desk.servicer.CheckLiveness(asked, ANY).ended_order_ids) == [dead, "ord_none"]
    with pytest.raises(InvalidArgument):
        desk.servicer.CheckLiveness(pb.CheckLivenessRequest(order_ids=[alive, "o\0"]), ANY)


def test_liveness_gives_id_and_number_of_the_orders_that_live_by_either_name(desk: Desk) -> None:
    by_id, by_number = desk.accepted(("PUMP", 1)), desk.accepted(("PUMP", 1))
    dead = desk.place(("NOPE", 1))
    desk.validate(dead.order_id)

    asked = pb.CheckLivenessRequest(order_ids=[by_id, dead.order_id], order_numbers=["SO-1002", dead.number, "SO-9"])

    answer = desk.servicer.CheckLiveness(asked, ANY)
    assert {living.order_id: living.number for living in answer.living} == {by_id: "SO-1001", by_number: "SO-1002"}
    assert list(answer.ended_order_ids) == [dead.order_id]


def test_the_document_names_another_account_that_is_billed(desk: Desk) -> None:
    box = Address("Acme Holding", "PO Box 7", "Waco", "TX", "76701", "US")
    parent = Customer("cus_parent", "Acme Holding", "USD", billing_address=box)
    with desk.database.transaction() as session:
        customers.put_customer(session, parent, "ann", desk.now)
        known = customers.find_customer(session, "cus_acme")
        assert known is not None
        customers.put_customer(session, replace(known, bill_to_id="cus_parent"), "ann", desk.now)
    order_id = desk.place(("PUMP", 2)).order_id

    read = desk.servicer.GetOrder(pb.GetOrderRequest(order_id=order_id), ANY).order
    validated = desk.validate(order_id).order

    assert [(one.bill_to_id, one.bill_to_name) for one in (read, validated)] == [("cus_parent", "Acme Holding")] * 2
    assert [one.billing_address.street for one in (read, validated)] == ["PO Box 7"] * 2


def test_the_document_has_what_the_other_services_need(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 2), po_number="PO-9").order_id

    order = desk.servicer.GetOrder(pb.GetOrderRequest(order_id=order_id), ANY).order

    assert (order.number, order.po_number, order.tax_rate, order.net_days) == ("SO-1001", "PO-9", "0.0725", 30)
    assert (order.lines[0].quantity, order.lines[0].unit_price, order.lines[0].extended.minor_units) == (
        2,
        "129.00",
        25800,
    )
    assert order.total.minor_units == 27671
    assert order.placed_at_micros > 0


def test_a_milestone_that_is_recorded_again_with_other_dates_gets_its_first_answer(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 2)).order_id
    desk.validate(order_id)

    answers = [
        desk.record(order_id, "accepted", promises=[pb.LinePromise(line_id="1", quantity=2, promised_on=day)])
        for day in ("2026-11-27", "2026-11-28")
    ]

    assert answers[0] == answers[1]
    assert [row["detail"]["mail"] for row in desk.outbox("notify", order_id)].count("order_accepted") == 1
