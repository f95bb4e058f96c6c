"""Deposit invoices on the pages of accounting, of an order, and of its customer."""

from __future__ import annotations

import pytest

from services.orders.order import lookup
from tests.billing.test_deposit_invoices import make, with_deposit
from tests.console.money_world import MoneyWorld
from tests.console.test_accounting import plain
from tests.console.world import ConsoleWorld


async def test_accounting_lists_deposit_invoices_with_what_became_of_them(money: MoneyWorld) -> None:
    browser, cashier = money.console.browser("accounting"), money.cashier
    empty = (await browser.get("/accounting/deposit-invoices")).text
    order = with_deposit(cashier, order_id="ord_c", tax_rate="0.1")
    paid = cashier.pay(44_000, "WIRE-9", orders={"ord_c": 44_000})
    make(cashier)
    cashier.refund(paid.payment_id, 11_000, "ord_c")
    bill = cashier.invoice(order, "shp_c", {"1": 1})

    page = await browser.get("/accounting/deposit-invoices?customer=cus_acme")
    invoice = plain((await browser.get(f"/invoices/{bill.number}")).text)
    paper = await browser.get("/accounting/deposit-invoices/DI-1001.pdf")

    assert "No deposit invoice matches" in empty
    # 440.00 of which 110.00 is credited and 110.00 deducted
    assert "DI-1001 PDF of DI-1001 Acme SO-ord_c" in plain(page.text)
    assert f"440.00 USD 40.00 220.00 {bill.number}" in plain(page.text)
    assert "110.00 USD 10.00 – credit note of DI-1001: The deposit is refunded." in plain(page.text)
    assert "Tax payable Tax on deposits 10.00 DI-1001 deducted from" in invoice
    assert "Paid 110.00 of it deposit DI-1001 110.00 Open 0.00" in invoice
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")


async def test_an_order_shows_its_deposit_invoices_to_its_customer_and_to_us(world: ConsoleWorld) -> None:
    desk = world.desk
    number = desk.place(("PUMP", 3), payment_method="deposit", deposit_terms="30%").number
    with desk.database.reading() as session:
        order_id = lookup.find_id(session, number)
    made = world.billing.deposit("cus_acme", order_id=order_id)
    world.billing.deposit("cus_acme", order_id=order_id, corrects=made.number)
    detail = {
        "deposit_invoice_id": "dep_1", "number": "DI-1001", "amount_minor": 33_000, "tax_minor": 3000, "currency": "USD"
    }  # fmt: skip
    desk.notify(desk.fact(order_id, "billing", "deposit_invoiced", 9, detail))

    pages = {
        role: (await world.browser(role).get(f"{page}/{number}")).text
        for role, page in (("customer", "/my/orders"), ("accounting", "/orders"), ("support", "/orders"))
    }
    own, ours = plain(pages["customer"]), plain(pages["accounting"])
    paper = await world.browser("customer").get("/my/deposit-invoices/DI-1001.pdf")
    world.billing.is_away = True
    alone = plain((await world.browser("customer").get(f"/my/orders/{number}")).text)

    assert "Deposit invoice DI-1001 330.00 USD PDF of DI-1001 dated Dec 1, 2026 · 30.00 of it is tax" in own
    assert "Credit note DC-1002 330.00 USD" in own
    assert "of deposit invoice DI-1001: check bounced" in own
    assert 'href="/my/deposit-invoices/DI-1001.pdf"' in pages["customer"]
    assert 'href="/accounting/deposit-invoices/DI-1001.pdf"' in pages["accounting"]
    assert "deposit-invoices/DI-1001.pdf" not in pages["support"]
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
    assert "Deposit invoiced DI-1001: 330.00 USD" in ours
    assert "DI-1001" not in alone


@pytest.mark.parametrize("role", ["support", "warehouse", "sales_rep"])
async def test_others_do_not_open_the_list(world: ConsoleWorld, role: str) -> None:
    assert (await world.browser(role).get("/accounting/deposit-invoices")).status_code == 403
