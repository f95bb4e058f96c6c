"""A picker's morning: a wave of three orders is picked, one of them short, packed and shipped, by keyboard and scanner alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.console import chrome
from tests.system.boardroom import Boardroom
from tests.system.desks import Desks
from tests.system.harness import System
from tests.system.test_waves import three_orders
from tests.system.trade import PATIENCE_S, Trade

MOST_TABS = 80
WIDTHS = (1280, 820, 390)


@pytest.fixture(scope="module")
def system(moving: System) -> System:
    return moving


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_S * 1000)
    with chrome.chromium() as started:
        yield started


def _tab_to(page: Page, target: Locator) -> None:
    """Walk there by the Tab key, as somebody without a mouse does."""
    for _ in range(MOST_TABS):
        if target.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} is not reached by {MOST_TABS} tabs")


def _follow(page: Page, link: str) -> None:
    _tab_to(page, page.locator("main").get_by_role("link", name=link, exact=True))
    page.keyboard.press("Enter")


def _scan(page: Page, code: str) -> None:
    """What a scanner does: it types into the field that has the focus, and ends with Enter."""
    expect(page.locator("#scan")).to_be_focused()
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def _type(page: Page, field: str, text: str) -> None:
    _tab_to(page, page.locator(field))
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def _shown(page: Page, folder: Path, name: str) -> None:
    """The page at each width, to be looked at; none scrolls sideways."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), (name, width)
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})


@pytest.mark.prove
@pytest.mark.timeout(600)
@pytest.mark.parametrize("moving", ["sqlite"], indirect=True)  # the pages know no database
def test_a_picker_works_off_a_wave_without_a_mouse(browser: Browser, trade: Trade, tmp_path: Path) -> None:
    place, pump, _seal, shipments = three_orders(trade)
    numbers = [one["number"] for one in shipments]
    room = Boardroom(trade)
    room.hire("picker", roles=["warehouse"], positions=[])
    desks = Desks(browser, room, has_script=True)

    with desks.of("picker") as page:
        # the wave is made of what is scanned from three labels
        page.goto("/warehouse")
        _follow(page, "Waves")
        _shown(page, tmp_path, "waves-empty")
        _tab_to(page, page.locator("#warehouse"))
        page.keyboard.type("w")
        expect(page.locator("#warehouse")).to_have_value(place)
        _tab_to(page, page.locator("#shipments"))
        for number in numbers:
            page.keyboard.type(number)
            page.keyboard.press("Enter")
        desks.inspect(page)
        _tab_to(page, page.get_by_role("button", name="Make the wave"))
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text("Scan its shipments as you pick them")
        wave = page.locator("h1").inner_text().split()[0]
        desks.inspect(page)
        _shown(page, tmp_path, "wave")
        _scan(page, "SH-1")
        expect(page.get_by_role("alert")).to_contain_text(f"SH-1 is not in {wave}")

        # each is picked: of the second four of five pumps are there
        for number in numbers:
            _scan(page, number)
            expect(page.locator("h1")).to_contain_text(f"Pick {number}")
            if number == numbers[1]:
                _type(page, f'input[aria-label="{pump} found"]', "4")
            page.keyboard.press("Enter")
            expect(page.locator("main")).to_contain_text(f"{number} is picked")  # and the wave waits for the next scan

        # each is packed and handed over
        _follow(page, "Warehouse")
        for number in numbers:
            _scan(page, number)
            expect(page.locator("h1")).to_contain_text(f"Pack {number}")
            _type(page, "#weight-1", "8.2")
            page.keyboard.press("Enter")
            expect(page.locator("h1")).to_contain_text(f"Ship {number}")
            page.keyboard.type(f"1Z{number.removeprefix('SH-'):0>10}")
            page.keyboard.press("Enter")
            expect(page.locator("main")).to_contain_text(f"{number} has left")
        _follow(page, "Waves")
        expect(page.locator("main")).to_contain_text("No wave is open")
        _scan(page, wave)
        expect(page.locator("main")).to_contain_text("Nothing of it is to be picked any more")
        expect(page.locator("h1")).to_contain_text("closed")
        desks.inspect(page)
        _shown(page, tmp_path, "wave-closed")

    orders = [trade.when_idle(one["order_id"]) for one in shipments]
    assert [one["lines"][0]["quantities"]["backordered"] for one in orders] == [0, 1, 0]
    assert [trade.shipments(one["order_id"])[0]["state"] for one in shipments] == ["shipped"] * 3
    assert [text for text in desks.said if "Failed to load resource" not in text] == []
    assert desks.found == []
    trade.until_audit_is_clean()
