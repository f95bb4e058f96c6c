"""The desks of people: a browser for each of them, logged in by name and password, and what axe finds on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.console import chrome
from tests.system.boardroom import Boardroom
from tests.system.trade import PATIENCE_S, ok

PASSWORD = "a long enough password"
AXE = chrome.vendored("axe.min.js")


class Desks:
    """Everybody's desk, logged in by name and password; `said` is what the browsers' consoles have said.

    A desk that somebody has left is taken by whoever comes next: Chromium needs a second of CPU for a new one.
    """

    def __init__(self, browser: Browser, room: Boardroom, *, has_script: bool) -> None:
        self._browser = browser
        self._room = room
        self._has_script = has_script
        self._free: list[BrowserContext] = []
        self.said: list[str] = []
        self.found: list[Any] = []

    @contextmanager
    def of(self, who: str) -> Iterator[Page]:
        """Somebody sits down and logs in."""
        sub = self._room.sub(who)
        ok(self._room.api(who).post("/v1/me/password", json={"password": PASSWORD}))
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
            base_url=self._room.system.base_url, java_script_enabled=self._has_script, reduced_motion="reduce"
        )

    def inspect(self, page: Page) -> None:
        """What axe finds on the page; without script it cannot run."""
        if self._has_script:
            page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": AXE})
            run = "async () => (await axe.run()).violations.map(v => [v.id, v.nodes.map(n => n.html)])"
            self.found += [(page.url, one) for one in page.evaluate(run)]
