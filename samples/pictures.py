"""Takes the pictures of README from a system that has played the demo: `python -m samples.pictures --var FOLDER`."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from cli import running
from cli.refusals import CommandRefused
from samples import documents, walkthrough
from samples.closing import temporal_ui
from samples.door import Door

OUT = Path(__file__).resolve().parent.parent / "docs" / "pictures"
MAX_BYTES = 250_000

_WIDTH = 1280
_PAGE = (0, 0, _WIDTH, 760)
_TIMELINE = (256, 48, 1024, 812)  # without the menus of the Temporal UI
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars")
_SHOWN_WITHIN_MS = 20_000
_WAITING_UNITS = 170
"""So many pumps are over the limits of two tiers, as README says."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: its file, whose login, the address, what must be seen before it is taken, the part of the window that is
    kept (left, top, width, height), and the heading that is scrolled to.
    """

    name: str
    login: str
    address: str
    sight: str
    part: tuple[int, int, int, int] = _PAGE
    heading: str = ""


def main() -> None:
    """Take every picture of the system in a folder; CommandRefused in a sentence when something is missing."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--var", type=Path, default=Path("var"), help="Folder of a system that has played `oms demo`.")
    given.add_argument("--out", type=Path, default=OUT, help="Folder for the pictures.")
    asked = given.parse_args()
    try:
        for path in take(asked.var, asked.out):
            print(f"{path} ({path.stat().st_size:,} bytes)")  # noqa: T201  # the answer of a command
    except CommandRefused as refusal:
        raise SystemExit(str(refusal)) from refusal


def take(var: Path, out: Path) -> Iterator[Path]:
    """Take each picture and give its file; raises CommandRefused when no demo has run there, or a file is too large."""
    state = running.current(var)
    if state is None:
        raise CommandRefused(f"no system runs in {var}: start one with `oms demo --keep --var {var}`")
    out.mkdir(parents=True, exist_ok=True)
    shots = _shots(str(state["url"]), var)
    with _browser() as new_page:
        for shot in shots:
            page = new_page()
            page.set_viewport_size({"width": _WIDTH, "height": shot.part[1] + shot.part[3]})
            if shot.login:
                _log_in(page, str(state["url"]), shot.login)
            page.goto(shot.address)
            if shot.heading:  # the Temporal UI draws only what is scrolled to
                heading = page.get_by_role("heading", name=shot.heading).first
                heading.evaluate("found => found.scrollIntoView()", timeout=_SHOWN_WITHIN_MS)
            page.get_by_text(shot.sight).first.wait_for(timeout=_SHOWN_WITHIN_MS)
            yield _kept(page, shot, out / f"{shot.name}.png")
            page.close()


def _shots(url: str, var: Path) -> list[Shot]:
    door = Door(url, var)
    try:
        waiting = _order_that_waits(door)
        day = documents.day()
        told = _number_of(door, day.tours[1].key, day)
    finally:
        door.close()
    at = walkthrough.Places(url, temporal_ui(var))
    pages = dict(at.of(told))
    return [
        Shot("overview", "chief.ortega", url, waiting),
        Shot("order", "chief.ortega", pages["order page"], told),
        Shot("history", "", pages["its workflow"], "orders.ValidateOrder", _TIMELINE, "Timeline"),
    ]


def _order_that_waits(door: Door) -> str:
    """The number of an order that two people have to approve, placed once however often pictures are taken."""
    body = {**documents.order("01-web-acme"), "channel_ref": "WEB-PICTURES", "po_number": "PO-7795"}
    body["lines"] = [{"sku": "PUMP-100", "quantity": _WAITING_UNITS}]
    buyer = door.person("customer", "buyer@acme-process.example", "cus_acme")
    return str(buyer.post("/v1/orders", body, key="pictures").document["number"])


def _number_of(door: Door, key: str, day: documents.Day) -> str:
    """The number of the order that the day placed under this key, found by its purchase order number."""
    [body] = {placing.key: placing.body for placing in day.placings if placing.key == key}.values()
    reader = door.person("auditor", day.people["auditor"])
    rows = reader.rows("/v1/orders", q=body["po_number"], customer_id=body["customer_id"])
    if not rows:
        raise CommandRefused("the demo has not run on this system: run `oms demo --keep`")
    return str(rows[0]["number"])


@contextmanager
def _browser() -> Iterator[Callable[[], Page]]:
    """Makes pages, each with a login of its own."""
    program = next((path for name in _PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        raise CommandRefused("pictures need Chromium: apt-get install chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=list(_FLAGS))
        try:
            yield browser.new_page
        finally:
            browser.close()


def _log_in(page: Page, url: str, login: str) -> None:
    page.goto(f"{url}/login")
    page.fill("#name", login)
    page.fill("#password", documents.read("people")["password"])
    page.click("form[action='/login'] button")


def _kept(page: Page, shot: Shot, path: Path) -> Path:
    """The picture in its file; it stays small, since every clone carries it."""
    left, top, width, height = shot.part
    page.screenshot(path=path, clip={"x": left, "y": top, "width": width, "height": height})
    if path.stat().st_size > MAX_BYTES:
        raise CommandRefused(f"{path} has {path.stat().st_size:,} bytes: a picture may have {MAX_BYTES:,}")
    return path


if __name__ == "__main__":
    main()
