"""No statement of an order's money reads a table of billing from end to end, nor all that a customer ever paid."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from oms.billing.v1 import billing_pb2 as pb
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.order_desk import accept, at_order
from tests.billing.test_deposit_invoices import listed, make, with_deposit
from tests.plans import recorded, scans, steps


def live(desk: Desk) -> dict[str, Any]:
    """What an order and its payment ask the database; before it there is cash for an order to come."""
    statements = recorded(desk.database)
    desk.limit(1_000_000)
    desk.pay(500, "BANK-1")
    desk.commit("ord_1", 2500)
    desk.adjust("ord_1", 2400)
    desk.adjust("ord_1", 2500)
    invoice = desk.invoice(order_of({"1": (2, "12.50")}), "shp_1", {"1": 2})
    desk.move("fact_1", "stock_issued", 1400, order_id="ord_1")
    desk.pay(2000, "BANK-2", to={invoice.invoice_id: 2000})
    desk.invoice_now(invoice.invoice_id)
    desk.billing.ListInvoices(pb.ListInvoicesRequest(order_id="ord_1"), CONTEXT)
    desk.billing.ListInvoices(pb.ListInvoicesRequest(status="open"), CONTEXT)
    desk.release("ord_1")
    return statements


def test_no_statement_of_an_orders_money_reads_a_whole_table(desk: Desk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("PostgreSQL reads small tables from end to end whatever their indexes")

    statements = live(desk)

    assert len(statements) > 25
    assert scans(desk.database, statements, small={"held_for_orders"}) == []  # what order_deposit_held finds


def test_what_is_to_be_invoiced_is_found_without_what_is_invoiced(desk: Desk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("as above")
    statements = recorded(desk.database)
    order = order_of({"1": (9, "12.50")}, invoicing="weekly")
    for number in range(4):
        desk.leave(order, f"shp_{number}", {"1": 1})
    desk.billable()
    desk.billable(order_ids=["ord_1"])
    desk.deliver("shp_0", desk.now)
    desk.bill_by_hand("ord_1", "shp_0")
    draft = desk.draft("ord_1", "shp_1")
    desk.move_draft(draft.draft_id, "approve")
    desk.move_draft(draft.draft_id, "post")
    desk.move_draft(desk.draft("ord_1", "shp_2").draft_id, "discard")
    desk.drafts("open")
    desk.now += timedelta(days=7)
    desk.run_policies()

    assert desk.billable() == []
    asked = dict(statements)  # what is explained is recorded, too
    assert scans(desk.database, asked, small={"held_for_orders"}) == []
    planned = {step for each in steps(desk.database, asked).values() for step in each}
    assert {name for name in ("due", "of_invoice", "of_draft", "of_order") if any(f"billable_shipment_{name}" in step for step in planned)} == {
        "due", "of_invoice", "of_draft", "of_order",
    }  # fmt: skip
    assert any("invoice_draft_open" in step for step in planned)


def test_cash_left_over_and_open_invoices_are_found_by_indexes_of_those_alone(desk: Desk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("as above")
    statements = live(desk)

    planned = [step for each in steps(desk.database, statements).values() for step in each]

    assert any("payment_with_cash_left" in step for step in planned)
    assert any("invoice_open" in step for step in planned)
    assert any("order_deposit_held" in step for step in planned)


def test_orders_to_invoice_are_found_without_those_that_are_invoiced(desk: Desk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("as above")
    statements = recorded(desk.database)
    order = at_order({"1": (3, "12.50")})
    accept(desk, order)
    for number in range(2):
        desk.leave(order, f"shp_{number}", {"1": 1})
    desk.billable(order_ids=["ord_1"])
    desk.credit("INV-000001", {"1": 1})
    desk.release("ord_1")

    asked = dict(statements)  # what is explained is recorded, too
    assert scans(desk.database, asked, small={"held_for_orders"}) == []
    planned = {step for each in steps(desk.database, asked).values() for step in each}
    for index in ("order_to_invoice_due", "revenue_recognition_of_order"):
        assert any(index in step for step in planned), index


def test_deposits_to_invoice_are_found_by_what_is_held(desk: Desk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("as above")
    statements = recorded(desk.database)
    order = with_deposit(desk, tax_rate="0.1")
    payment = desk.pay(33_000, "BANK-1", orders={order.order_id: 33_000})
    make(desk)
    listed(desk, order_id=order.order_id)
    listed(desk, customer_id="cus_acme")
    desk.refund(payment.payment_id, 11_000, order.order_id)
    desk.invoice_now(desk.invoice(order, "shp_1", {"1": 10}).invoice_id)

    asked = dict(statements)  # what is explained is recorded, too
    assert scans(desk.database, asked, small={"held_for_orders", "h"}) == []  # what order_deposit_held finds
    planned = {step for each in steps(desk.database, asked).values() for step in each}
    for index in (
        "deposit_invoice_of_order",
        "deposit_invoice_of_customer",
        "deposit_deduction_of_invoice",
    ):
        assert any(index in step for step in planned), index
