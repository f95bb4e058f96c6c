"""The pages in a real browser: accessible, silent, in both themes and widths; the main acts with and without script."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from services.kernel.formats import Formats
from services.orders.domain.exceptions import ExceptionFilter
from services.orders.domain.people import Delegation
from services.orders.masterdata import people
from services.orders.store import exceptions, holds, orders, reviews
from tests.console import chrome
from tests.console.conftest import open_database
from tests.console.test_backorders import backorder_pages
from tests.console.test_returns import returned
from tests.console.test_reversals import shipped
from tests.console.test_warehouse import released
from tests.console.test_waves import waved
from tests.console.world import ConsoleWorld, build, with_figures
from tests.orders.desk import caller, shipment, stock
from tests.orders.test_exceptions import on_the_way, opened, resolve, undeliverable

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LAYOUT = "{runOnly: ['target-size', 'scrollable-region-focusable', 'color-contrast', 'meta-viewport']}"
"""The rules of axe that look at where things stand: on a phone they may say something else."""
AXE = chrome.vendored("axe.min.js")
# Chromium says so of every page that is not 200, whatever the page does.
_NOT_OURS = re.compile(r"Failed to load resource: the server responded with a status of 4")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chrome.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def live(
    filled: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ConsoleWorld, str]]:
    """A console that is served, and its address."""
    folder = tmp_path_factory.mktemp("live")
    shutil.copy(filled[0], folder / "orders.db")
    database = open_database(folder / "orders.db")
    world = build(database, folder / "keys", public_url="http://127.0.0.1")
    with_figures(world)
    _hand_over(world)
    undeliverable(world.desk)
    resolve(world.desk, opened(world.desk, on_the_way(world.desk))[0], note="it comes tomorrow")
    on_the_way(world.desk)
    returned(world)
    with chrome.served(world.app) as url:
        yield world, url
    database.close()


def _hand_over(world: ConsoleWorld) -> None:
    """Max's decisions are Sue's next week, up to a long amount."""
    soon = datetime.now(UTC) + timedelta(days=7)
    wanted = Delegation(
        "", "max", "dan", soon, soon + timedelta(days=7), max_minor=20_000_00, currency="USD", note="away"
    )
    with world.database.transaction() as session:
        people.delegate(session, wanted, caller("max", "approver"), datetime.now(UTC))


@contextmanager
def at(browser: Browser, live: tuple[ConsoleWorld, str], role: str, **context: Any) -> Iterator[tuple[Page, list[str]]]:
    """Somebody's open page, and what the browser's console has said."""
    world, url = live
    opened: BrowserContext = browser.new_context(base_url=url, reduced_motion="reduce", **context)
    said: list[str] = []
    if role:
        opened.add_cookies([{"name": "oms_session", "value": world.log_in(*role.split(":")).cookie, "url": url}])
    page = opened.new_page()
    page.set_default_timeout(60_000)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        yield page, said
    finally:
        opened.close()


def violations(page: Page) -> list[Any]:
    """What axe finds in light and dark; it is put in past the page's own policy, which allows no such script."""
    page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": AXE})
    found: list[Any] = []
    for theme, rules in (("light", "{}"), ("dark", "{runOnly: ['color-contrast']}")):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # the words are those it takes
        found += axe(page, rules)
    return found


def axe(page: Page, rules: str) -> list[Any]:
    """What these rules of axe, which is in the page already, find."""
    run = f"async () => (await axe.run({rules})).violations.map(v => [v.id, v.nodes.map(n => n.html)])"
    found: list[Any] = page.evaluate(run)
    return found


def pages(world: ConsoleWorld, numbers: dict[str, str]) -> list[tuple[str, str]]:
    """(role or role:person, path) of every kind of page."""
    with world.database.reading() as session:
        hold = holds.of_order(session, orders.find_id(session, numbers["held"]))[0]
        step = reviews.of_order(session, orders.find_id(session, numbers["reviewed"]))[-1].steps[0]
        [done, wrong] = [each.found for each in exceptions.listed(session, ExceptionFilter(kind="carrier_exception"))]
    shipped(world, numbers["shipping"])
    wave = f"/warehouse/waves/{waved(world, 'SH-6', 'SH-7')}"
    return [
        *(("", f"/login{page}") for page in ("", "/forgotten")),
        ("admin", "/"),
        ("approver", "/?status=backordered"),
        ("support", "/?q=nothing-like-it"),
        *(("support", f"/orders/{numbers[name]}") for name in ("delivered", "held", "shipping", "rejected", "edi")),
        (hold.owner_role, f"/orders/{numbers['held']}/holds/{hold.hold_id}"),
        ("admin", f"/orders/{numbers['held']}/holds/{hold.hold_id}"),
        ("support", f"/orders/{numbers['held']}/cancel"),
        *(("support", f"/orders/{numbers['shipping']}/{act}") for act in ("cancel", "close")),
        ("support", "/shipments/SH-8/reversal"),
        *(("approver:max", f"/reviews{asked}") for asked in ("", "?for=all")),
        *(("warehouse", path) for path in ("/", "/outages", "/stock?sku=PUMP", "/warehouse/waves?all=1", wave)),
        *(("warehouse", f"/warehouse{one}") for one in ("", "/SH-8", f"/{released(world, 'SH-9').number}")),
        ("approver:max", f"/reviews/{step.step_id}"),
        ("approver:fay", f"/reviews/{step.step_id}"),
        ("support", f"/orders/{numbers['reviewed']}"),
        ("approver:max", "/delegations"),
        ("support", f"/orders/{numbers['changing']}"),
        ("support", f"/orders/{numbers['held']}/change"),
        ("support", f"/orders/{numbers['held']}/change/preview?quantity-1=150&reason=as+agreed"),
        ("support", f"/orders/{numbers['shipping']}/change/preview?quantity-1=1&reason=as+agreed"),
        ("customer", f"/my/orders/{numbers['changing']}"),
        ("customer", f"/my/orders/{numbers['delivered']}"),
        ("customer", f"/my/orders/{numbers['held']}/change"),
        *(("support", f"/returns{one}") for one in ("", "/RMA-1001")),
        *((role, "/returns/RMA-1002") for role in ("warehouse", "accounting")),
        ("customer", "/my/returns/RMA-1002"),
        ("support", f"/orders/{numbers['delivered']}/return"),
        ("customer", f"/my/orders/{numbers['delivered']}/return"),
        *(("support", path) for path in ("/cases", "/exceptions", "/stock", "/stock?sku=PUMP", "/promises")),
        ("auditor", "/exceptions?show=resolved"),
        ("support", f"/exceptions/{wrong.exception_id}"),
        ("accounting", f"/exceptions/{wrong.exception_id}"),
        ("support", f"/exceptions/{done.exception_id}"),
        ("support", f"/orders/{wrong.order_id}"),
        *backorder_pages(world, numbers["shipping"]),
        *(("admin", f"/dead-letters{page}") for page in ("", "/mail/del_1")),
        *(("support", f"/notifications/preview{page}") for page in ("", "/shipped/customer")),
        ("customer", "/my"),
        ("customer", f"/my/orders/{numbers['shipping']}"),
        ("customer", f"/my/orders/{numbers['held']}/cancel"),
        ("admin", "/orders/SO-9"),
    ]


def visits(
    browser: Browser, live: tuple[ConsoleWorld, str], numbers: dict[str, str]
) -> Iterator[tuple[str, Page, list[str]]]:
    """Every kind of page as it opens on a desktop, and what the browser's console has said of it; one window a person."""
    wanted = sorted(pages(live[0], numbers), key=itemgetter(0))
    for role, paths in groupby(wanted, itemgetter(0)):
        with at(browser, live, role, viewport=DESKTOP) as (page, said):
            for _, path in paths:
                said.clear()
                page.set_viewport_size(DESKTOP)
                page.goto(path, wait_until="load")
                yield path, page, said


@pytest.mark.prove
@pytest.mark.slice
def test_every_page_is_silent_as_wide_as_the_screen_and_accessible_in_both_themes(
    browser: Browser, live: tuple[ConsoleWorld, str], numbers: dict[str, str]
) -> None:
    wrong = []
    for path, page, said in visits(browser, live, numbers):
        spoken, *others = faults(page, said)
        spoken = [text for text in spoken if not _NOT_OURS.search(text)]
        if spoken or any(others):
            wrong.append((path, spoken, *others))

    assert wrong == [], json.dumps(wrong, indent=1)


def faults(page: Page, said: list[str]) -> tuple[list[str], list[int], list[Any]]:
    """What a page that has opened on a desktop says, at which widths it scrolls sideways, and what axe finds in it."""
    too_wide = [DESKTOP["width"]] if is_too_wide(page) else []
    page.set_viewport_size(PHONE)
    too_wide += [PHONE["width"]] if is_too_wide(page) else []
    spoken = list(said)
    page.set_viewport_size(DESKTOP)
    found = violations(page)
    page.set_viewport_size(PHONE)
    return spoken, too_wide, found + axe(page, LAYOUT)


def test_a_phone_shows_whom_each_order_waits_for(
    browser: Browser, live: tuple[ConsoleWorld, str], numbers: dict[str, str]
) -> None:
    with at(browser, live, "support", viewport=PHONE) as (page, _said):
        page.goto("/")

        row = page.locator("#orders tbody tr", has_text=numbers["held"])
        expect(row.get_by_text("accounting, approver").locator("visible=true")).to_have_count(1)
        page.set_viewport_size(DESKTOP)
        expect(row.get_by_text("accounting, approver").locator("visible=true")).to_have_count(1)


def test_a_phone_shows_a_customer_every_column_of_an_order_and_of_a_change(
    browser: Browser, live: tuple[ConsoleWorld, str], numbers: dict[str, str]
) -> None:
    with at(browser, live, "customer", viewport=PHONE) as (page, _said):
        page.goto(f"/my/orders/{numbers['backordered']}")
        lines = page.locator("#lines .scroll")

        assert lines.evaluate("each => each.scrollWidth - each.clientWidth") == 0
        expect(lines.locator("[data-of=Delivery]").first).to_be_in_viewport(ratio=1)

        page.goto(f"/my/orders/{numbers['changing']}")
        long = "e => e.textContent = 'MOTOR-5HP (Motor 5 hp, 3 phase, TEFC, with a long name)'"
        page.locator(".diff th").first.evaluate(long)
        assert not is_too_wide(page)


def is_too_wide(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def test_a_person_works_without_script_from_login_to_a_released_hold(
    browser: Browser, live: tuple[ConsoleWorld, str], numbers: dict[str, str]
) -> None:
    world, _ = live
    with at(browser, live, "", java_script_enabled=False) as (page, said):
        page.goto(f"/orders/{numbers['held']}")
        page.get_by_text("Use a token instead").click()
        page.get_by_label("Token").fill(world.token("approver", sub="max"))
        page.get_by_role("button", name="Log in with the token").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(numbers["held"])
        page.locator("p", has_text="Approval hold").get_by_role("link", name="Release…").click()
        page.get_by_label("Reason").fill("agreed by telephone")
        page.get_by_role("button", name="Release the hold").click()

        expect(page.locator("#timeline")).to_contain_text("agreed by telephone")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert said == []


def test_a_customer_answers_a_proposal_without_script(
    browser: Browser, live: tuple[ConsoleWorld, str], numbers: dict[str, str]
) -> None:
    with at(browser, live, "customer", java_script_enabled=False) as (page, said):
        page.goto("/my")
        page.get_by_role("link", name=numbers["changing"]).click()
        expect(page.get_by_role("heading", name="We propose a change")).to_be_visible()
        page.get_by_role("button", name="Decline and keep the order as is").click()

        expect(page.get_by_role("heading", level=1)).to_contain_text(numbers["changing"])
        expect(page.get_by_role("heading", name="We propose a change")).to_have_count(0)
    assert said == []


def test_a_filter_changes_the_list_at_once_and_the_address_with_it(
    browser: Browser, live: tuple[ConsoleWorld, str], numbers: dict[str, str]
) -> None:
    with at(browser, live, "support") as (page, said):
        page.goto("/")
        page.get_by_label("Status").select_option("backordered")

        expect(page.get_by_role("heading", name="Orders that match")).to_be_visible()
        expect(page.locator("#orders tbody tr")).to_have_count(1)
        expect(page).to_have_url(re.compile("status=backordered"))
        page.go_back()
        expect(page.locator("#orders tbody tr")).not_to_have_count(1)
    assert said == []


def test_an_approver_decides_from_the_inbox_by_keyboard(
    browser: Browser, live: tuple[ConsoleWorld, str], numbers: dict[str, str]
) -> None:
    with at(browser, live, "approver:max") as (page, said):
        page.goto("/reviews")
        page.keyboard.press("j")
        expect(page.get_by_role("link", name=numbers["reviewed"])).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Manager approval")
        page.get_by_label("Note").fill("the customer pays well")
        page.get_by_role("button", name="Approve").click()

        expect(page.get_by_text("Nothing is waiting for you")).to_be_visible()
        page.goto(f"/orders/{numbers['reviewed']}")
        expect(page.locator("#timeline")).to_contain_text("the customer pays well")
        expect(page.locator("#standing")).to_contain_text("finance director approval")
    assert said == []


def test_an_order_that_moves_moves_on_the_open_page_by_itself(
    browser: Browser, live: tuple[ConsoleWorld, str], numbers: dict[str, str]
) -> None:
    world, _ = live
    order_id = world.desk.accepted(("PUMP", 2), po_number="PO-LIVE")
    number = world.desk.read(order_id).order.number
    streams: list[str] = []
    with at(browser, live, "support") as (page, said):
        page.on("request", lambda request: streams.append(request.url) if "/stream" in request.url else None)
        page.goto(f"/orders/{number}")
        page.locator("#timeline summary").first.click()
        world.desk.notify(world.desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (2, 0)})))
        expect(page.locator("#timeline")).to_contain_text("reserved stock")
        expect(page.locator("#timeline details[open]")).to_have_count(1)

        world.desk.notify(
            world.desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-77", "shipped", {"1": 2}))
        )
        expect(page.locator("#side")).to_contain_text("SH-77")
        expect(page.locator(".headline .chip")).to_have_text("shipped")
        assert violations(page) == []
    assert said == []
    assert len(streams) == 1


def test_times_are_in_the_readers_zone_with_script_and_in_the_companys_without(
    browser: Browser, live: tuple[ConsoleWorld, str], numbers: dict[str, str]
) -> None:
    world, _ = live
    with world.database.reading() as session:
        placed = orders.load(session, orders.find_id(session, numbers["delivered"])).placed_at
    formats = (Formats("Asia/Tokyo", "mdy", "12h"), Formats("UTC", "mdy", "12h"))
    for has_script, theirs, zone in ((True, formats[0], "GMT+9"), (False, formats[1], "UTC")):
        with at(browser, live, "support", timezone_id="Asia/Tokyo", java_script_enabled=has_script) as (page, said):
            page.goto(f"/orders/{numbers['delivered']}")

            expect(page.locator("footer")).to_contain_text(f"Times in {zone}.")
            expect(page.locator("#side time").last).to_have_text(theirs.minute(placed))
            page.goto("/")
            expect(page.locator("#orders time[data-local]").first).to_have_attribute("title", re.compile(", 2026, "))
        assert said == []


def test_times_that_come_into_an_open_page_are_in_the_readers_zone_too(
    browser: Browser, live: tuple[ConsoleWorld, str]
) -> None:
    world, _ = live
    order_id = world.desk.accepted(("PUMP", 2), po_number="PO-ZONE")
    number, zone = world.desk.read(order_id).order.number, Formats("Asia/Tokyo", "mdy", "12h")
    with at(browser, live, "support", timezone_id="Asia/Tokyo") as (page, _said):
        page.goto(f"/orders/{number}")
        world.desk.notify(
            world.desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-88", "shipped", {"1": 2}))
        )
        entry = page.locator("#timeline .entry", has_text="SH-88").first

        expect(entry.locator("time").first).to_have_text(zone.minute(world.desk.now))


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    browser: Browser, live: tuple[ConsoleWorld, str]
) -> None:
    with at(browser, live, "support") as (page, _said):
        page.goto("/")
        page.keyboard.press("Tab")
        skip = page.locator(":focus")
        expect(skip).to_have_text("Skip to the content")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")

        expect(page.locator(".tiles a").first).to_be_focused()
        outline = page.locator(":focus").evaluate("node => getComputedStyle(node).outlineStyle")
        assert outline == "solid"


def test_without_a_browser_its_tests_are_skipped_with_that_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chrome, "_PROGRAMS", ("/nowhere/chromium",))

    monkeypatch.setenv("CI", "false")

    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"), chrome.chromium():
        pass


def test_a_build_machine_without_a_browser_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chrome, "_PROGRAMS", ("/nowhere/chromium",))
    monkeypatch.setenv("CI", "true")

    with pytest.raises(chrome.ChromiumMissing, match="apt-get install chromium"), chrome.chromium():
        pass
