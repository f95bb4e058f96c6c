"""Invoicing by policy: what waits for its invoice, when that comes, and what it bills."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import InvalidArgument, Refused
from tests.billing.desk import CONTEXT, SHIPPED_AT, Desk, order_of

SUNDAY = date(2026, 3, 8)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def test_a_weekly_invoice_bills_all_that_left_of_an_order_in_the_week_once_that_is_over(desk: Desk) -> None:
    order = order_of({"1": (5, "10.00"), "2": (1, "5.00")}, invoicing="weekly", freight=600)

    first = desk.leave(order, "shp_1", {"1": 2})
    desk.leave(order, "shp_2", {"1": 3, "2": 1}, shipped_at=SHIPPED_AT + timedelta(days=6))
    desk.now = at(SUNDAY)
    on_sunday = desk.run_policies()
    desk.now = at(SUNDAY + timedelta(days=1))

    assert not first.HasField("invoice")
    assert (first.waiting.policy, first.waiting.invoice_on) == ("weekly", "2026-03-08")
    assert on_sunday == 0
    assert desk.run_policies() == 1
    assert desk.run_policies() == 0
    (invoice,) = desk.listed()
    assert (invoice.invoiced_on, invoice.due_on) == ("2026-03-08", "2026-04-07")
    assert (invoice.shipment_id, list(invoice.shipment_ids)) == ("shp_1", ["shp_1", "shp_2"])
    assert [(line.line_id, line.quantity) for line in invoice.lines] == [("1", 5), ("2", 1)]
    assert invoice.total.minor_units == order.total.minor_units == 6100
    assert desk.billable() == []
    assert desk.violations() == {}


def test_what_leaves_in_two_months_is_on_two_invoices_that_come_to_the_order(desk: Desk) -> None:
    order = order_of({"1": (3, "33.33")}, invoicing="monthly", discount=500, freight=700, tax_rate="0.0825")

    desk.leave(order, "shp_1", {"1": 2})
    desk.leave(order, "shp_2", {"1": 1}, shipped_at=datetime(2026, 4, 1, 12, tzinfo=UTC))
    desk.now = datetime(2026, 5, 2, tzinfo=UTC)  # a downtime of a month
    made = desk.run_policies()

    assert made == 2
    assert [(one.number, one.invoiced_on) for one in desk.listed()] == [
        ("INV-000001", "2026-03-31"),
        ("INV-000002", "2026-04-30"),
    ]
    assert sum(one.total.minor_units for one in desk.listed()) == order.total.minor_units
    assert desk.violations() == {}


def test_the_period_ends_in_the_time_zone_of_the_company(desk: Desk) -> None:
    desk.database.time_zone = "America/New_York"
    order = order_of({"1": (1, "10.00")}, invoicing="weekly")

    kept = desk.leave(
        order, "shp_1", {"1": 1}, shipped_at=datetime(2026, 3, 9, 2, 0, tzinfo=UTC)
    )  # Sunday evening there
    desk.now = datetime(2026, 3, 9, 3, 59, tzinfo=UTC)  # Sunday 23:59 there, by daylight saving time since that day
    before = desk.run_policies()
    desk.now = datetime(2026, 3, 9, 4, 1, tzinfo=UTC)

    assert kept.waiting.invoice_on == "2026-03-08"
    assert (before, desk.run_policies()) == (0, 1)


def test_a_delivery_makes_the_invoice_and_gives_it_its_day(desk: Desk) -> None:
    order = order_of({"1": (2, "10.00")}, invoicing="per_delivery")
    kept = desk.leave(order, "shp_1", {"1": 2})
    before = desk.run_policies()

    desk.deliver("shp_1", SHIPPED_AT + timedelta(days=3))
    desk.now = SHIPPED_AT + timedelta(days=3, hours=1)

    assert kept.waiting.invoice_on == ""
    assert (before, desk.run_policies()) == (0, 1)
    (invoice,) = desk.listed()
    assert (invoice.invoiced_on, invoice.total.minor_units) == ("2026-03-05", 2000)
    assert desk.violations() == {}


def test_a_shipment_that_arrived_before_billing_heard_that_it_left_is_invoiced_at_once(desk: Desk) -> None:
    order = order_of({"1": (2, "10.00")}, invoicing="per_delivery")
    desk.deliver("shp_1", SHIPPED_AT + timedelta(days=3))

    assert desk.invoice(order, "shp_1", {"1": 2}).invoiced_on == "2026-03-05"
    assert desk.violations() == {}


def test_by_hand_means_that_no_time_makes_the_invoice(desk: Desk) -> None:
    desk.leave(order_of({"1": (2, "10.00")}, invoicing="manual"), "shp_1", {"1": 2})
    desk.deliver("shp_1", SHIPPED_AT + timedelta(days=1))
    desk.now = SHIPPED_AT + timedelta(days=400)

    assert desk.run_policies() == 0
    assert [(one.policy, one.amount.minor_units) for one in desk.billable()] == [("manual", 2000)]
    assert desk.violations() == {}


def test_a_shipment_that_waits_is_kept_once_under_any_request_id(desk: Desk) -> None:
    order = order_of({"1": (2, "10.00")}, invoicing="weekly")

    first, again = desk.leave(order, "shp_1", {"1": 2}), desk.leave(order, "shp_1", {"1": 2})
    desk.now = at(SUNDAY + timedelta(days=1))
    desk.run_policies()

    assert first == again
    assert desk.invoice(order, "shp_1", {"1": 2}).number == "INV-000001"
    assert len(desk.listed()) == 1


def test_credit_stays_committed_until_the_invoice_and_the_order_counts_once(desk: Desk) -> None:
    desk.limit(10_000)
    order = order_of({"1": (5, "10.00")}, invoicing="weekly")
    desk.commit("ord_1", 5000)

    desk.leave(order, "shp_1", {"1": 5})
    waiting = desk.account()
    desk.now = at(SUNDAY + timedelta(days=1))
    desk.run_policies()

    assert (waiting, desk.account()) == ((5000, 0), (0, 5000))
    assert desk.violations() == {}


def test_what_waits_is_billed_by_the_order_as_it_stands_then(desk: Desk) -> None:
    order = order_of({"1": (5, "10.00")}, invoicing="weekly", freight=1000)
    desk.leave(order, "shp_1", {"1": 3})  # 3 of 5: 600 of the freight, as the order stood
    estimated = desk.billable()[0].amount.minor_units

    desk.orders["ord_1"] = order_of({"1": (3, "10.00")}, invoicing="weekly", freight=1000)  # the rest is cancelled
    desk.now = at(SUNDAY + timedelta(days=1))
    desk.run_policies()

    assert estimated == 3600
    assert [one.total.minor_units for one in desk.listed()] == [4000]


def test_amounts_that_wait_come_to_the_order(desk: Desk) -> None:
    order = order_of({"1": (3, "33.33")}, invoicing="manual", discount=500, freight=700, tax_rate="0.0825")

    for number in range(3):
        desk.leave(order, f"shp_{number}", {"1": 1})

    assert sum(one.amount.minor_units for one in desk.billable()) == order.total.minor_units


def test_more_than_was_ordered_is_refused_when_it_leaves_and_not_when_it_is_invoiced(desk: Desk) -> None:
    order = order_of({"1": (3, "10.00")}, invoicing="monthly")
    desk.leave(order, "shp_1", {"1": 2})

    with pytest.raises(Refused) as refusal:
        desk.leave(order, "shp_2", {"1": 2})

    assert refusal.value.reason == "INVOICED_MORE_THAN_ORDERED"
    assert len(desk.billable()) == 1


def test_a_policy_that_nobody_knows_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        desk.leave(order_of({"1": (1, "10.00")}, invoicing="fortnightly"), "shp_1", {"1": 1})

    assert refusal.value.reason == "INVOICING_UNKNOWN"


def test_an_invoice_of_several_shipments_that_is_due_on_delivery_is_due_by_the_last_of_them(desk: Desk) -> None:
    order = order_of({"1": (2, "10.00")}, invoicing="weekly", terms="delivery 10", net_days=10)
    desk.leave(order, "shp_1", {"1": 1})
    desk.leave(order, "shp_2", {"1": 1})
    desk.now = at(date(2026, 3, 9))
    desk.run_policies()
    (invoice,) = desk.listed()

    desk.deliver("shp_2", at(date(2026, 3, 12)), "fact_1")
    after_one = desk.invoice_now(invoice.invoice_id).due_on
    desk.deliver("shp_1", at(date(2026, 3, 11)), "fact_2")

    assert (invoice.due_on, after_one) == ("", "")
    assert desk.invoice_now(invoice.invoice_id).due_on == "2026-03-22"
    assert len(desk.facts("due_date_set")) == 1
    assert desk.violations() == {}


def test_an_order_that_cannot_be_read_leaves_the_others_their_invoices(desk: Desk) -> None:
    for number in range(3):
        order_id, customer_id = f"ord_{number}", f"cus_{number}"
        desk.leave(
            order_of({"1": (1, "10.00")}, invoicing="weekly", order_id=order_id, customer_id=customer_id),
            f"shp_{number}",
            {"1": 1},
        )
    desk.now = at(date(2026, 3, 9))
    gone = desk.orders.pop("ord_1")

    first = desk.run_policies()
    desk.orders["ord_1"] = gone

    assert (first, desk.run_policies()) == (2, 1)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_more_than_a_batch_of_orders_is_invoiced_in_one_round(desk: Desk) -> None:
    for number in range(120):
        order_id, customer_id = f"ord_{number:03}", f"cus_{number:03}"
        desk.leave(
            order_of({"1": (1, "10.00")}, invoicing="weekly", order_id=order_id, customer_id=customer_id),
            f"shp_{number}",
            {"1": 1},
        )
    desk.now = at(date(2026, 3, 9))

    assert desk.run_policies() == 120
    assert desk.violations() == {}


def test_the_queue_is_filtered_and_paged(desk: Desk) -> None:
    for number, policy in enumerate(("weekly", "manual", "weekly", "monthly")):
        order = order_of(
            {"1": (1, "10.00")}, order_id=f"ord_{number}", customer_id=f"cus_{number % 2}", invoicing=policy
        )
        desk.leave(order, f"shp_{number}", {"1": 1})

    assert [one.shipment_id for one in desk.billable(policy="weekly")] == ["shp_0", "shp_2"]
    assert [one.shipment_id for one in desk.billable(customer_id="cus_1")] == ["shp_1", "shp_3"]
    assert [one.shipment_id for one in desk.billable(order_ids=["ord_3"])] == ["shp_3"]
    first = desk.billing.ListBillable(pb.ListBillableRequest(limit=3), CONTEXT)
    rest = desk.billing.ListBillable(pb.ListBillableRequest(limit=3, cursor=first.next_cursor), CONTEXT)
    assert [one.shipment_id for one in (*first.shipments, *rest.shipments)] == ["shp_0", "shp_1", "shp_2", "shp_3"]
    assert (first.count, rest.next_cursor) == (4, "")


def test_the_audit_names_what_is_not_invoiced_a_day_after_it_was_due(desk: Desk) -> None:
    desk.leave(order_of({"1": (1, "10.00")}, invoicing="weekly"), "shp_1", {"1": 1})

    desk.now = at(date(2026, 3, 10))
    in_time = desk.violations()
    desk.now = at(date(2026, 3, 11))

    assert in_time == {}
    assert desk.violations() == {"billing.due_shipments_are_invoiced": ["shp_1 of SO-ord_1: invoice of 2026-03-08"]}
