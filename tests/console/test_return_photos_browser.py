"""Photos of a return in a real browser: pictures that it made are taken, shown and accessible, and a bad file is said on the form."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from services.kernel.pictures import picture_type
from services.orders.returns import photos
from tests.console import chrome
from tests.console.conftest import MakeWorld
from tests.console.test_browser import DESKTOP, LAYOUT, PHONE, at, axe, is_too_wide, violations
from tests.orders.desk import BUYER
from tests.orders.test_returns import _ask, _delivered
from tests.pictures import archive

_DRAWN = """kind => {
  const canvas = document.createElement('canvas'); canvas.width = 640; canvas.height = 480;
  const ink = canvas.getContext('2d');
  for (let row = 0; row < 48; row++) { ink.fillStyle = `hsl(${row * 7} 70% 50%)`; ink.fillRect(0, row * 10, 640, 10); }
  return canvas.toDataURL(kind).split(',')[1];
}"""
KINDS = {"image/jpeg": "bent.jpg", "image/png": "bent.png", "image/webp": "bent.webp"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chrome.chromium() as started:
        yield started


def _drawn(page: Page, folder: Path) -> list[Path]:
    """A picture of each kind, made by the browser."""
    files = []
    for kind, name in KINDS.items():
        content = base64.b64decode(page.evaluate(_DRAWN, kind))
        assert picture_type(content) == kind
        (folder / name).write_bytes(content)
        files.append(folder / name)
    return files


def _until(page: Page, is_so: str) -> None:
    """Wait until an expression is true. Playwright's own wait evaluates text in the page, which the page's policy forbids."""
    for _ in range(600):
        if page.evaluate(is_so):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"in vain for {is_so}")


def test_a_customer_sends_photos_with_a_return_and_a_file_that_is_none_is_said(
    browser: Browser, make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(public_url="http://127.0.0.1")
    number = world.desk.read(_delivered(world.desk)).order.number
    (tmp_path / "bent.jpg").write_bytes(archive())
    with chrome.served(world.app) as url, at(browser, (world, url), "customer", viewport=DESKTOP) as (page, said):
        page.goto(f"/my/orders/{number}/return")
        page.get_by_label("Units of line 1 to return").fill("5")
        page.get_by_label("Why", exact=True).select_option("damaged")
        page.get_by_label("Photos").set_input_files(tmp_path / "bent.jpg")
        page.get_by_role("button", name="Request the return").click()
        expect(page.get_by_text("A photo is a JPEG, PNG or WebP picture")).to_be_visible()
        expect(page.get_by_label("Units of line 1 to return")).to_have_value("5")

        files = _drawn(page, tmp_path)
        page.get_by_label("Photos").set_input_files(files)
        page.get_by_role("button", name="Request the return").click()
        page.get_by_role("link", name="RMA-1001").click()
        expect(page.get_by_role("img")).to_have_count(3)
        _until(page, "[...document.images].every(one => one.complete && one.naturalWidth === 640)")
        assert page.evaluate("[...document.images].every(one => one.offsetWidth === one.offsetHeight)")

        assert violations(page) == []
        page.set_viewport_size(PHONE)
        assert (is_too_wide(page), axe(page, LAYOUT)) == (False, [])
        page.get_by_role("button", name="Remove Photo 1 of RMA-1001").click()
        expect(page.get_by_role("img")).to_have_count(2)
        assert [one for one in said if "status of 4" not in one] == []


def test_support_looks_at_a_photo_by_itself(browser: Browser, make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(public_url="http://127.0.0.1")
    asked = _ask(world.desk, _delivered(world.desk), 5)
    files = world.app.state.deps.photos
    with chrome.served(world.app) as url, at(browser, (world, url), "support", viewport=DESKTOP) as (page, said):
        page.goto("/returns")
        with files.incoming() as coming:
            coming.write(base64.b64decode(page.evaluate(_DRAWN, "image/webp")))
            kept = coming.keep()
        with world.database.transaction() as session:
            photos.add(session, asked.return_id, BUYER, kept, world.desk.now)

        page.goto(f"/returns/{asked.number}")
        page.get_by_role("link", name="Photo 1 of").click()
        _until(page, "document.images.length === 1 && document.images[0].naturalWidth === 640")

        assert page.url.endswith(f"/returns/{asked.number}/photos/{kept.photo_id}")
        assert said == []
