"""Issuing invoices through the service, on both databases."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import AlreadyExists, NotFound, Refused
from services.runtime.db import Database
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.threads import at_once


def test_a_shipment_has_one_invoice_under_any_request_id_and_whatever_the_order_says_later(desk: Desk) -> None:
    order = order_of({"1": (5, "10.00")})

    first = desk.invoice(order, "shp_1", {"1": 2}, request_id="order/ord_1/invoice/shp_1")
    order.phase, order.version = "closed", 3
    again = desk.invoice(order, "shp_1", {"1": 2}, request_id="order/ord_1/invoice/shp_1")
    other = desk.invoice(order, "shp_1", {"1": 2}, request_id="by hand")

    assert first == again == other
    assert desk.balances() == {"accounts_receivable": 2000, "revenue": -2000}
    assert len(desk.facts("invoice_issued")) == 1
    assert desk.violations() == {}


def test_a_request_id_of_another_shipment_is_refused(desk: Desk) -> None:
    order = order_of({"1": (5, "10.00")})
    desk.invoice(order, "shp_1", {"1": 2}, request_id="same")

    with pytest.raises(AlreadyExists):
        desk.invoice(order, "shp_2", {"1": 2}, request_id="same")


@pytest.mark.on_postgres
def test_parallel_requests_for_one_shipment_issue_one_invoice(desk: Desk) -> None:
    order = order_of({"1": (5, "10.00")})

    issued = at_once(
        [partial(desk.invoice, order, "shp_1", {"1": 5}, request_id=f"r{n}") for n in range(16)], threads=8
    )

    assert len({each.invoice_id for each in issued}) == 1
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_parallel_shipments_of_one_order_sum_to_it(desk: Desk) -> None:
    order = order_of({"1": (10, "33.33")}, discount=1001, freight=777, tax_rate="0.0725")

    issued = at_once(
        [partial(desk.invoice, order, f"shp_{n}", {"1": 1}, request_id=f"r{n}") for n in range(10)], threads=8
    )

    assert sum(each.total.minor_units for each in issued) == order.total.minor_units
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_fifty_parallel_invoices_are_numbered_without_a_gap_even_when_some_are_refused(desk: Desk) -> None:
    def issue(number: int) -> str:
        order = order_of({"1": (1, "10.00")}, order_id=f"ord_{number}", customer_id=f"cus_{number % 7}")
        try:
            # every fifth asks for more than was ordered
            units = 2 if number % 5 == 0 else 1
            return desk.invoice(order, f"shp_{number}", {"1": units}, request_id=f"r{number}").number
        except Refused:
            return ""

    numbers = at_once([partial(issue, number) for number in range(50)])

    assert sorted(filter(None, numbers)) == [f"INV-{number:06d}" for number in range(1, 41)]
    assert desk.violations() == {}


def test_a_number_comes_back_when_its_invoice_is_not_stored(desk: Desk, database: Database) -> None:
    order = order_of({"1": (2, "10.00")})
    desk.invoice(order, "shp_1", {"1": 1})

    class PowerCut(Exception):
        pass

    def fail() -> datetime:
        raise PowerCut

    desk.billing.clock = fail
    with pytest.raises(PowerCut):
        desk.invoice(order, "shp_2", {"1": 1}, request_id="r")
    desk.billing.clock = lambda: desk.now

    assert desk.invoice(order, "shp_2", {"1": 1}, request_id="r").number == "INV-000002"
    assert desk.violations() == {}


def test_billing_more_than_was_ordered_is_refused_and_leaves_nothing(desk: Desk) -> None:
    order = order_of({"1": (3, "10.00")})
    desk.invoice(order, "shp_1", {"1": 2})

    with pytest.raises(Refused) as refusal:
        desk.invoice(order, "shp_2", {"1": 2})

    assert refusal.value.reason == "INVOICED_MORE_THAN_ORDERED"
    assert desk.balances()["accounts_receivable"] == 2000
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_a_free_shipment_is_invoiced_and_paid_at_once(desk: Desk) -> None:
    invoice = desk.invoice(order_of({"1": (1, "0")}), "shp_1", {"1": 1})

    assert (invoice.total.minor_units, invoice.status) == (0, "paid")
    assert desk.balances() == {}
    assert desk.violations() == {}


def test_the_fact_counts_what_is_invoiced_so_far_over_the_whole_order(desk: Desk) -> None:
    order = order_of({"1": (3, "10.00"), "2": (1, "5.00")})
    desk.invoice(order, "shp_1", {"1": 2})
    second = desk.invoice(order, "shp_2", {"1": 1, "2": 1})

    first_fact, second_fact = desk.facts("invoice_issued")

    assert first_fact["lines"] == {"1": {"invoiced": 2}}
    assert second_fact["lines"] == {"1": {"invoiced": 3}, "2": {"invoiced": 1}}
    assert second_fact["invoice"] == {
        "invoice_id": second.invoice_id,
        "number": "INV-000002",
        "shipment_id": "shp_2",
        "shipment_ids": [],
        "reversed_parts": [],
        "merchandise_minor": 1500,
        "discount_minor": 0,
        "freight_minor": 0,
        "tax_minor": 0,
        "total_minor": 1500,
        "paid_minor": 0,
        "written_off_minor": 0,
        "open_minor": 1500,
        "currency": "USD",
        "invoiced_on": "2026-03-02",
        "due_on": "2026-04-01",
        "status": "open",
        "discount_taken_minor": 0,
        "early_discount_minor": 0,
        "discount_until": "",
        "installments": [],
        "tax_parts": [
            {
                "key": "Z 0",
                "code": "Z",
                "rate": "0",
                "reason": "",
                "merchandise_minor": 1500,
                "discount_minor": 0,
                "freight_minor": 0,
                "tax_minor": 0,
            }
        ],
        "credited_minor": 0,
        "fee_id": "",
        "consolidated_id": "",
    }


def test_the_invoice_date_is_the_day_it_left(desk: Desk) -> None:
    order = order_of({"1": (1, "10.00")}, net_days=10)

    invoice = desk.invoice(order, "shp_1", {"1": 1}, shipped_at=datetime(2026, 2, 27, 23, 59, tzinfo=UTC))

    assert (invoice.invoiced_on, invoice.due_on) == ("2026-02-27", "2026-03-09")


@pytest.mark.on_postgres
def test_invoices_are_listed_by_number_in_pages_and_by_filter(desk: Desk) -> None:
    for number in range(5):
        order = order_of({"1": (1, "10.00")}, order_id=f"ord_{number}", customer_id=f"cus_{number % 2}")
        desk.invoice(order, f"shp_{number}", {"1": 1})
    desk.pay(1000, "BANK-1", customer_id="cus_1")

    def listed(**filters: Any) -> list[str]:
        answer = desk.billing.ListInvoices(pb.ListInvoicesRequest(**filters), CONTEXT)
        return [each.number[-1] for each in answer.invoices]

    page = desk.billing.ListInvoices(pb.ListInvoicesRequest(limit=3), CONTEXT)
    rest = desk.billing.ListInvoices(pb.ListInvoicesRequest(limit=3, cursor=page.next_cursor), CONTEXT)

    assert [each.number[-1] for each in page.invoices] == ["1", "2", "3"]
    assert [each.number[-1] for each in rest.invoices] == ["4", "5"]
    assert rest.next_cursor == ""
    assert listed(customer_id="cus_1") == ["2", "4"]
    assert listed(order_id="ord_3") == ["4"]
    assert listed(number="INV-000003") == ["3"]
    assert listed(number="INV-000003", customer_id="cus_1") == []
    assert listed(status="paid") == ["2"]
    assert listed(status="open", customer_id="cus_1") == ["4"]
    assert listed(status="part_paid") == []


def test_an_unknown_invoice_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.invoice_now("inv_none")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.on_postgres
def test_the_ledger_balance_after_any_sequence(desk: Desk, database: Database, seed: int) -> None:
    chance = random.Random(seed)
    desk.limit(200_000, "cus_0")
    desk.limit(100_000, "cus_1")
    orders = [
        order_of(
            {"1": (chance.randint(1, 9), f"{chance.randint(0, 9999) / 100:.2f}"), "2": (3, "0.333333")},
            order_id=f"ord_{number}",
            customer_id=f"cus_{number % 3}",
            payment_method=chance.choice(["terms", "prepaid"]),
            freight=chance.randint(0, 3000),
            discount=chance.randint(0, 1),
            tax_rate="0.0825",
        )
        for number in range(6)
    ]
    for step in range(60):
        order = chance.choice(orders)
        match chance.choice(["commit", "release", "invoice", "pay", "move"]):
            case "commit":
                is_forced = chance.random() < 0.2
                asked = partial(desk.adjust, is_forced=True) if is_forced else desk.commit
                asked(
                    order.order_id,
                    order.total.minor_units,
                    customer_id=order.customer_id,
                    method=order.payment_method,
                )
            case "release":
                desk.release(order.order_id)
            case "invoice":
                with suppress(Refused):  # more than was ordered
                    desk.invoice(order, f"shp_{step}", {chance.choice("12"): chance.randint(1, 3)})
            case "pay":
                desk.pay(chance.randint(1, 20_000), f"BANK-{step}", customer_id=order.customer_id)
            case "move":
                kind = chance.choice(["stock_received", "stock_issued", "stock_adjusted"])
                value = chance.randint(-500 if kind == "stock_adjusted" else 0, 500)
                desk.move(f"fact_{chance.randint(0, 9)}", kind, value)

    assert sum(desk.balances().values()) == 0
    assert desk.violations() == {}
    with database.reading() as session:
        assert session.execute(text("SELECT COUNT(*) FROM journal_entry")).scalar_one() > 10
