"""A ship confirm that was a mistake: its invoice is credited, and its units are billed again when they ship, each once net."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import Refused
from tests.billing.desk import CONTEXT, SHIPPED_AT, Desk, order_of
from tests.billing.order_desk import accept, at_order, deferred
from tests.billing.test_each_unit_once import a_split, an_order, finish, somebody
from tests.threads import at_once


def reverse(
    desk: Desk,
    shipment_id: str,
    *,
    order_id: str = "ord_1",
    customer_id: str = "cus_acme",
    request_id: str = "",
    is_preview: bool = False,
) -> pb.ReverseShipmentBillingResponse:
    request = pb.ReverseShipmentBillingRequest(
        request_id=request_id or f"reverse/{shipment_id}",
        order_id=order_id,
        customer_id=customer_id,
        currency="USD",
        shipment_id=shipment_id,
        shipment_number=shipment_id.upper().replace("_", "-"),
        reason="wrong pallet",
        reversed_by="warehouse.pat",
        is_preview=is_preview,
    )
    return desk.billing.ReverseShipmentBilling(request, CONTEXT)


def net(desk: Desk, order_id: str) -> int:
    """What the invoices of an order come to less what is credited of them, in minor units."""
    return sum(
        one.total.minor_units - one.credited.minor_units for one in desk.all_listed() if one.order_id == order_id
    )


@pytest.mark.on_postgres
def test_its_invoice_is_credited_and_its_units_are_billed_again_when_they_ship(desk: Desk) -> None:
    desk.limit(100_000)
    order = order_of({"1": (10, "10.00")}, freight=500, tax_rate="0.10")  # 100.00 + 5.00 + 10.00
    desk.commit("ord_1", 11_500)
    desk.invoice(order, "shp_1", {"1": 4})  # 40.00 + 2.00 + 4.00

    done = reverse(desk, "shp_1")

    assert (done.outcome, done.invoice_number, done.credit_note_number) == ("credited", "INV-000001", "CN-1001")
    assert (done.amount.minor_units, done.HasField("held")) == (4_600, False)
    assert desk.account() == (11_500, 0)
    assert desk.money("ord_1")["invoiced"] == 0
    (fact,) = desk.facts("invoice_credited")
    assert {line: one["invoiced"] for line, one in fact["lines"].items()} == {"1": 0}
    assert fact["reason"] == "Shipment SHP-1 was reported as shipped by mistake."
    assert [part["merchandise_minor"] for part in fact["invoice"]["reversed_parts"] if part["merchandise_minor"]] == [
        4_000
    ]
    again = desk.invoice(order, "shp_2", {"1": 4})
    last = desk.invoice(order, "shp_3", {"1": 6})
    assert [one.total.minor_units for one in (again, last)] == [4_600, 6_900]
    assert (net(desk, "ord_1"), desk.account()) == (11_500, (0, 11_500))
    assert desk.balances()["accounts_receivable"] == 11_500
    assert desk.violations() == {}


def test_a_repeat_under_any_key_gives_what_became_of_it(desk: Desk) -> None:
    order = order_of({"1": (4, "10.00")})
    desk.invoice(order, "shp_1", {"1": 4})

    first = reverse(desk, "shp_1")
    again = [reverse(desk, "shp_1"), reverse(desk, "shp_1", request_id="other")]

    assert again == [first, first]
    assert net(desk, "ord_1") == 0
    assert desk.violations() == {}


def test_a_preview_says_what_it_would_do_and_leaves_no_trace(desk: Desk) -> None:
    order = order_of({"1": (4, "10.00")})
    desk.invoice(order, "shp_1", {"1": 4})

    seen = reverse(desk, "shp_1", is_preview=True)

    assert (seen.outcome, seen.invoice_number, seen.credit_note_number) == ("credited", "INV-000001", "")
    assert seen.amount.minor_units == 4_000
    assert (net(desk, "ord_1"), desk.facts("invoice_credited")) == (4_000, [])


def test_an_invoice_that_comes_after_the_reversal_is_not_made(desk: Desk) -> None:
    order = order_of({"1": (4, "10.00")})
    assert reverse(desk, "shp_1").outcome == "none"

    late = desk.leave(order, "shp_1", {"1": 4})

    assert not late.HasField("invoice")
    assert not late.HasField("waiting")
    assert desk.listed() == []
    assert desk.invoice(order, "shp_2", {"1": 4}).total.minor_units == 4_000
    assert desk.violations() == {}


def test_what_was_paid_is_held_for_the_order_and_pays_its_next_invoice(desk: Desk) -> None:
    order = order_of({"1": (4, "10.00")}, payment_method="prepaid")
    desk.pay(4_000, "wire", orders={"ord_1": 4_000})
    desk.commit("ord_1", 4_000, method="prepaid")
    assert desk.invoice(order, "shp_1", {"1": 4}).status == "paid"

    done = reverse(desk, "shp_1")

    assert done.held.minor_units == 4_000
    (fact,) = desk.facts("invoice_credited")
    assert (fact["held_minor"], fact["cash_minor"]) == (4_000, 4_000)
    assert desk.money("ord_1") == {
        "committed": 4_000, "held": 4_000, "invoiced": 0, "paid": 0, "missing": 0, "waiting_on": "",
    }  # fmt: skip
    assert desk.violations() == {}
    again = desk.invoice(order, "shp_2", {"1": 4})
    assert (again.status, again.open.minor_units) == ("paid", 0)
    assert desk.balances()["customer_deposits"] == 0
    assert desk.violations() == {}


def test_cash_that_is_held_again_pays_what_is_open_of_the_order(desk: Desk) -> None:
    order = order_of({"1": (8, "10.00")})
    first = desk.invoice(order, "shp_1", {"1": 4})
    desk.pay(4_000, "check", to={first.invoice_id: 4_000})
    second = desk.invoice(order, "shp_2", {"1": 4})

    reverse(desk, "shp_1")

    assert desk.invoice_now(second.invoice_id).status == "paid"
    assert desk.money("ord_1")["held"] == 0
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_of_an_invoice_of_several_shipments_only_what_had_not_left_is_credited(desk: Desk) -> None:
    order = order_of({"1": (5, "3.33"), "2": (3, "7.77")}, invoicing="weekly", freight=1000, discount=500)
    for number, units in enumerate(({"1": 2}, {"1": 3, "2": 1}), 1):
        desk.leave(order, f"shp_{number}", units)
    desk.now = datetime(2026, 3, 9, 12, tzinfo=UTC)
    desk.run_policies()
    (invoice,) = desk.listed()

    done = reverse(desk, "shp_2")

    assert done.invoice_number == invoice.number
    (note,) = desk.billing.ListCreditNotes(pb.ListCreditNotesRequest(order_id="ord_1"), CONTEXT).credit_notes
    assert [(line.line_id, line.quantity) for line in note.lines] == [("1", 3), ("2", 1)]
    desk.leave(order, "shp_3", {"1": 3, "2": 3}, shipped_at=desk.now)
    desk.now += timedelta(days=8)
    desk.run_policies()
    assert net(desk, "ord_1") == order.total.minor_units
    assert desk.violations() == {}


def test_a_shipment_that_waits_for_its_invoice_waits_no_more_and_its_draft_is_discarded(desk: Desk) -> None:
    order = order_of({"1": (6, "10.00")}, invoicing="monthly")
    for number in (1, 2, 3):
        desk.leave(order, f"shp_{number}", {"1": 2})
    alone, both = desk.draft("ord_1", "shp_1"), desk.draft("ord_1", "shp_2", "shp_3")

    done = [reverse(desk, one) for one in ("shp_1", "shp_2")]

    assert [(one.outcome, one.amount.minor_units) for one in done] == [("unqueued", 2_000), ("unqueued", 2_000)]
    assert [one.shipment_id for one in desk.billable()] == ["shp_3"]
    assert {one.draft_id: one.state for one in desk.drafts()} == {alone.draft_id: "discarded", both.draft_id: "draft"}
    assert desk.facts("invoice_credited") == []
    assert desk.violations() == {}


def test_a_draft_that_was_approved_with_it_is_outdated(desk: Desk) -> None:
    order = order_of({"1": (4, "10.00")}, invoicing="monthly")
    for number in (1, 2):
        desk.leave(order, f"shp_{number}", {"1": 2})
    draft = desk.draft("ord_1")
    desk.move_draft(draft.draft_id, "approve")
    reverse(desk, "shp_1")

    with pytest.raises(Refused, match="was approved for"):
        desk.move_draft(draft.draft_id, "post")

    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_what_was_invoiced_at_order_is_deferred_again_and_becomes_revenue_when_it_ships(desk: Desk) -> None:
    order = at_order({"1": (3, "33.33")}, discount=500, freight=1000, tax_rate="0.0825")
    accept(desk, order)
    desk.leave(order, "shp_1", {"1": 1})
    before = deferred(desk)

    done = reverse(desk, "shp_1")

    assert (done.outcome, done.amount.minor_units) == ("deferred", 3166 + 333)
    assert (before, deferred(desk)) == (9499 + 1000 - 3166 - 333, 9499 + 1000)
    assert (desk.balances()["revenue"], desk.balances()["freight_revenue"]) == (0, 0)
    assert len(desk.listed()) == 1
    assert not desk.leave(order, "shp_1", {"1": 1}).HasField("invoice")
    desk.leave(order, "shp_2", {"1": 1})
    desk.leave(order, "shp_3", {"1": 2})
    assert (deferred(desk), desk.balances()["revenue"]) == (0, -9499)
    assert desk.violations() == {}


def test_what_was_credited_for_another_reason_before_goes_with_its_invoice(desk: Desk) -> None:
    order = order_of({"1": (4, "10.00")}, tax_rate="0.10")  # 40.00 + 4.00
    invoice = desk.invoice(order, "shp_1", {"1": 4})
    desk.credit(invoice.number, {"1": 1}, allowance=300)  # 10.00 + 1.00, and 3.00 + 0.30

    done = reverse(desk, "shp_1")

    assert done.amount.minor_units == 4_400 - 1_430
    assert desk.invoice(order, "shp_2", {"1": 4}).total.minor_units == 4_400
    assert desk.violations() == {}


def test_an_invoice_of_which_nothing_is_left_to_be_credited_has_no_second_credit_note(desk: Desk) -> None:
    order = order_of({"1": (4, "10.00")})
    invoice = desk.invoice(order, "shp_1", {"1": 4})
    desk.credit(invoice.number, everything=True)

    done = reverse(desk, "shp_1")

    assert (done.outcome, done.credit_note_number, done.amount.minor_units) == ("credited", "", 0)
    *_, fact = desk.facts("invoice_credited")
    assert (fact.get("number", ""), {line: one["invoiced"] for line, one in fact["lines"].items()}) == ("", {"1": 0})
    assert desk.invoice(order, "shp_2", {"1": 4}).total.minor_units == 4_000
    assert desk.violations() == {}


def test_which_cents_went_with_a_shipment_does_not_change_what_the_order_comes_to(desk: Desk) -> None:
    order = order_of({"1": (3, "0.335")})  # 0.34, 0.67, 1.01
    bills = [desk.invoice(order, f"shp_{number}", {"1": 1}).total.minor_units for number in (1, 2, 3)]
    assert bills == [34, 33, 34]

    reverse(desk, "shp_2")

    assert desk.invoice(order, "shp_4", {"1": 1}).total.minor_units == 33
    assert net(desk, "ord_1") == order.total.minor_units
    assert desk.violations() == {}


def test_an_invoice_due_on_delivery_falls_due_by_the_shipments_that_did_leave(desk: Desk) -> None:
    order = order_of({"1": (4, "10.00")}, invoicing="weekly", terms="delivery 5")
    for number in (1, 2):
        desk.leave(order, f"shp_{number}", {"1": 2})
    desk.now = datetime(2026, 3, 9, 12, tzinfo=UTC)
    desk.run_policies()
    desk.deliver("shp_1", desk.now)
    assert desk.listed()[0].due_on == ""

    reverse(desk, "shp_2")

    assert desk.listed()[0].due_on != ""
    assert desk.violations() == {}


def test_what_a_marketplace_was_paid_for_is_not_credited_here(desk: Desk) -> None:
    order = order_of({"1": (4, "10.00")}, payment_method="settled_elsewhere")
    order.channel = "amazon"
    order.settlement.reference = "A-1"
    desk.invoice(order, "shp_1", {"1": 4})

    with pytest.raises(Refused, match="was paid where it was bought"):
        reverse(desk, "shp_1")

    assert desk.violations() == {}


def test_any_split_under_any_policy_with_reversals_in_between_comes_to_the_order(desk: Desk) -> None:
    chance = random.Random(11)
    reversed_in_all = 0
    for number in range(40):
        desk.now = SHIPPED_AT + timedelta(hours=1)
        order = an_order(chance, number)
        desk.orders[order.order_id] = order
        left: list[str] = []
        waiting = list(a_split(chance, order))
        place = 0
        while waiting:
            units, shipment_id = waiting.pop(0), f"shp_{number}_{place}"
            desk.leave(order, shipment_id, units, shipped_at=desk.now)
            left.append(shipment_id)
            if chance.random() < 0.3 and place < 20:
                left.remove(shipment_id)
                somebody(desk, chance, order.order_id, left)
                reverse(desk, shipment_id, order_id=order.order_id, customer_id=order.customer_id)
                waiting.insert(chance.randint(0, len(waiting)), units)
                reversed_in_all += 1
            somebody(desk, chance, order.order_id, left)
            place += 1
        finish(desk, left)

        assert net(desk, order.order_id) == order.total.minor_units, f"order {number}"
        assert desk.violations() == {}, f"order {number}"
    assert reversed_in_all > 20


@pytest.mark.on_postgres
def test_an_invoice_and_its_reversal_at_once_leave_nothing_billed(desk: Desk) -> None:
    orders = {n: order_of({"1": (4, "10.00")}, order_id=f"ord_{n}", customer_id=f"cus_{n % 3}") for n in range(20)}
    acts: list[Callable[[], object]] = []
    for number, order in orders.items():
        acts.append(partial(desk.leave, order, f"shp_{number}", {"1": 4}, request_id=f"leave/{number}"))
        acts.append(partial(reverse, desk, f"shp_{number}", order_id=order.order_id, customer_id=order.customer_id))
    random.Random(3).shuffle(acts)

    at_once(acts, threads=4)

    assert [net(desk, order.order_id) for order in orders.values()] == [0] * 20
    assert desk.billable() == []
    assert desk.violations() == {}
