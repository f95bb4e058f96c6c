"""Invoicing by hand: what accounting converts before a policy does, and drafts that one prepares and another one approves."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.kernel.errors import AlreadyExists, Conflict, NotFound, Refused
from services.kernel.money import Money
from services.runtime.grpc_client import Unreachable
from tests.billing.desk import CONTEXT, SHIPPED_AT, Desk, order_of
from tests.billing.messages import usd
from tests.billing.test_policies import SUNDAY, at
from tests.plans import counted


def shipped(desk: Desk, invoicing: str = "manual", **terms: int) -> None:
    """An order of 3 at 33.33, of which two shipments have left."""
    order = order_of({"1": (3, "33.33")}, invoicing=invoicing, **terms)  # type: ignore[arg-type]  # amounts alone
    desk.leave(order, "shp_1", {"1": 1})
    desk.leave(order, "shp_2", {"1": 1})


def test_by_hand_all_that_has_left_of_an_order_becomes_one_invoice_of_today(desk: Desk) -> None:
    shipped(desk, freight=300)

    invoice = desk.bill_by_hand("ord_1")

    assert (invoice.number, invoice.invoiced_on) == ("INV-000001", desk.now.date().isoformat())
    assert list(invoice.shipment_ids) == ["shp_1", "shp_2"]
    assert invoice.total.minor_units == 6666 + 200
    assert desk.billable() == []
    assert desk.violations() == {}


def test_one_shipment_of_several_is_invoiced_and_the_rest_waits_on(desk: Desk) -> None:
    shipped(desk, "weekly")

    invoice = desk.bill_by_hand("ord_1", "shp_2")
    desk.now = at(SUNDAY + timedelta(days=1))
    desk.run_policies()

    assert list(invoice.shipment_ids) == ["shp_2"]
    assert [list(one.shipment_ids) for one in desk.listed()] == [["shp_2"], ["shp_1"]]
    assert desk.violations() == {}


def test_a_unit_that_is_billed_already_is_refused_by_the_number_of_its_invoice(desk: Desk) -> None:
    shipped(desk)
    desk.bill_by_hand("ord_1", "shp_1")

    with pytest.raises(Refused) as refusal:
        desk.bill_by_hand("ord_1", "shp_1", "shp_2")
    desk.bill_by_hand("ord_1")
    with pytest.raises(Refused) as nothing:
        desk.bill_by_hand("ord_1")

    assert refusal.value.reason == nothing.value.reason == "ALREADY_INVOICED"
    assert refusal.value.message == "shipment shp_1 is on invoice INV-000001 already: leave it out"
    assert nothing.value.message.startswith("all that has left of order SO-ord_1 is on INV-000001, INV-000002 already")
    assert len(desk.listed()) == 2


def test_what_has_not_left_or_is_another_orders_is_refused(desk: Desk) -> None:
    shipped(desk)
    desk.orders["ord_2"] = order_of({"1": (1, "1.00")}, order_id="ord_2", invoicing="manual")

    with pytest.raises(NotFound) as unknown:
        desk.bill_by_hand("ord_1", "shp_9")
    with pytest.raises(NotFound):
        desk.bill_by_hand("ord_2", "shp_1")
    with pytest.raises(Refused) as nothing:
        desk.bill_by_hand("ord_2")

    assert (unknown.value.reason, nothing.value.reason) == ("SHIPMENT_NOT_BILLABLE", "NOTHING_TO_INVOICE")


def test_a_repeat_of_the_request_gives_the_invoice_and_another_request_under_its_id_is_refused(desk: Desk) -> None:
    shipped(desk)

    first = desk.bill_by_hand("ord_1", "shp_1", request_id="r")
    again = desk.bill_by_hand("ord_1", "shp_1", request_id="r")
    with pytest.raises(AlreadyExists):
        desk.bill_by_hand("ord_1", request_id="r")

    assert first == again
    assert len(desk.listed()) == 1


def test_a_preview_says_what_it_would_be_and_leaves_no_trace(desk: Desk) -> None:
    shipped(desk, discount=99, freight=300)
    desk.pay(1000, "BANK-1", orders={"ord_1": 1000})

    seen = desk.preview("ord_1")
    before = (desk.listed(), desk.account(), len(desk.billable()))
    posted = desk.bill_by_hand("ord_1")

    assert before == ([], (0, -1000), 2)
    assert (seen.invoice.number, seen.invoice.invoice_id, seen.needs_second_person) == ("", "", False)
    assert [one.shipment_id for one in seen.shipments] == ["shp_1", "shp_2"]
    assert (seen.invoice.total, seen.invoice.open, seen.invoice.due_on) == (posted.total, posted.open, posted.due_on)
    assert posted.number == "INV-000001"
    assert posted.paid.minor_units == 1000
    assert desk.violations() == {}


def test_an_order_that_is_being_changed_is_not_invoiced_by_its_older_version(desk: Desk) -> None:
    shipped(desk)
    desk.invoice(desk.orders["ord_1"], "shp_3", {"1": 1})
    block = pb.BlockInvoicingRequest(order_id="ord_1", customer_id="cus_acme", currency="USD", least_version=2)

    answered = desk.billing.BlockInvoicing(block, CONTEXT)
    with pytest.raises(Conflict) as conflict:
        desk.bill_by_hand("ord_1")
    desk.orders["ord_1"].version = 2
    by_the_new_one = desk.preview("ord_1").invoice.total
    desk.orders["ord_1"].version = 1
    desk.now += timedelta(minutes=2)  # who asked for it is dead

    assert (list(answered.invoiced), conflict.value.reason) == ([], "ORDER_CHANGES")
    assert by_the_new_one == desk.bill_by_hand("ord_1").total
    (line,) = desk.billing.BlockInvoicing(block, CONTEXT).invoiced
    assert (line.line_id, line.quantity) == ("1", 3)


def test_a_draft_holds_its_shipments_until_it_is_posted(desk: Desk) -> None:
    shipped(desk, "weekly")

    draft = desk.draft("ord_1", "shp_1")
    desk.now = at(SUNDAY + timedelta(days=1))
    desk.run_policies()
    with pytest.raises(Refused) as held:
        desk.bill_by_hand("ord_1", "shp_1")
    with pytest.raises(Refused) as unapproved:
        desk.move_draft(draft.draft_id, "post")
    approved = desk.move_draft(draft.draft_id, "approve").draft
    posted = desk.move_draft(draft.draft_id, "post", "ben")

    assert (draft.state, draft.amount.minor_units, draft.needs_second_person) == ("draft", 3333, False)
    assert (held.value.reason, unapproved.value.reason) == ("HELD_BY_DRAFT", "DRAFT_NOT_APPROVED")
    assert (approved.state, approved.approved_by) == ("approved", "ann")
    assert (posted.draft.state, posted.draft.ended_by) == ("posted", "ben")
    assert (posted.invoice.number, list(posted.invoice.shipment_ids)) == ("INV-000002", ["shp_1"])
    assert posted.draft.invoice_id == posted.invoice.invoice_id
    assert desk.violations() == {}


def test_a_discarded_draft_lets_its_shipments_go_and_no_number_is_missing(desk: Desk) -> None:
    shipped(desk)
    draft = desk.draft("ord_1")
    with pytest.raises(Refused) as held:
        desk.draft("ord_1")

    discarded = desk.move_draft(draft.draft_id, "discard").draft
    invoice = desk.bill_by_hand("ord_1")
    with pytest.raises(Refused) as ended:
        desk.move_draft(draft.draft_id, "approve")

    assert (held.value.reason, ended.value.reason) == ("HELD_BY_DRAFT", "DRAFT_ENDED")
    assert (discarded.state, list(discarded.shipment_ids)) == ("discarded", [])
    assert invoice.number == "INV-000001"
    assert [one.state for one in desk.drafts()] == ["discarded"]
    assert desk.drafts("open") == []
    assert desk.violations() == {}


def test_what_a_discarded_draft_held_beyond_its_day_is_invoiced_today_and_not_overdue(desk: Desk) -> None:
    desk.leave(order_of({"1": (1, "10.00")}, invoicing="weekly"), "shp_1", {"1": 1})
    draft = desk.draft("ord_1")
    desk.now += timedelta(days=60)
    desk.move_draft(draft.draft_id, "discard")
    today = desk.now.date()
    desk.now += timedelta(days=1)  # a day is invoiced when it is over

    desk.run_policies()

    (invoice,) = desk.listed()
    assert invoice.invoiced_on == today.isoformat()
    assert invoice.due_on > invoice.invoiced_on


def test_beyond_the_limit_one_person_invoices_nothing_by_hand_alone(desk: Desk) -> None:
    desk.billing.limits = {"USD": Money(5000, "USD")}
    shipped(desk)

    with pytest.raises(Refused) as alone:
        desk.bill_by_hand("ord_1")
    small = desk.bill_by_hand("ord_1", "shp_1")
    desk.orders["ord_1"] = order_of({"1": (3, "33.33")}, invoicing="manual", freight=9000)
    draft = desk.draft("ord_1")
    with pytest.raises(Refused) as own:
        desk.move_draft(draft.draft_id, "approve", "ann")
    desk.move_draft(draft.draft_id, "approve", "ben")

    assert alone.value.reason == own.value.reason == "SECOND_PERSON_NEEDED"
    assert small.total.minor_units == 3333
    assert draft.needs_second_person
    assert desk.move_draft(draft.draft_id, "post", "ann").invoice.total == draft.amount
    assert desk.violations() == {}


def test_a_draft_is_posted_for_the_amount_that_was_approved_or_not_at_all(desk: Desk) -> None:
    shipped(desk)
    draft = desk.draft("ord_1")
    desk.move_draft(draft.draft_id, "approve")
    desk.orders["ord_1"] = order_of({"1": (3, "33.33")}, invoicing="manual", freight=900)

    with pytest.raises(Refused) as outdated:
        desk.move_draft(draft.draft_id, "post")

    assert outdated.value.reason == "DRAFT_OUTDATED"
    assert desk.preview("ord_1", draft_id=draft.draft_id).invoice.total == usd(6666 + 600)
    assert (desk.listed(), desk.drafts("approved")[0].draft_id) == ([], draft.draft_id)
    assert desk.violations() == {}


def test_a_draft_that_nobody_knows_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound) as unknown:
        desk.move_draft("draft_nobody", "post")

    assert unknown.value.reason == "DRAFT_NOT_FOUND"


def test_a_draft_that_is_forgotten_beyond_its_shipments_day_is_named_by_the_audit(desk: Desk) -> None:
    shipped(desk, "weekly")
    desk.draft("ord_1")

    desk.now = at(date(2026, 3, 11))

    assert list(desk.violations()) == ["billing.due_shipments_are_invoiced"]


def test_by_hand_before_the_delivery_leaves_nothing_for_it(desk: Desk) -> None:
    shipped(desk, "per_delivery")
    desk.bill_by_hand("ord_1", "shp_1")

    desk.deliver("shp_1", SHIPPED_AT + timedelta(days=1), "fact_1")
    desk.deliver("shp_2", SHIPPED_AT + timedelta(days=1), "fact_2")
    desk.now = SHIPPED_AT + timedelta(days=2)

    assert desk.run_policies() == 1
    assert [list(one.shipment_ids) for one in desk.listed()] == [["shp_1"], ["shp_2"]]
    assert desk.violations() == {}


def test_while_nobody_can_say_how_the_order_stands_nothing_is_invoiced(desk: Desk) -> None:
    shipped(desk)

    def away(_order_id: str) -> orders_pb2.Order:
        raise Unreachable("orders does not answer")

    desk.billing.read_order = away
    with pytest.raises(Unreachable):
        desk.bill_by_hand("ord_1", request_id="r")
    desk.billing.read_order = desk.orders.__getitem__

    assert desk.bill_by_hand("ord_1", request_id="r").number == "INV-000001"


def test_a_draft_is_discarded_although_nobody_can_say_how_its_order_stands(desk: Desk) -> None:
    shipped(desk)
    draft = desk.draft("ord_1")
    del desk.orders["ord_1"]

    assert desk.move_draft(draft.draft_id, "discard").draft.state == "discarded"
    assert [one.draft_id for one in desk.billable()] == [""] * len(draft.shipment_ids)


def test_many_drafts_are_read_by_as_many_statements_as_one(desk: Desk) -> None:
    costs = []
    for number in range(3):
        order = order_of({"1": (1, "10.00")}, order_id=f"ord_{number}", invoicing="manual")
        desk.leave(order, f"shp_{number}", {"1": 1})
        desk.draft(f"ord_{number}")
        with counted(desk.database) as statements:
            desk.drafts()
        costs.append(len(statements))

    assert [list(one.shipment_ids) for one in desk.drafts()] == [["shp_0"], ["shp_1"], ["shp_2"]]
    assert len(set(costs)) == 1
