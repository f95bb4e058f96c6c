"""Paying by card in a real browser: from our pages to the provider's, which is another site, and back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.ports import free_port
from tests.billing.card_desk import DECLINED_CARD, GOOD_CARD
from tests.console import chrome
from tests.console.card_world import CardWorld, card_world
from tests.console.conftest import open_database
from tests.console.money_world import billing_database
from tests.console.test_browser import DESKTOP, LAYOUT, PHONE, at, axe, is_too_wide, violations


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chrome.chromium() as started:
        yield started


@pytest.fixture
def live(filled: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[tuple[CardWorld, str]]:
    """A console that is served as localhost, so that the provider at 127.0.0.1 is another site; and its address."""
    shutil.copy(filled[0], tmp_path / "orders.db")
    orders, cash = open_database(tmp_path / "orders.db"), billing_database(tmp_path)
    port = free_port()
    url = f"http://localhost:{port}"
    with card_world(orders, cash, tmp_path, public_url=url) as cards, chrome.served(cards.console.app, port=port):
        yield cards, url
    for database in (orders, cash):
        database.close()


def _enter(page: Page, number: str, button: str) -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_role("button", name=button).click()


def _look(page: Page) -> list[object]:
    """What is wrong with a page, in both themes and widths."""
    found: list[object] = [["too wide", page.url]] if is_too_wide(page) else []
    found += violations(page)
    page.set_viewport_size(PHONE)
    found += axe(page, LAYOUT)
    found += [["too wide on a phone", page.url]] if is_too_wide(page) else []
    page.set_viewport_size(DESKTOP)
    return found


def test_a_customer_enters_a_card_at_the_provider_and_pays_an_invoice_there(
    browser: Browser, live: tuple[CardWorld, str]
) -> None:
    cards, url = live
    invoice = cards.invoice(4)
    wrong: list[object] = []
    with at(browser, (cards.console, url), "customer", viewport=DESKTOP) as (page, said):
        page.goto(cards.page)
        wrong += _look(page)
        page.get_by_role("button", name="Enter another card…").click()
        wrong += _look(page)
        page.get_by_role("button", name="Continue to the provider’s page").click()
        _enter(page, DECLINED_CARD, "Save card")
        expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
        page.get_by_role("link", name="Back without a card").click()
        expect(page.locator("main")).to_contain_text("No card has been entered.")
        page.get_by_role("button", name="Continue to the provider’s page").click()
        _enter(page, GOOD_CARD, "Save card")
        expect(page.get_by_role("status")).to_contain_text(f"Your card is accepted. {cards.number} goes on.")
        expect(page.locator("main")).not_to_contain_text("Waiting on your card")

        page.goto("/my")
        wrong += _look(page)
        page.get_by_role("button", name=f"Pay by card… invoice {invoice.number}").click()
        expect(page.locator("main")).to_contain_text("You pay 400.00 USD")
        wrong += _look(page)
        page.get_by_role("button", name="Continue to the provider’s page").click()
        _enter(page, GOOD_CARD, "Pay")
        expect(page.get_by_role("status")).to_contain_text(f"Invoice {invoice.number} is paid by card. Thank you.")
    assert said == []
    assert wrong == [], json.dumps(wrong, indent=1)
    assert (cards.card(), cards.payments()) == ("authorized", [40_000])
