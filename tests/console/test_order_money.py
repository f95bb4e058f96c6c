"""An order's money on its page, on its hold's page and on its customer's, and what a customer owes."""

from __future__ import annotations

import re

import pytest

from tests.billing.desk import order_of
from tests.console.money_world import MoneyWorld
from tests.console.test_accounting import plain
from tests.console.test_acts import hold_id
from tests.console.world import Browser, ConsoleWorld


async def test_an_orders_page_says_what_is_held_missing_and_since_when(money: MoneyWorld) -> None:
    page = plain((await money.console.browser("accounting").get(f"/orders/{money.numbers['held']}")).text)

    assert "Waiting on the customer’s cash : 300.00 missing · since" in page
    assert "Committed, not invoiced 0.00 Invoiced 0.00 Paid 0.00 Due 0.00" in page
    assert "Record a payment…" in page


@pytest.mark.parametrize(("role", "sees"), [("support", True), ("approver", False), ("admin", False)])
async def test_what_is_committed_is_shown_to_who_may_ask_for_it(money: MoneyWorld, role: str, sees: bool) -> None:
    money.cashier.commit(money.ids["delivered"], 12_300)

    page = plain((await money.console.browser(role).get(f"/orders/{money.numbers['delivered']}")).text)

    assert ("Committed, not invoiced 123.00" in page, "123.00" in page) == (sees, sees)
    assert "Invoiced 276.71 Paid 276.71 Due 0.00" in page


async def test_an_orders_page_says_what_is_due_when(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = plain((await world.browser("support").get(f"/orders/{numbers['shipping']}")).text)

    assert "Invoiced 830.13 Paid 0.00 Due 830.13 INV-8, due" in page


async def test_an_orders_page_stands_without_billing(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    world.billing.is_away = True

    answer = await world.browser("support").get(f"/orders/{numbers['shipping']}")

    assert answer.status_code == 200
    assert "Billing does not answer" in answer.text
    assert "830.13" in answer.text


async def test_a_hold_on_money_shows_the_orders_own_cash(money: MoneyWorld) -> None:
    page = f"/orders/{money.numbers['held']}/holds/{hold_id(money.console, money.numbers['held'], 'accounting')}"

    shown = plain((await money.console.browser("accounting", sub="abe").get(page)).text)

    assert "Has come 200.00 Missing before its goods leave 300.00" in shown
    assert "It is waiting for the customer’s cash since" in shown


async def test_a_customer_reads_what_is_to_be_paid_before_its_order_ships(money: MoneyWorld) -> None:
    page = plain((await money.console.browser("customer").get(f"/my/orders/{money.numbers['held']}")).text)

    assert "Waiting on your payment: 300.00 USD before we ship." in page


async def test_a_customer_reads_its_balance_and_open_invoices_and_nobody_elses(money: MoneyWorld) -> None:
    page = plain((await money.console.browser("customer").get("/my")).text)
    bolt = plain((await money.console.browser("customer", sub="bob", company="cus_bolt").get("/my")).text)

    assert "Open: 500.00 USD , of it 100.00 USD overdue" in page
    assert "Open USD 500.00 Of it overdue 100.00 Paid in advance or not applied yet 275.00" in page
    assert f"INV-000001 {money.numbers['delivered']}" in page
    assert "overdue 200.00 USD 100.00 USD" in page
    assert "400.00 USD 400.00 USD" in page
    assert ("INV-000001" in bolt, "Paid in advance or not applied yet 40.00" in bolt) == (False, True)


async def test_a_balance_leads_to_the_orders_that_open_and_names_those_of_others(money: MoneyWorld) -> None:
    of_bolt = order_of({"1": (1, "70.00")}, order_id=money.ids["bolt"], customer_id="cus_bolt")
    of_bolt.number, of_bolt.bill_to_id = money.numbers["bolt"], "cus_acme"
    money.cashier.invoice(of_bolt, "shp_70", {"1": 1})
    browser = money.console.browser("customer")

    page = (await browser.get("/my")).text
    links = set(re.findall(r'href="(/my/orders/[^"/]+)"', page.partition('id="h-balance"')[2]))

    assert f"{money.numbers['bolt']} " in plain(page).partition("Your open invoices")[2]
    assert links == {f"/my/orders/{money.numbers['delivered']}"}
    assert [(await browser.get(link)).status_code for link in links] == [200]


async def test_more_open_invoices_than_the_page_has_are_called_the_oldest(
    money: MoneyWorld,
) -> None:
    browser = money.console.browser("customer")
    late = order_of({"1": (200, "1.00")}, order_id=money.ids["delivered"], net_days=60)
    soon = order_of({"1": (200, "1.00")}, order_id=money.ids["delivered"], net_days=1)
    money.cashier.invoice(late, "shp_late", {"1": 1})
    for number in range(97):
        money.cashier.invoice(soon, f"shp_soon_{number}", {"1": 1})

    shown = await _open_invoices(browser)
    money.cashier.invoice(soon, "shp_one_more", {"1": 1})
    more = await _open_invoices(browser)

    assert (shown.count("INV-"), more.count("INV-")) == (100, 100)
    assert shown.startswith("Your open invoices, the first due first")
    assert "These are the oldest" not in shown
    assert more.startswith("Your oldest open invoices, the first due first")
    assert "These are the oldest 100 of your open invoices." in more
    assert [page.index("INV-000005") < page.index("INV-000004") for page in (shown, more)] == [True, True]


async def _open_invoices(browser: Browser) -> str:
    """The page of a customer from the caption of its open invoices on."""
    page = plain((await browser.get("/my")).text)
    return page[page.index("Your o", page.index("Of it overdue")) :]


async def test_a_customers_page_stands_without_billing(world: ConsoleWorld) -> None:
    world.billing.is_away = True

    answer = await world.browser("customer").get("/my")

    assert (answer.status_code, "Your balance cannot be shown right now" in answer.text) == (200, True)
