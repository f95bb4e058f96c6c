"""The page of an invoice, and credit notes and write-offs that say what follows before their buttons are there."""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import urlencode

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.billing.domain.corrections import parse_limits
from services.orders.order import lookup
from tests.console.money_world import MoneyWorld
from tests.console.test_accounting import plain
from tests.console.world import BASE, ConsoleWorld
from tests.orders.desk import invoice

PART = "INV-000001"
"""2 units at 100.00, of which 100.00 is paid by WIRE-1."""
OPEN = "INV-000002"
"""4 units at 100.00."""
REASON = {"reason_code": "damaged", "reason": "arrived broken"}


def standing(money: MoneyWorld, number: str) -> pb.Invoice:
    request = pb.ListInvoicesRequest(number=number)
    return money.billing.ListInvoices(request, cast(Any, None)).invoices[0]


def notes(money: MoneyWorld) -> list[pb.CreditNote]:
    return list(money.billing.ListCreditNotes(pb.ListCreditNotesRequest(), cast(Any, None)).credit_notes)


def preview_of(number: str, **fields: str) -> str:
    return f"/invoices/{number}/credit/preview?{urlencode(fields)}"


async def test_an_invoice_is_shown_beside_its_journal_entries(money: MoneyWorld) -> None:
    browser = money.console.browser("auditor")

    listed = (await browser.get("/accounting/invoices?status=all")).text
    page = plain((await browser.get(f"/invoices/{PART}")).text)

    assert f'href="/invoices/{PART}"' in listed
    assert "Accounts receivable Revenue 200.00" in page
    assert "Cash Accounts receivable 100.00 payment WIRE-1" in page
    assert "INV-000002" not in page
    assert "Waiting on the customer: 100.00 USD due" in page
    assert "Credit…" not in page  # an auditor reads
    assert "Credit…" in plain((await money.console.browser("accounting").get(f"/invoices/{PART}")).text)
    assert (await browser.get("/invoices/INV-999999")).status_code == 404


async def test_a_preview_says_what_follows_before_the_button_that_credits(money: MoneyWorld) -> None:
    browser = money.console.browser("accounting", sub="ann")
    form = plain((await browser.get(f"/invoices/{PART}/credit")).text)
    preview = preview_of(PART, **{"line-1": "2"}, **REASON)

    shown = plain((await browser.get(preview)).text)
    before = notes(money)
    answer = await money.confirm(browser, preview, f"/invoices/{PART}/credit")
    page = plain((await browser.get(f"/invoices/{PART}")).text)

    assert "Can be credited" in form
    assert "Total credited 200.00 USD" in shown
    assert "Open on the invoice 100.00 USD 0.00 USD" in shown
    assert "Status partially paid credited" in shown
    assert "100.00 USD of it was paid: it is left on account" in shown
    assert before == []
    assert answer.status_code == 303
    [note] = notes(money)
    assert (note.number, note.asked_by, note.reason_code) == ("CN-1001", "ann", "damaged")
    assert "CN-1001 200.00 USD" in page
    assert "Damaged goods: arrived broken" in page
    assert "100.00 USD left on account" in page
    assert "Sales returns Accounts receivable 200.00" in page
    paper = await browser.get("/accounting/credit-notes/CN-1001.pdf")
    assert f'href="{paper.request.url.path}"' in (await browser.get(f"/invoices/{PART}")).text
    assert (paper.status_code, paper.headers["Content-Disposition"]) == (200, 'attachment; filename="CN-1001.pdf"')
    assert "Credit…" not in page


async def test_what_is_pressed_twice_is_done_once(money: MoneyWorld) -> None:
    browser = money.console.browser("accounting")
    preview = preview_of(OPEN, **{"line-1": "1"}, **REASON)
    path = f"/invoices/{OPEN}/credit"
    key = re.search(r'name="key" value="([^"]+)"', (await browser.get(preview)).text)
    assert key
    fields = {"csrf": browser.csrf, "key": key.group(1), "line-1": "1", **REASON}

    answers = [await browser.client.post(path, data=fields) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert [note.total.minor_units for note in notes(money)] == [10_000]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"line-1": "5"}, "4 can be, not 5"),
        ({"line-1": "two"}, "Units of line 1: enter a whole number"),
        ({"freight": "1.00"}, "0.00 USD of freight left"),
        ({"allowance": "400.01"}, "400.00 USD before tax left"),
        ({"allowance": "1.005"}, "too many decimals"),
        ({}, "name units, freight or an allowance"),
        ({"everything": "yes", "line-1": "1"}, "one of both"),
        ({"line-1": "1", "reason": ""}, "Reason: must not be empty"),
        ({"line-9": "1"}, "has no line 9"),
        ({"line-": "1"}, "Credit note: must"),
        ({"line-<b>": "1"}, "Credit note: must"),
        ({"line-" + "9" * 65: "1"}, "Credit note: must"),
    ],
)
async def test_what_cannot_be_credited_is_said_on_the_form_that_keeps_what_was_typed(
    money: MoneyWorld, fields: dict[str, str], sentence: str
) -> None:
    browser = money.console.browser("accounting")
    came_from = {"Referer": f"{BASE}/invoices/{OPEN}/credit"}

    answer = await browser.client.get(preview_of(OPEN, **{**REASON, **fields}), headers=came_from)

    assert answer.status_code >= 400
    assert sentence in plain(answer.text)
    assert "Preview credit note" in answer.text
    assert f'name="freight" value="{fields.get("freight", "")}"' in answer.text
    assert notes(money) == []


async def test_what_is_open_is_written_off_with_a_reason(money: MoneyWorld) -> None:
    browser = money.console.browser("accounting")
    path = f"/invoices/{OPEN}/write-off"

    shown = plain((await browser.get(path)).text)
    answer = await money.confirm(browser, path, path, reason="insolvent")
    page = plain((await browser.get(answer.headers["Location"])).text)

    assert "Open on the invoice 400.00 USD 0.00 USD" in shown
    assert "Written off 0.00 USD 400.00 USD" in shown
    assert answer.status_code == 303
    assert standing(money, OPEN).status == "written_off"
    assert "What was open of INV-000002 is written off." in page
    assert "Bad debt Accounts receivable 400.00" in page
    assert "Write off…" not in page


async def test_over_the_limit_another_person_decides_on_a_page_that_says_what_follows(money: MoneyWorld) -> None:
    money.billing.limits = parse_limits("50.00 USD")
    ann, ben = money.console.browser("accounting", sub="ann"), money.console.browser("accounting", sub="ben")
    preview = preview_of(OPEN, **{"line-1": "1"}, **REASON)

    asked = await money.confirm(ann, preview, f"/invoices/{OPEN}/credit")
    page = plain((await ann.get(asked.headers["Location"])).text)
    listed = (await ben.get("/accounting/corrections")).text
    link = re.search(r'href="(/accounting/corrections/corr_[^"]+)"', listed)
    assert link
    shown, own = plain((await ben.get(link.group(1))).text), plain((await ann.get(link.group(1))).text)
    before = notes(money)
    made = await money.confirm(ben, link.group(1), link.group(1), decision="approve")
    decided = plain((await ben.get(link.group(1))).text)

    assert "another person in accounting decides before it is made" in plain((await ann.get(preview)).text)
    assert "the credit note of 100.00 USD" in page
    assert "Credit…" not in page
    assert "Credit note of INV-000002" in plain(listed)
    assert "Total credited 100.00 USD" in shown
    assert "Approve the credit note" in shown
    assert "you asked for it yourself" in own
    assert (before, made.status_code) == ([], 303)
    [note] = notes(money)
    assert (note.asked_by, note.approved_by) == ("ann", "ben")
    assert "the correction is made" in decided


async def test_a_customer_sees_its_credit_notes_with_the_invoice(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    desk, number = world.desk, numbers["delivered"]
    with desk.database.reading() as session:
        order_id = lookup.find_id(session, number)
    bill = invoice("INV-8", 83_013) | {"open_minor": 73_013, "status": "open", "credited_minor": 10_000}
    fact = {
        "credit_note_id": "cn_1",
        "number": "CN-1001",
        "amount_minor": 10_000,
        "currency": "USD",
        "reason": "arrived broken",
        "invoice": bill,
    }
    world.billing.invoice(bill["invoice_id"], "cus_acme", 83_013).order_id = order_id
    request = pb.CreditInvoiceRequest(request_id="1", invoice=bill["invoice_id"], reason="arrived broken")
    request.allowance.minor_units, request.allowance.currency = 10_000, "USD"
    world.billing.CreditInvoice(request)
    desk.notify(desk.fact(order_id, "billing", "invoice_credited", 9, fact))

    pages = {
        role: (await world.browser(role).get(f"{page}/{number}")).text
        for role, page in (("customer", "/my/orders"), ("accounting", "/orders"), ("support", "/orders"))
    }
    own, ours = plain(pages["customer"]), plain(pages["accounting"])
    paper = await world.browser("customer").get("/my/credit-notes/CN-1001.pdf")
    world.billing.is_away = True
    alone = plain((await world.browser("customer").get(f"/my/orders/{number}")).text)

    assert 'href="/my/credit-notes/CN-1001.pdf"' in pages["customer"]
    assert 'href="/accounting/credit-notes/CN-1001.pdf"' in pages["accounting"]
    assert "credit-notes/CN-1001.pdf" not in pages["support"]
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
    assert "Credit note CN-1001 100.00 USD PDF of credit note CN-1001 dated Dec 1, 2026: arrived broken" in own
    assert "Credited 100.00" in own
    assert "Credited INV-8 : 100.00 USD, by CN-1001" in ours
    assert "credited 100.00" in alone
