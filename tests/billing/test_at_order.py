"""Orders that are invoiced before they ship: whole, once, and revenue only as they ship."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import InvalidArgument, Refused
from services.runtime.db import Database
from tests.billing.desk import CONTEXT, SHIPPED_AT, Desk, order_of
from tests.billing.order_desk import accept, at_order, deferred, grown, make
from tests.threads import at_once


def test_an_accepted_order_is_invoiced_whole_and_once_and_is_no_revenue_yet(desk: Desk) -> None:
    desk.limit(100_000)
    order = at_order({"1": (3, "33.33"), "2": (1, "5.00")}, freight=1000, tax_rate="0.0825")
    desk.commit("ord_1", order.total.minor_units)

    made = (accept(desk, order), accept(desk, order), make(desk))

    assert made == (1, 0, 0)
    (invoice,) = desk.listed()
    assert (invoice.shipment_id, list(invoice.shipment_ids)) == ("", [])
    assert (invoice.invoiced_on, invoice.due_on) == ("2026-03-02", "2026-04-01")
    assert invoice.total.minor_units == order.total.minor_units
    assert desk.account() == (0, order.total.minor_units)
    assert {name: minor for name, minor in desk.balances().items() if minor} == {
        "accounts_receivable": order.total.minor_units,
        "deferred_revenue": -order.merchandise.minor_units - 1000,
        "tax_payable": -order.tax.minor_units,
    }
    (issued,) = desk.facts("invoice_issued")
    assert {line: one["invoiced"] for line, one in issued["lines"].items()} == {"1": 3, "2": 1}
    assert desk.violations() == {}


def test_its_shipments_make_revenue_of_it_to_the_cent_and_no_second_invoice(desk: Desk) -> None:
    order = at_order({"1": (3, "33.33")}, discount=500, freight=1000, tax_rate="0.0825")
    accept(desk, order)

    first = desk.leave(order, "shp_1", {"1": 1})
    after_one = (desk.balances()["revenue"], desk.balances()["freight_revenue"], deferred(desk))
    again = desk.leave(order, "shp_1", {"1": 1})
    last = desk.leave(order, "shp_2", {"1": 2})

    # a third of the net of 94.99 and of the freight, as an invoice of that shipment would have had it
    assert after_one == (-3166, -333, 9499 + 1000 - 3166 - 333)
    assert first.invoice.number == again.invoice.number == last.invoice.number == "INV-000001"
    balances = desk.balances()
    assert (balances["revenue"], balances["freight_revenue"], balances["deferred_revenue"]) == (-9499, -1000, 0)
    assert len(desk.listed()) == 1
    assert desk.violations() == {}


def test_what_standing_asks_knows_the_shipments_that_need_no_invoice(desk: Desk) -> None:
    order = at_order({"1": (3, "10.00")})
    accept(desk, order)
    desk.leave(order, "shp_1", {"1": 1})

    answer = desk.billing.ListBillable(pb.ListBillableRequest(order_ids=["ord_1", "ord_2"]), CONTEXT)

    assert list(answer.shipments) == []
    assert [(one.order_id, one.shipment_id) for one in answer.invoiced_at_order] == [("ord_1", "shp_1")]


def test_what_an_order_grows_by_is_invoiced_when_the_change_is_applied(desk: Desk) -> None:
    order = at_order({"1": (3, "10.00")}, freight=600)
    accept(desk, order)
    desk.leave(order, "shp_1", {"1": 1})
    more = grown(order, {"1": (5, "10.00"), "2": (1, "7.00")}, freight=900)

    made = accept(desk, more)
    desk.leave(more, "shp_2", {"1": 4, "2": 1})

    assert made == 1
    first, second = desk.listed()
    assert [(line.line_id, line.quantity) for line in second.lines] == [("1", 2), ("2", 1)]
    assert first.total.minor_units + second.total.minor_units == more.total.minor_units
    assert deferred(desk) == 0
    assert -desk.balances()["revenue"] == more.merchandise.minor_units
    assert desk.violations() == {}


def test_an_older_version_is_not_what_is_invoiced_when_a_newer_one_is_known(desk: Desk) -> None:
    order = at_order({"1": (3, "10.00")})
    more = grown(order, {"1": (5, "10.00")})
    desk.billing.InvoiceOrder(pb.InvoiceOrderRequest(order=more), CONTEXT)
    desk.orders["ord_1"] = order

    before = make(desk)
    desk.orders["ord_1"] = more

    assert (before, make(desk)) == (0, 1)
    assert [one.total.minor_units for one in desk.listed()] == [5000]


def test_no_invoice_comes_between_a_change_and_its_version(desk: Desk) -> None:
    order = at_order({"1": (3, "10.00")})
    desk.limit(100_000)
    block = pb.BlockInvoicingRequest(order_id="ord_1", customer_id="cus_acme", currency="USD", least_version=2)
    desk.billing.BlockInvoicing(block, CONTEXT)

    while_it_is_made = accept(desk, order)
    desk.now += timedelta(minutes=2)  # whoever asked for it has died

    assert (while_it_is_made, make(desk)) == (0, 1)


def test_what_ships_before_its_invoice_was_made_is_invoiced_with_the_whole_order(desk: Desk) -> None:
    order = at_order({"1": (3, "10.00")}, freight=300)

    invoice = desk.leave(order, "shp_1", {"1": 1}).invoice

    assert (invoice.total.minor_units, invoice.shipment_id) == (3300, "")
    assert accept(desk, order) == 0
    assert deferred(desk) == 2200
    assert desk.violations() == {}


def test_what_ships_while_its_order_changes_is_invoiced_and_no_more_of_the_old_version(desk: Desk) -> None:
    order = at_order({"1": (10, "20.00")})
    desk.orders["ord_1"] = order
    desk.billing.InvoiceOrder(pb.InvoiceOrderRequest(order=order), CONTEXT)
    block = pb.BlockInvoicingRequest(order_id="ord_1", customer_id="cus_acme", currency="USD", least_version=2)
    desk.billing.BlockInvoicing(block, CONTEXT)

    shipped = desk.leave(order, "shp_1", {"1": 3})
    less = grown(order, {"1": (6, "20.00")})
    made = accept(desk, less)

    assert (shipped.invoice.total.minor_units, made) == (6_000, 1)
    assert [one.total.minor_units for one in desk.listed()] == [6_000, 6_000]
    desk.leave(less, "shp_2", {"1": 3})
    assert deferred(desk) == 0
    assert desk.violations() == {}


def test_what_ships_by_a_version_that_is_not_the_newest_is_invoiced_and_no_more_of_it(desk: Desk) -> None:
    order = at_order({"1": (10, "20.00")})
    less = grown(order, {"1": (6, "20.00")})
    desk.billing.InvoiceOrder(pb.InvoiceOrderRequest(order=less), CONTEXT)

    shipped = desk.leave(order, "shp_1", {"1": 3})

    assert shipped.invoice.total.minor_units == 6_000
    assert accept(desk, less) == 1
    assert desk.violations() == {}


def test_one_that_is_due_on_delivery_is_due_from_its_acceptance(desk: Desk) -> None:
    accept(desk, at_order({"1": (2, "10.00")}, terms="delivery 10", net_days=10))

    assert [one.due_on for one in desk.listed()] == ["2026-03-12"]


def test_the_cash_of_a_deposit_pays_it_at_once(desk: Desk) -> None:
    order = at_order({"1": (2, "10.00")}, payment_method="deposit")
    desk.commit("ord_1", 2000, method="deposit", deposit=500)
    desk.pay(500, "BANK-1", orders={"ord_1": 500})

    accept(desk, order)

    (invoice,) = desk.listed()
    assert (invoice.paid.minor_units, invoice.open.minor_units) == (500, 1500)
    assert desk.violations() == {}


def test_an_order_that_is_canceled_before_it_ships_is_credited_and_never_was_revenue(desk: Desk) -> None:
    desk.limit(100_000)
    order = at_order({"1": (3, "33.33")}, freight=1000, tax_rate="0.0825")
    desk.commit("ord_1", order.total.minor_units)
    accept(desk, order)
    accept(desk, grown(order, {"1": (4, "33.33")}, freight=1000, tax_rate="0.0825"))
    desk.pay(5000, "BANK-1")

    desk.release("ord_1")
    late = accept(desk, order)

    assert late == 0
    assert [one.status for one in desk.listed()] == ["credited", "credited"]
    assert {name: minor for name, minor in desk.balances().items() if minor} == {"cash": 5000, "unapplied_cash": -5000}
    assert desk.account() == (0, -5000)
    assert desk.violations() == {}


def test_of_one_that_ends_when_a_part_has_shipped_people_say_what_is_credited(desk: Desk) -> None:
    order = at_order({"1": (3, "10.00")})
    accept(desk, order)
    desk.leave(order, "shp_1", {"1": 1})

    desk.release("ord_1")

    assert [one.credited.minor_units for one in desk.listed()] == [0]
    assert deferred(desk) == 2000


@pytest.mark.parametrize(("reason", "returns", "left"), [("returned", 2000, 2000), ("billing_error", 0, 0)])
def test_a_credit_note_takes_what_is_deferred_unless_its_goods_had_shipped(
    desk: Desk, reason: str, returns: int, left: int
) -> None:
    order = at_order({"1": (5, "10.00")})
    accept(desk, order)
    desk.leave(order, "shp_1", {"1": 3})

    request = pb.CreditInvoiceRequest(request_id="1", invoice="INV-000001", reason_code=reason, reason="so it is")
    request.lines.add(line_id="1", quantity=2)
    desk.billing.CreditInvoice(request, CONTEXT)

    assert (desk.balances().get("sales_returns", 0), deferred(desk)) == (returns, left)
    assert desk.violations() == {}
    desk.leave(order, "shp_2", {"1": 2})
    assert deferred(desk) == 0
    assert desk.violations() == {}


def test_a_part_of_it_is_of_no_use_to_a_customer_who_ships_what_fits(desk: Desk) -> None:
    terms = pb.PutCreditTermsRequest(customer_id="cus_acme", currency="USD", ships_what_fits=True, changed_by="ann")
    desk.limit(2000)
    desk.billing.PutCreditTerms(terms, CONTEXT)
    order = at_order({"1": (3, "10.00")})
    request = pb.CommitCreditRequest(
        request_id="1",
        order_id="ord_1",
        customer_id="cus_acme",
        amount=order.total,
        payment_method="terms",
        order=order,
    )

    assert not desk.billing.CommitCredit(request, CONTEXT).is_granted
    assert desk.account() == (0, 0)


def test_what_waits_for_room_is_invoiced_once_there_is_some(desk: Desk) -> None:
    desk.limit(4000)
    order = at_order({"1": (3, "10.00")})
    desk.commit("ord_1", 3000)
    accept(desk, order)
    terms = pb.PutCreditTermsRequest(customer_id="cus_acme", currency="USD", ships_what_fits=True, changed_by="ann")
    desk.billing.PutCreditTerms(terms, CONTEXT)
    more = grown(order, {"1": (6, "10.00")})
    desk.adjust("ord_1", 6000)

    while_it_waits = accept(desk, more)
    desk.leave(more, "shp_1", {"1": 4})  # as much as fits
    shipped = [one.total.minor_units for one in desk.listed()]
    desk.limit(10_000)

    assert while_it_waits == 0
    assert shipped == [3000, 1000]
    assert make(desk) == 1
    assert sum(one.total.minor_units for one in desk.listed()) == 6000
    assert desk.violations() == {}


def test_more_than_was_ordered_is_refused_when_it_ships(desk: Desk) -> None:
    order = at_order({"1": (3, "10.00")})
    accept(desk, order)

    with pytest.raises(Refused) as refusal:
        desk.leave(order, "shp_1", {"1": 4})

    assert refusal.value.reason == "INVOICED_MORE_THAN_ORDERED"
    assert deferred(desk) == 3000


def test_an_order_that_is_invoiced_as_it_ships_is_not_invoiced_before(desk: Desk) -> None:
    for order in (order_of({"1": (1, "1.00")}), at_order({"1": (1, "1.00")}, payment_method="card")):
        with pytest.raises(InvalidArgument) as refusal:
            accept(desk, order)
        assert refusal.value.reason == "NOT_INVOICED_AT_ORDER"


@pytest.mark.on_postgres
def test_runners_and_shipments_at_once_invoice_each_order_once(database: Database, desk: Desk) -> None:
    orders = [
        at_order({"1": (4, "3.33")}, order_id=f"ord_{number}", customer_id=f"cus_{number % 3}", freight=100)
        for number in range(12)
    ]
    for order in orders:
        desk.orders[order.order_id] = order
        desk.billing.InvoiceOrder(pb.InvoiceOrderRequest(order=order), CONTEXT)

    def ship(place: int) -> None:
        for number, order in enumerate(orders):
            desk.leave(order, f"shp_{number}_{place}", {"1": 2}, request_id=f"leave/{number}/{place}")

    acts: list[Callable[[], object]] = [partial(make, desk), partial(make, desk), partial(ship, 0), partial(ship, 1)]
    at_once(acts, threads=4)

    assert len(desk.all_listed()) == 12
    assert deferred(desk) == 0
    assert -desk.balances()["revenue"] == 12 * 1332
    assert desk.violations() == {}


def test_a_shipment_long_after_is_revenue_of_its_order_all_the_same(desk: Desk) -> None:
    order = at_order({"1": (1, "10.00")})
    accept(desk, order)
    desk.pay(1000, "BANK-1")

    desk.leave(order, "shp_1", {"1": 1}, shipped_at=SHIPPED_AT + timedelta(days=90))

    assert [one.status for one in desk.listed()] == ["paid"]
    assert deferred(desk) == 0
    assert desk.violations() == {}
