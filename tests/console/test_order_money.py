"""An order's money on its page, on its hold's page and on its customer's, and what a customer owes."""

from __future__ import annotations

import pytest

from tests.console.money_world import MoneyWorld
from tests.console.test_accounting import plain
from tests.console.test_acts import hold_id
from tests.console.world import ConsoleWorld


async def test_an_orders_page_says_what_is_held_missing_and_since_when(money: MoneyWorld) -> None:
    page = plain((await money.console.browser("accounting").get(f"/orders/{money.numbers['held']}")).text)

    assert "Waiting on the customer’s cash : 300.00 missing · since" in page
    assert "Committed, not invoiced 0.00 Held for this order 0.00" not in page
    assert "Record a payment…" in page


@pytest.mark.parametrize(("role", "sees"), [("support", True), ("approver", False), ("admin", False)])
async def test_what_is_committed_is_shown_to_who_may_ask_for_it(money: MoneyWorld, role: str, sees: bool) -> None:
    page = (await money.console.browser(role).get(f"/orders/{money.numbers['held']}")).text

    assert ("Committed, not invoiced" in page) == sees
    assert "Invoiced" in page


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
    assert "Paid in advance or not applied yet 275.00" in page
    assert "INV-000001" in page
    assert "overdue 200.00 USD 100.00 USD" in page
    assert ("INV-000001" in bolt, "40.00" in bolt) == (False, True)


async def test_a_customers_page_stands_without_billing(world: ConsoleWorld) -> None:
    world.billing.is_away = True

    answer = await world.browser("customer").get("/my")

    assert (answer.status_code, "Your balance cannot be shown right now" in answer.text) == (200, True)
