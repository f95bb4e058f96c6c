"""The one invoice of several orders on pages: a row, a total and a PDF of it, and a page of each order's share."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oms.billing.v1 import billing_pb2 as pb
from tests.billing.desk import CONTEXT, order_of
from tests.console.money_world import MoneyWorld
from tests.console.test_accounting import plain


@pytest.fixture
def one(money: MoneyWorld) -> pb.Invoice:
    """An invoice of 100.00 and 200.00 over two orders of Acme."""
    for units, name in enumerate(("held", "backordered"), 1):
        order = order_of({"1": (units, "100.00")}, order_id=money.ids[name], invoicing="weekly")
        order.number, order.po_number = money.numbers[name], f"PO-{units}"
        money.cashier.leave(order, f"shp_together_{units}", {"1": units}, shipped_at=money.cashier.now)
    money.cashier.now += timedelta(days=8)
    money.cashier.run_policies()
    return next(found for found in money.cashier.listed() if found.shares)


async def test_the_list_has_it_once_and_its_page_its_orders(money: MoneyWorld, one: pb.Invoice) -> None:
    browser = money.console.browser("accounting")

    row = plain((await browser.get(f"/accounting/invoices?number={one.number}")).text)
    page = plain((await browser.get(f"/invoices/{one.number}")).text)

    assert f"{one.number} PDF of invoice {one.number} Acme 2 orders" in row
    assert "300.00 USD" in row
    for share in one.shares:
        assert f"{share.order_number} {share.po_number} {share.total.minor_units // 100}.00" in page
    assert sorted(share.total.minor_units for share in one.shares) == [10_000, 20_000]
    assert "Each order’s share posted its own" in page
    assert "Credit…" not in page


async def test_a_share_has_a_page_of_its_own_where_it_is_credited(money: MoneyWorld, one: pb.Invoice) -> None:
    browser, share = money.console.browser("accounting"), one.shares[1]
    path = f"/invoices/{share.invoice_id}"

    page = plain((await browser.get(path)).text)
    asked = f"{path}/credit/preview?everything=yes&reason=billed+twice&reason_code=billing_error"
    done = await money.confirm(browser, asked, f"{path}/credit")

    assert "This is the share of one order" in page
    assert f"{one.number} Acme · {share.order_number}" in page
    assert "accounts receivable" in page.lower()
    assert done.headers["Location"].startswith(path)
    (note,) = money.billing.ListCreditNotes(pb.ListCreditNotesRequest(invoice_id=one.number), CONTEXT).credit_notes
    assert (note.order_number, note.total.minor_units) == (share.order_number, share.total.minor_units)


async def test_its_customer_sees_one_balance_line_with_its_orders(money: MoneyWorld, one: pb.Invoice) -> None:
    page = plain((await money.console.browser("customer").get("/my")).text)

    orders = " , ".join(share.order_number for share in one.shares)
    assert f"{one.number} {orders}" in page
    assert (await money.console.browser("customer").get(f"/my/invoices/{one.number}.pdf")).content.startswith(b"%PDF-")


async def test_it_is_paid_by_its_number(money: MoneyWorld, one: pb.Invoice) -> None:
    browser = money.console.browser("accounting")
    path = "/accounting/payments/new?customer=cus_acme"

    form = plain((await browser.get(path)).text)
    left = money.cashier.invoice_now(one.invoice_id).open.minor_units  # cash that was there has paid some
    money.cashier.pay(left, "WIRE-300", to={one.number: left})
    payment = money.cashier.payments()[-1]
    shown = plain((await browser.get(f"/accounting/payments/{payment.payment_id}")).text)

    assert f"Invoice {one.number} 2 orders" in form
    paid = [share.order_number for share in one.shares if share.open.minor_units]
    assert all(f"{one.number} {number}" in shown for number in paid)
    assert money.cashier.invoice_now(one.invoice_id).status == "paid"
