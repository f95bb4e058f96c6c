"""Lists of accounting that are longer than a page."""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from oms.types.v1 import types_pb2 as types
from services.orders.domain.taxation import FREIGHT, TaxRate
from services.orders.masterdata import taxes
from tests.billing.desk import order_of
from tests.console.money_world import MoneyWorld
from tests.console.test_accounting import plain
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


def enter(money: MoneyWorld, *rates: TaxRate) -> None:
    with money.console.database.transaction() as session:
        for rate in rates:
            taxes.put_rate(session, rate, "ann", datetime(2026, 11, 1, tzinfo=UTC), None)


@pytest.mark.parametrize("role", ["accounting", "auditor"])
async def test_tax_rates_are_listed_by_place_category_and_day(money: MoneyWorld, role: str) -> None:
    browser, first = money.console.browser(role), date(2026, 1, 1)
    none = plain((await browser.get("/accounting/tax-rates")).text)
    enter(
        money,
        TaxRate("US", "standard", first, Decimal("0.0825"), region="TX"),
        TaxRate("US", "super_reduced", first, Decimal(0), region="TX", postal_prefix="75", reason="food & drink"),
        TaxRate("US", FREIGHT, first, None),
    )

    page = plain((await browser.get("/accounting/tax-rates")).text)

    assert "No rate is entered" in none
    assert "US all all freight as the goods Jan 1, 2026 –" in page
    assert "US TX all standard 8.25% Jan 1, 2026 –" in page
    assert "US TX 75… super reduced 0% Jan 1, 2026 food &amp; drink" in page


async def test_pages_of_tax_rates_join_without_gap(money: MoneyWorld) -> None:
    enter(
        money, *(TaxRate("US", "standard", date(2026, 1, 1), Decimal(0), postal_prefix=f"{n}") for n in range(10, 70))
    )
    browser = money.console.browser("accounting")

    found = await pages(browser, "/accounting/tax-rates")

    assert [len(page) for page in found] == [50, 10]
    assert (await browser.get("/accounting/tax-rates?cursor=x")).status_code == 422
    assert (await money.console.browser("support").get("/accounting/tax-rates")).status_code == 403
