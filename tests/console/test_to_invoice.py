"""What waits for its invoice, the preview of an invoice by hand, and drafts, on the pages of accounting."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, cast

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.billing.domain.corrections import parse_limits
from services.orders.masterdata import customers
from tests.console.money_world import MoneyWorld, hidden_in, wait_for_invoices
from tests.console.test_accounting import plain
from tests.orders.desk import ACME, NOON

LIST = "/accounting/billable"


@pytest.fixture
def waiting(money: MoneyWorld) -> MoneyWorld:
    wait_for_invoices(money)
    return money


def posted(money: MoneyWorld, name: str) -> list[str]:
    """Numbers of an order's invoices."""
    request = pb.ListInvoicesRequest(order_id=money.ids[name])
    return [one.number for one in money.billing.ListInvoices(request, cast(Any, None)).invoices]


def drafts(money: MoneyWorld) -> list[pb.InvoiceDraft]:
    return list(money.billing.ListInvoiceDrafts(pb.ListInvoiceDraftsRequest(), cast(Any, None)).drafts)


async def test_the_queue_says_how_much_waits_by_which_policy_and_on_whom(waiting: MoneyWorld) -> None:
    browser = waiting.console.browser("accounting")

    page = plain((await browser.get(LIST)).text)
    weekly = plain((await browser.get(f"{LIST}?policy=weekly&customer=cus_bolt")).text)
    none = plain((await browser.get(f"{LIST}?policy=monthly")).text)
    first = plain((await browser.get("/accounting")).text)

    assert "To invoice 4 shipments" in page
    # 2 of 6 at 100.00: 200.00 with 4.00 of the freight and 20.00 tax, twice
    assert f"{waiting.numbers['edi']} Acme 2" in page
    assert "manual accounting 448.00 USD" in page
    assert "per delivery the delivery 224.00 USD" in page
    assert re.search(r"weekly the end of \w+ \d+, \d{4} 224.00 USD", page)
    assert (waiting.numbers["bolt"] in weekly, waiting.numbers["edi"] in weekly) == (True, False)
    assert "Nothing is waiting to be invoiced" in none
    assert "To invoice by hand 2" in first
    assert waiting.numbers["edi"] in first


async def test_what_waits_is_previewed_and_posted_once(waiting: MoneyWorld) -> None:
    browser, path = waiting.console.browser("accounting"), f"{LIST}/{waiting.numbers['edi']}"

    shown = (await browser.get(path)).text
    done = await waiting.confirm(browser, path, path, act="invoice")
    again = await browser.client.post(path, data={**hidden_in(shown, path), "act": "invoice"})

    seen = plain(shown)
    assert "Merchandise 400.00" in seen
    assert "Freight 8.00 Tax 10% of 400.00 40.00 Total 448.00 USD" in seen
    assert done.status_code == 303
    assert len(posted(waiting, "edi")) == 1
    assert again.status_code in (303, 409)
    notice = plain((await browser.get(done.headers["Location"])).text)
    assert f"Invoice {posted(waiting, 'edi')[0]} is posted." in notice
    assert "Nothing of this order is waiting to be invoiced" in plain((await browser.get(path)).text)


@pytest.mark.parametrize("act", ["", "discard"])
async def test_what_no_button_of_the_page_sends_invoices_nothing(waiting: MoneyWorld, act: str) -> None:
    browser, path = waiting.console.browser("accounting"), f"{LIST}/{waiting.numbers['edi']}"

    answer = await waiting.confirm(browser, path, path, act=act)

    assert answer.status_code == 422
    assert "Use a button of the page" in plain(answer.text)
    assert (posted(waiting, "edi"), drafts(waiting)) == ([], [])


async def test_one_of_two_shipments_is_ticked_and_invoiced(waiting: MoneyWorld) -> None:
    browser, path = waiting.console.browser("accounting"), f"{LIST}/{waiting.numbers['edi']}"

    one = f"{path}?shipment-shp_edi_0=yes"
    shown = plain((await browser.get(one)).text)
    await waiting.confirm(browser, one, path, act="invoice")

    assert "Total 224.00 USD" in shown
    assert len(posted(waiting, "edi")) == 1
    assert [row.shipment_id for row in waiting.cashier.billable(order_ids=[waiting.ids["edi"]])] == ["shp_edi_1"]


async def test_some_units_are_invoiced_and_the_rest_waits(waiting: MoneyWorld) -> None:
    browser, path = waiting.console.browser("accounting"), f"{LIST}/{waiting.numbers['edi']}"

    some = f"{path}?units-1=3"
    shown = (await browser.get(some)).text
    await waiting.confirm(browser, some, path, act="invoice")
    too_many = plain((await browser.get(f"{path}?units-1=2")).text)
    nonsense = plain((await browser.get(f"{path}?units-1=two")).text)

    # 3 of 6 at 100.00: half of the freight of 12.00, and 10 % tax
    assert "Total 336.00 USD" in plain(shown)
    assert "Make a draft" not in shown
    assert len(posted(waiting, "edi")) == 1
    left = [
        (row.shipment_id, row.lines[0].quantity) for row in waiting.cashier.billable(order_ids=[waiting.ids["edi"]])
    ]
    assert left == [("shp_edi_1", 1)]
    assert "1 units of line 1 wait for an invoice" in too_many
    assert "enter a whole number" in nonsense


async def test_what_somebody_else_invoiced_meanwhile_says_so_and_nothing_is_invoiced_twice(waiting: MoneyWorld) -> None:
    browser, path = waiting.console.browser("accounting"), f"{LIST}/{waiting.numbers['edi']}"
    shown = (await browser.get(path)).text
    waiting.cashier.bill_by_hand(waiting.ids["edi"], "shp_edi_0")

    refused = await browser.client.post(path, data={**hidden_in(shown, path), "act": "invoice"})

    assert f"Shipment shp_edi_0 is on invoice {posted(waiting, 'edi')[0]} already" in plain(refused.text)
    assert len(posted(waiting, "edi")) == 1


async def test_over_the_limit_it_takes_a_draft_that_another_person_approves(waiting: MoneyWorld) -> None:
    waiting.billing.limits = parse_limits("50.00 USD")
    ann, ben = waiting.console.browser("accounting", sub="ann"), waiting.console.browser("accounting", sub="ben")
    path = f"{LIST}/{waiting.numbers['edi']}"

    shown = (await ann.get(path)).text
    made = await waiting.confirm(ann, path, path, act="draft")
    draft = made.headers["Location"]
    own = (await ann.get(draft)).text
    listed = plain((await ben.get(LIST)).text)
    await waiting.confirm(ben, draft, draft, verb="approve")
    done = await waiting.confirm(ann, draft, draft, verb="post")
    ended = plain((await ben.get(draft)).text)

    assert ("Over the limit" in shown, "Post the invoice" in shown) == (True, False)
    assert "Waiting on another person in accounting" in plain(own)
    assert "Approve the draft" not in own
    assert "accounting: approval by another person" in listed
    assert done.status_code == 303
    assert [(one.state, one.made_by, one.approved_by, one.ended_by) for one in drafts(waiting)] == [
        ("posted", "ann", "ben", "ann")
    ]
    assert f"Nothing pending: it is invoice {posted(waiting, 'edi')[0]}" in ended


async def test_a_draft_is_discarded_and_its_shipments_wait_again(waiting: MoneyWorld) -> None:
    browser, path = waiting.console.browser("accounting"), f"{LIST}/{waiting.numbers['bolt']}"
    draft = (await waiting.confirm(browser, path, path, act="draft")).headers["Location"]

    held = plain((await browser.get(LIST)).text)
    done = await waiting.confirm(browser, draft, draft, verb="discard")

    assert "accounting: the draft" in held
    assert "is discarded. Its shipments wait again." in plain((await browser.get(done.headers["Location"])).text)
    assert posted(waiting, "bolt") == []
    assert "its shipments wait for another invoice" in plain((await browser.get(draft)).text)


async def test_an_auditor_reads_and_invoices_nothing(waiting: MoneyWorld) -> None:
    auditor, path = waiting.console.browser("auditor"), f"{LIST}/{waiting.numbers['edi']}"

    shown = (await auditor.get(path)).text
    refused = await auditor.client.post(path, data={"csrf": auditor.csrf, "key": "k", "shipment-shp_edi_0": "yes"})

    assert ("Total" in shown, "Post the invoice" in shown) == (True, False)
    assert "Waiting on accounting" in plain(shown)
    assert refused.status_code == 403
    assert posted(waiting, "edi") == []


async def test_a_page_that_was_spoiled_invoices_nothing(waiting: MoneyWorld) -> None:
    browser, path = waiting.console.browser("accounting"), f"{LIST}/{waiting.numbers['edi']}"
    nothing = await browser.client.post(path, data={"csrf": browser.csrf, "key": "k", "act": "invoice"})
    foreign = await browser.client.post(
        path, data={"csrf": browser.csrf, "key": "k", "act": "invoice", "shipment-shp_bolt_0": "yes"}
    )
    unknown = await browser.client.post("/accounting/drafts/draft_nobody", data={"csrf": browser.csrf, "verb": "post"})

    assert "Tick at least one shipment" in plain(nothing.text)
    assert foreign.status_code == 404
    assert unknown.status_code == 404
    assert (posted(waiting, "edi"), posted(waiting, "bolt")) == ([], [])


async def test_an_orders_page_says_when_it_is_invoiced_unless_that_is_with_each_shipment(money: MoneyWorld) -> None:
    desk = money.console.desk
    before = desk.read(desk.place(("PUMP", 1), po_number="PO-1701").order_id).order.number
    with desk.database.transaction() as session:
        customers.put_customer(session, replace(ACME, invoicing="monthly"), "root", NOON)
    after = desk.read(desk.place(("PUMP", 1), po_number="PO-1702").order_id).order.number

    ours = {one: (await money.console.browser("accounting").get(f"/orders/{one}")).text for one in (before, after)}
    theirs = {one: (await money.console.browser("customer").get(f"/my/orders/{one}")).text for one in (before, after)}

    said = "Invoices monthly, all orders on one invoice"
    assert [said in plain(page) for page in ours.values()] == [False, True]
    assert [said in plain(page) for page in theirs.values()] == [False, True]
    assert f'href="{LIST}/{after}"' in ours[after]
    assert LIST not in theirs[after]


async def test_an_orders_page_says_that_it_is_invoiced_at_order_and_leads_to_nothing_that_waits(
    money: MoneyWorld,
) -> None:
    desk = money.console.desk
    with desk.database.transaction() as session:
        customers.put_customer(session, replace(ACME, invoicing="at_order"), "root", NOON)
    number = desk.read(desk.place(("PUMP", 1), po_number="PO-1703").order_id).order.number

    ours = (await money.console.browser("accounting").get(f"/orders/{number}")).text
    theirs = (await money.console.browser("customer").get(f"/my/orders/{number}")).text

    assert ["Invoices at order, before it ships" in plain(page) for page in (ours, theirs)] == [True, True]
    assert f'href="{LIST}/{number}"' not in ours
