"""A4 as people live it: each in a browser of their own, with script; the proof does it without, as tests/console does all along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.console import chrome
from tests.system.deal import Deal, acceptances, strike
from tests.system.harness import System
from tests.system.trade import PATIENCE_S, Trade, ok

PASSWORD = "a long enough password"
AXE = chrome.vendored("axe.min.js")


@pytest.fixture(scope="module")
def system(moving: System) -> System:
    return moving


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_S * 1000)
    with chrome.chromium() as started:
        yield started


class Desks:
    """Everybody's desk, logged in by name and password; `said` is what the browsers' consoles have said.

    A desk that somebody has left is taken by whoever comes next: Chromium needs a second of CPU for a new one.
    """

    def __init__(self, browser: Browser, deal: Deal, *, has_script: bool) -> None:
        self._browser = browser
        self._deal = deal
        self._has_script = has_script
        self._free: list[BrowserContext] = []
        self.said: list[str] = []
        self.found: list[Any] = []

    @contextmanager
    def of(self, who: str) -> Iterator[Page]:
        """Somebody sits down and logs in."""
        sub = self._deal.room.sub(who)
        ok(self._deal.room.api(who).post("/v1/me/password", json={"password": PASSWORD}))
        context = self._free.pop() if self._free else self._desk()
        page = context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.goto("/login")
        page.get_by_label("User name").first.fill(sub)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").first.click()
        try:
            yield page
        finally:
            page.close()
            context.clear_cookies()
            self._free.append(context)

    def _desk(self) -> BrowserContext:
        return self._browser.new_context(
            base_url=self._deal.trade.system.base_url, java_script_enabled=self._has_script, reduced_motion="reduce"
        )

    def inspect(self, page: Page) -> None:
        """What axe finds on the page; without script it cannot run."""
        if self._has_script:
            page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": AXE})
            run = "async () => (await axe.run()).violations.map(v => [v.id, v.nodes.map(n => n.html)])"
            self.found += [(page.url, one) for one in page.evaluate(run)]


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
    desks = Desks(browser, deal, has_script=has_script)

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
