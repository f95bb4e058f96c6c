"""The request's side of a return on the pages: photos with the request, the return's own page, its label and its parcel."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.orders.domain.access import EVERYTHING
from services.orders.domain.returns import Return
from services.orders.masterdata import catalog
from services.orders.returns import photos, reading
from tests.console.test_returns import returned
from tests.console.world import BASE, CSRF, Browser, ConsoleWorld
from tests.orders.test_returns import _ask, _count, _delivered
from tests.pictures import JPEG, WEBP, archive, png

Files = list[tuple[str, tuple[str, bytes, str]]]


def _chosen(*contents: bytes) -> Files:
    """Files as a browser sends them, each by a name that says JPEG."""
    return [("photos", (f"{place}.jpg", content, "image/jpeg")) for place, content in enumerate(contents)]


async def _send(browser: Browser, page: str, path: str, files: Files, **fields: str) -> httpx.Response:
    found = CSRF.search((await browser.get(page)).text)
    assert found
    sent: dict[str, Any] = {"csrf": found.group(1), **fields}
    return await browser.client.post(path, data=sent, files=files, headers={"Referer": f"{BASE}{page}"})


def _kept(world: ConsoleWorld) -> list[str]:
    folder = world.keys_dir / "photos"
    return sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []


def _returns(world: ConsoleWorld, order_id: str) -> list[Return]:
    with world.database.reading() as session:
        return reading.of_order(session, order_id)


async def test_a_customer_asks_with_photos_which_support_sees(world: ConsoleWorld) -> None:
    order = world.desk.read(_delivered(world.desk)).order
    browser, page = world.browser("customer"), f"/my/orders/{order.number}/return"

    done = await _send(
        browser, page, page, _chosen(JPEG, png(), WEBP), why="damaged", reason="bent", **{"units-1": "5"}
    )
    [asked] = _returns(world, order.order_id)
    shown = (await world.browser("support").get(f"/returns/{asked.number}")).text
    own = (await browser.get(f"/my/returns/{asked.number}")).text
    pictures = re.findall(r'<img src="([^"]+)"', own)
    first = await browser.get(pictures[0])

    assert done.status_code == 303, done.text
    assert shown.count("<img ") == own.count("<img ") == 3
    assert (first.content, first.headers["content-type"]) == (JPEG, "image/jpeg")
    assert first.headers["content-security-policy"].startswith("default-src 'none';")
    assert first.headers["content-security-policy"].endswith("sandbox")
    assert len(_kept(world)) == 3


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ((JPEG, archive()), "photo is a JPEG, PNG or WebP picture"),
        ((JPEG[:-9],), "cut short, damaged"),
        ((png(), png(padding=5 << 20)), "at most 5 MiB"),
        (tuple(png(shade=shade) for shade in range(11)), "at most 10 photos"),
    ],
)
async def test_a_form_with_a_bad_photo_asks_for_nothing_keeps_nothing_and_comes_back(
    world: ConsoleWorld, contents: tuple[bytes, ...], said: str
) -> None:
    order = world.desk.read(_delivered(world.desk)).order
    page = f"/my/orders/{order.number}/return"

    answer = await _send(
        world.browser("customer"),
        page,
        page,
        _chosen(*contents),
        why="damaged",
        reason="bent at once",
        **{"units-1": "2"},
    )

    assert answer.status_code in (409, 422)
    assert said in answer.text
    assert 'value="bent at once"' in answer.text
    assert (_returns(world, order.order_id), _kept(world)) == ([], [])


async def test_a_form_of_another_login_or_cut_short_keeps_nothing(world: ConsoleWorld) -> None:
    waiting, _ = returned(world)
    browser, path = world.browser("customer"), f"/my/returns/{waiting.number}/photos"

    foreign = await browser.client.post(path, data={"csrf": "x"}, files=_chosen(JPEG))
    whole = httpx.Request("POST", BASE, data={"csrf": browser.csrf}, files=_chosen(JPEG, png()))
    cut = await browser.client.post(
        path, content=whole.read()[:-60], headers={"Content-Type": whole.headers["Content-Type"]}
    )
    odd = await browser.client.post(
        path, data={"csrf": browser.csrf}, files=[("cv", ("cv.pdf", b"%PDF", "application/pdf"))]
    )
    none = await _send(
        browser, f"/my/returns/{waiting.number}", path, [("photos", ("", b"", "application/octet-stream"))]
    )

    assert [one.status_code for one in (foreign, cut, odd, none)] == [403, 422, 422, 422]
    assert _kept(world) == []


async def test_a_form_with_invisible_characters_is_said_to_hold_them(world: ConsoleWorld) -> None:
    order = world.desk.read(_delivered(world.desk)).order
    page = f"/my/orders/{order.number}/return"

    answer = await _send(
        world.browser("customer"), page, page, _chosen(JPEG), why="other", reason="bent\x07", **{"units-1": "2"}
    )

    assert (answer.status_code, "holds a field twice or invisible characters" in answer.text) == (422, True)
    assert (_returns(world, order.order_id), _kept(world)) == ([], [])


async def test_a_folder_that_takes_no_photo_is_said_on_the_form(world: ConsoleWorld) -> None:
    order = world.desk.read(_delivered(world.desk)).order
    page = f"/my/orders/{order.number}/return"
    (world.keys_dir / "photos").write_text("no folder")

    answer = await _send(
        world.browser("customer"), page, page, _chosen(JPEG), why="other", reason="bent", **{"units-1": "2"}
    )

    assert (answer.status_code, "No photo can be kept just now" in answer.text) == (503, True)
    assert _returns(world, order.order_id) == []


async def test_photos_are_added_and_removed_while_nobody_has_decided(world: ConsoleWorld) -> None:
    waiting, _ = returned(world)
    browser, page = world.browser("customer"), f"/my/returns/{waiting.number}"

    added = await _send(browser, page, f"{page}/photos", _chosen(JPEG, png()))
    [first, second] = _kept(world)
    removed = await browser.send(page, f"{page}/photos/{first}/remove")
    rival = await world.browser("customer", company="cus_bolt").get(f"{page}/photos/{second}")
    support = world.browser("support")
    await support.send(f"/returns/{waiting.number}", f"/returns/{waiting.number}/authorize", fee="", note="")
    after = (await browser.get(page)).text
    late = await browser.send(page, f"{page}/photos/{second}/remove")

    assert [one.status_code for one in (added, removed, rival)] == [303, 303, 404]
    assert _kept(world) == [second]
    assert "Remove" not in after
    assert "its photos stay as they are" in late.text


async def test_the_warehouse_adds_photos_of_what_it_found(world: ConsoleWorld) -> None:
    _, coming = returned(world)
    browser, page = world.browser("warehouse"), f"/returns/{coming.number}"

    added = await _send(browser, page, f"{page}/photos", _chosen(png()))

    assert added.status_code == 303
    with world.database.reading() as session:
        _, [photo] = photos.of_return(session, coming.number, EVERYTHING)
    assert photo.stage == "inspection"
    assert "Photos of the inspection" in (await browser.get(page)).text


async def test_the_label_is_linked_and_the_parcel_is_said_once_and_corrected(world: ConsoleWorld) -> None:
    order_id = _delivered(world.desk)
    coming = _ask(world.desk, order_id, 3)
    number = world.desk.read(order_id).order.number
    browser, page = world.browser("customer"), f"/my/returns/{coming.number}"

    shown = (await browser.get(f"/my/orders/{number}")).text
    label = await browser.get(f"{page}/label.pdf")
    wrong = await browser.send(page, f"{page}/in-transit", tracking_number="<b>", carrier="")
    sent = await browser.send(page, f"{page}/in-transit", tracking_number="PW 4711", carrier="ups")
    again = await browser.send(page, f"{page}/in-transit", tracking_number="PW 4712", carrier="ups")
    own, staff = (await browser.get(page)).text, (await world.browser("support").get(f"/returns/{coming.number}")).text
    listed = (await world.browser("warehouse").get("/returns")).text

    assert f'href="{page}/label.pdf"' in shown
    assert (label.status_code, label.headers["content-type"]) == (200, "application/pdf")
    assert [one.status_code for one in (wrong, sent, again)] == [422, 303, 303]
    assert "PW 4712" in own
    assert "On the way since" in staff
    assert listed.index("To receive") < listed.index(coming.number)
    _count(world.desk, coming, 3)
    assert "Goods are on their way" not in (await browser.get(page)).text


async def test_what_is_not_returnable_is_said_to_customers_and_support_says_why_it_comes_back(
    world: ConsoleWorld,
) -> None:
    order = world.desk.read(_delivered(world.desk)).order
    with world.database.transaction() as session:
        pump = catalog.find_product(session, "PUMP")
        assert pump is not None
        catalog.put_product(session, replace(pump, is_returnable=False), "root", world.desk.now)
    customer, support = world.browser("customer"), world.browser("support")

    own = (await customer.get(f"/my/orders/{order.number}/return")).text
    page = f"/orders/{order.number}/return"
    wordless = await support.send(page, page, why="defective", reason="", **{"units-1": "1"})
    done = await support.send(page, page, why="defective", reason="", override_reason="burst", **{"units-1": "1"})
    [asked] = _returns(world, order.order_id)

    assert "it is not returnable" in own.lower()
    assert "Request the return" not in own
    assert (wordless.status_code, done.status_code) == (409, 303)
    assert "say why it comes back all the same" in wordless.text
    assert asked.override_reason == "burst"
    assert "Takes what is not returnable: <bdi>burst</bdi>" in (await support.get(f"/returns/{asked.number}")).text
