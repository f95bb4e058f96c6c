"""A4 as people live it: each in a browser of their own, with script; the proof does it without, as tests/console does all along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console import chrome
from tests.system.deal import acceptances, strike
from tests.system.desks import Desks
from tests.system.harness import System
from tests.system.trade import PATIENCE_S, Trade


@pytest.fixture(scope="module")
def system(moving: System) -> System:
    return moving


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_S * 1000)
    with chrome.chromium() as started:
        yield started


def open_review(page: Page, desks: Desks, number: str) -> None:
    """From the inbox to the page that decides."""
    page.goto("/reviews")
    desks.inspect(page)
    page.locator("main").get_by_role("link", name=number, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(number)
    desks.inspect(page)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("moving", ["sqlite"], indirect=True)  # the pages know no database
@pytest.mark.parametrize(
    "has_script", [pytest.param(True, id="script"), pytest.param(False, id="plain", marks=pytest.mark.prove)]
)
def test_a4_people_decide_in_their_browsers(browser: Browser, trade: Trade, has_script: bool, tmp_path: Path) -> None:
    deal = strike(trade)
    deal.room.hire("buyer", roles=["customer"], positions=[], company=deal.customer_id)
    desks = Desks(browser, deal.room, has_script=has_script)

    # the rep who is a manager too finds the order and is told who decides instead
    with desks.of("rep") as page:
        page.goto(f"/reviews/{deal.room.open_step(deal.order_id)['step_id']}")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        expect(page.locator("main")).to_contain_text("Approvers: Manager")

    # the manager hands over, the delegate finds it in the inbox and approves
    deal.room.delegate("manager", "delegate")
    with desks.of("delegate") as page:
        open_review(page, desks, deal.number)
        page.get_by_role("button", name="Approve").click()
        expect(page).to_have_url(f"{trade.system.base_url}/reviews")
    director_step = deal.room.open_step(deal.order_id)["step_id"]

    # the director has the page open while sales proposes H for G
    with desks.of("director") as director:
        open_review(director, desks, deal.number)
        with desks.of("rep") as page:
            page.goto(f"/orders/{deal.number}")
            desks.inspect(page)
            page.get_by_role("button", name="Change…").or_(page.get_by_role("link", name="Change…")).click()
            page.get_by_label("SKU of line 2").fill(deal.skus["H"])
            page.get_by_label("Unit price of line 2").fill("372.50")
            page.get_by_label("Reason").fill("G is sold out at the maker")
            desks.inspect(page)
            page.get_by_role("button", name="Preview change").click()
            expect(page.locator("main")).to_contain_text("24,900.00")
            desks.inspect(page)
            page.get_by_role("button", name="Propose to the customer").click()
            expect(page.locator("#standing")).to_contain_text("Pending change")
        director.get_by_role("button", name="Approve").click()
        expect(director.locator("main")).to_contain_text("This step is void")  # too late, in words
    deal.until("awaiting_customer")

    # the customer sees before and after, and accepts
    with desks.of("buyer") as page:
        page.goto(f"/my/orders/{deal.number}")
        expect(page.locator("#standing")).to_contain_text("26,400.00")
        expect(page.locator("#standing")).to_contain_text("24,900.00")
        desks.inspect(page)
        page.get_by_role("button", name="Accept the change").click()
        expect(page.locator("main")).not_to_contain_text("We propose a change")
    assert deal.until("in_review")["version"] == 2

    # nobody acts for 24 hours: the director finds it in the inbox and approves version 2
    assert deal.escalate()["escalated_to"] == [deal.room.sub("director")]
    with desks.of("director") as page:
        open_review(page, desks, deal.number)
        expect(page.locator("main")).to_contain_text("escalated")
        page.get_by_role("button", name="Approve").click()
        expect(page).to_have_url(f"{trade.system.base_url}/reviews")
        accepted = deal.until("in_fulfilment")
        page.goto(f"/orders/{deal.number}")
        desks.inspect(page)
        page.screenshot(path=tmp_path / "order.png", full_page=True)

    assert (accepted["version"], director_step != "") == (2, True)
    assert (deal.stock("H"), deal.stock("G")) == ((40, 40), (40, 0))
    assert acceptances(deal) == 1
    assert [text for text in desks.said if "Failed to load resource" not in text] == []
    assert desks.found == []
    trade.until_audit_is_clean()
