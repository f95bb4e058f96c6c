"""A picker's morning: twenty orders in one wave, two picked short, one with damaged goods, one in three packages; by keyboard and scanner alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.console import chrome
from tests.system.boardroom import Boardroom
from tests.system.desks import Desks
from tests.system.harness import System
from tests.system.test_waves import orders_of
from tests.system.trade import PATIENCE_S, Trade, ok

MOST_TABS = 80
TABLET, PHONE = 820, 390
WIDTHS = (1280, TABLET, PHONE)


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
    before = page.viewport_size
    assert before is not None
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), (name, width)
    page.set_viewport_size(before)


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.parametrize("moving", ["sqlite"], indirect=True)  # the pages know no database
def test_a_pickers_morning_without_a_mouse(
    browser: Browser, trade: Trade, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    place, pump, seal, shipments = orders_of(trade, 20)
    numbers = [one["number"] for one in shipments]
    found = {numbers[1]: (pump, "4", "m"), numbers[7]: (seal, "0", "m"), numbers[12]: (pump, "3", "d")}
    room = Boardroom(trade)
    room.hire("picker", roles=["warehouse"], positions=[])
    desks = Desks(browser, room, has_script=True)

    with desks.of("picker") as page:
        served: list[float] = []
        page.on("requestfinished", lambda request: served.append(_server_ms(request)))
        page.set_viewport_size({"width": TABLET, "height": 1100})
        wave = _make(page, place, numbers, desks)
        _shown(page, tmp_path, "wave")
        _scan(page, "SH-1")
        expect(page.get_by_role("alert")).to_contain_text(f"SH-1 is not in {wave}")
        for number in numbers:
            _pick(page, number, found.get(number))
        page.set_viewport_size({"width": PHONE, "height": 800})
        _follow(page, "Warehouse")
        for number in numbers:
            _pack(page, number, is_divided=number == numbers[3])
            if number == numbers[3]:
                desks.inspect(page)
                _shown(page, tmp_path, "packed")
            _ship(page, number, 3 if number == numbers[3] else 1)
        _follow(page, "Waves")
        expect(page.locator("main")).to_contain_text("No wave is open")
        _scan(page, wave)
        expect(page.locator("main")).to_contain_text("Nothing of it is to be picked any more")
        desks.inspect(page)
        _shown(page, tmp_path, "wave-closed")
        record_property("requests", len(served))
        record_property("server_ms", round(sum(served)))

    first = [trade.shipments(one["order_id"], "shipped")[0] for one in shipments]
    units = [{line["sku"]: line["quantity"] for line in one["lines"]} for one in first]
    short = {number: units[numbers.index(number)] for number in found}
    assert short == {numbers[1]: {pump: 4, seal: 2}, numbers[7]: {pump: 5}, numbers[12]: {pump: 3, seal: 2}}
    assert [len(one["packages"]) for one in first] == [3 if number == numbers[3] else 1 for number in numbers]
    [apart] = ok(trade.system.api("warehouse").get("/v1/quarantine", params={"warehouse_id": place}))["rows"]
    assert (apart["sku"], apart["quantity"]) == (pump, 2)
    assert [text for text in desks.said if "Failed to load resource" not in text] == []
    assert desks.found == []
    for one in shipments:
        trade.when_idle(one["order_id"])
    trade.until_audit_is_clean()


def _server_ms(request: Request) -> float:
    """From the request's last byte to the answer's first one; nothing of what came from the browser's memory."""
    timing = request.timing
    return max(0.0, timing["responseStart"] - timing["requestStart"]) if timing["responseStart"] > 0 else 0.0


def _make(page: Page, place: str, numbers: Sequence[str], desks: Desks) -> str:
    """The wave is made of what is scanned from the labels."""
    page.goto("/warehouse")
    _follow(page, "Waves")
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
    desks.inspect(page)
    return page.locator("h1").inner_text().split()[0]


def _pick(page: Page, number: str, short: tuple[str, str, str] | None) -> None:
    """What is there, and of one SKU how many and the first letter of why."""
    _scan(page, number)
    expect(page.locator("h1")).to_contain_text(f"Pick {number}")
    if short is not None:
        sku, units, why = short
        _type(page, f'input[aria-label="{sku} found"]', units)
        page.keyboard.press("Tab")
        page.keyboard.type(why)
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text(f"{number} is picked")


def _pack(page: Page, number: str, *, is_divided: bool) -> None:
    """In one package; or the seals in the second, and two of the pumps in the third."""
    _scan(page, number)
    expect(page.locator("h1")).to_contain_text(f"Pack {number}")
    if is_divided:
        _tab_to(page, page.locator('select[name^="package-"]').nth(1))
        page.keyboard.type("2")
        _tab_to(page, page.locator("summary").first)
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("2")
        page.keyboard.press("Tab")
        page.keyboard.type("3")
    _type(page, "#weight-1", "8.2")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(f"Ship {number}")


def _ship(page: Page, number: str, packages: int) -> None:
    """The carrier's labels are scanned, one a package."""
    for at in range(1, packages + 1):
        _type(page, f"#tracking-{at}", f"1Z{number.removeprefix('SH-'):0>10}{at}")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text(f"{number} has left")
