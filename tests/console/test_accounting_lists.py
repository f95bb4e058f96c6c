"""Lists of accounting that are longer than a page."""

from __future__ import annotations

import html
import re

from oms.types.v1 import types_pb2 as types
from tests.billing.desk import order_of
from tests.console.money_world import MoneyWorld
from tests.console.world import Browser

FIRST = re.compile(r'<th scope="row">(?:<bdi>|<a href="/invoices/[^"]+">)?([^<]+)<')


def sell(money: MoneyWorld, count: int) -> list[str]:
    """Sales that a marketplace owes and whose invoices are paid with it; their references."""
    references = [f"200 {number:03}" for number in range(count)]
    for number, reference in enumerate(references):
        sold = order_of({"1": (1, "10.00")}, order_id=f"ord_{number}", payment_method="settled_elsewhere")
        sold.number, sold.channel = f"SO-7{number:03}", "amazon"
        sold.settlement.reference, sold.settlement.is_tax_remitted = reference, False
        sold.settlement.fees.CopyFrom(types.Money(minor_units=100, currency="USD"))
        money.cashier.invoice(sold, f"shp_7{number}", {"1": 1})
    return references


async def pages(browser: Browser, path: str) -> list[list[str]]:
    """What is in the first column of each page of a list."""
    found = []
    while path:
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        found.append(FIRST.findall(answer.text))
        following = re.search(r'<p class="more"><a href="([^"]+)">Next page', answer.text)
        path = html.unescape(following.group(1)) if following else ""
    return found


async def test_pages_of_marketplace_sales_join_without_gap(money: MoneyWorld) -> None:
    sold = sell(money, 60)

    found = await pages(money.console.browser("accounting"), "/accounting/marketplaces?channel=amazon&status=open")

    assert [len(page) for page in found] == [50, 11]
    assert [*found[0], *found[1]] == ["114-22", *sold]


async def test_all_invoices_are_all_on_the_second_page_too(money: MoneyWorld) -> None:
    sell(money, 60)
    browser = money.console.browser("accounting")

    every, unpaid = (
        await pages(browser, "/accounting/invoices?status=all"),
        await pages(browser, "/accounting/invoices"),
    )

    assert [len(page) for page in every] == [50, 13]
    assert [len(page) for page in unpaid] == [2]
    assert await pages(browser, "/accounting/invoices?status=") == every


async def test_a_cursor_of_another_list_is_refused(money: MoneyWorld) -> None:
    sell(money, 60)
    browser = money.console.browser("accounting")
    shown = (await browser.get("/accounting/marketplaces")).text
    cursor = shown.partition("cursor=")[2].partition('"')[0]

    answer = await browser.get(f"/accounting/payments?cursor={cursor}")

    assert (answer.status_code, "not one of this list" in answer.text) == (422, True)
