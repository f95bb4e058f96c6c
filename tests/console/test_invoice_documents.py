"""Links to invoices as PDFs, and what they lead to: accounting reads all, a customer its own."""

from __future__ import annotations

import re

import pytest

from tests.billing.desk import order_of
from tests.console.money_world import MoneyWorld

LINK = re.compile(r'href="([^"]+\.pdf)"')


@pytest.mark.parametrize(
    ("role", "page"), [("accounting", "/accounting/invoices"), ("auditor", "/accounting/invoices"), ("customer", "/my")]
)
async def test_a_list_of_invoices_leads_to_each_as_a_pdf(money: MoneyWorld, role: str, page: str) -> None:
    browser = money.console.browser(role)

    links = LINK.findall((await browser.get(page)).text)
    answers = [await browser.get(link) for link in links]

    assert len(links) == 2
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.content.startswith(b"%PDF-") for answer in answers)
    assert answers[0].headers["Content-Disposition"] == 'attachment; filename="INV-000001.pdf"'
    assert answers[0].headers["Cache-Control"] == "private, no-store"
    assert "script-src 'self'" in answers[0].headers["Content-Security-Policy"]


async def test_an_order_leads_to_its_invoices_each_reader_by_a_page_of_its_own(money: MoneyWorld) -> None:
    number = money.numbers["delivered"]
    mine = (await money.console.browser("customer").get(f"/my/orders/{number}")).text
    ours = (await money.console.browser("accounting").get(f"/orders/{number}")).text
    others = (await money.console.browser("support").get(f"/orders/{number}")).text

    confirmation = f"orders/{number}/confirmation.pdf"
    assert {link.split("INV-")[0] for link in LINK.findall(mine)} == {"/my/invoices/", f"/my/{confirmation}"}
    assert {link.split("INV-")[0] for link in LINK.findall(ours)} == {
        "/accounting/invoices/",
        f"/{confirmation}",
        "/shipments/SH-1/packing-slip.pdf",
    }
    assert set(LINK.findall(others)) == {f"/{confirmation}", "/shipments/SH-1/packing-slip.pdf"}


async def test_another_companys_invoice_is_not_found(money: MoneyWorld) -> None:
    customer = money.console.browser("customer")
    theirs = money.cashier.invoice(order_of({"1": (1, "5.00")}, customer_id="cus_bolt"), "shp_bolt", {"1": 1})

    for named in (theirs.number, theirs.invoice_id, "INV-999999"):
        assert (await customer.get(f"/my/invoices/{named}.pdf")).status_code == 404
        assert (await customer.get(f"/accounting/invoices/{named}.pdf")).status_code == 403


async def test_another_companys_credit_note_is_not_found(money: MoneyWorld) -> None:
    customer = money.console.browser("customer")
    theirs = money.cashier.invoice(order_of({"1": (1, "5.00")}, customer_id="cus_bolt"), "shp_bolt", {"1": 1})
    note = money.cashier.credit(theirs.number, everything=True).credit_note

    for named in (note.number, note.credit_note_id, "CN-9999"):
        assert (await customer.get(f"/my/credit-notes/{named}.pdf")).status_code == 404
        assert (await customer.get(f"/accounting/credit-notes/{named}.pdf")).status_code == 403
