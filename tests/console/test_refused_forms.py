from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from tests.console.test_acts import hold_id, order_id
from tests.console.world import BASE, ConsoleWorld

ALERT = '<p class="problem" role="alert">'


async def test_a_refused_release_shows_its_form_again_with_the_reason_and_what_was_typed(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/orders/{numbers['held']}/holds/{hold_id(world, numbers['held'], 'accounting')}"
    note = 'a bank guarantee of "Acme & Co" came in'

    answer = await world.browser("accounting", sub="abe").send(page, page, note=note, version="7")

    assert answer.status_code == 409
    assert f"{ALERT}The order is at version 1, not 7" in answer.text
    assert f'value="{html.escape(note)}"'.replace("&quot;", "&#34;") in answer.text
    assert '<input type="hidden" name="version" value="1">' in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert all(hold.is_open for hold in world.desk.read(order_id(world, numbers["held"])).holds)


async def test_a_refused_rating_keeps_its_stars_its_words_and_its_wish(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/my/orders/{numbers['delivered']}"

    answer = await world.browser("customer").send(
        page, f"{page}/feedback", rating="4", comment="x" * 501, support="yes"
    )

    assert (answer.status_code, f"{ALERT}Enter at most 500 characters" in answer.text) == (422, True)
    assert 'name="rating" value="4" checked' in answer.text
    assert 'name="support" value="yes" checked' in answer.text
    assert f'name="comment" type="text" maxlength="500" value="{"x" * 501}"' in answer.text


async def test_a_refused_handing_over_keeps_whom_and_when(world: ConsoleWorld) -> None:
    today = datetime.now(UTC).date()
    last = str(today - timedelta(days=9))

    answer = await world.browser("approver", sub="max").send(
        "/delegations", "/delegations", to="dan", first=str(today), last=last, most="900.00", currency="EUR", note="away",
        confirmed="yes",
    )  # fmt: skip

    assert (answer.status_code, ALERT in answer.text) == (422, True)
    for kept in ('value="dan" selected', f'value="{last}"', 'value="900.00"', 'value="EUR"', 'value="away"'):
        assert kept in answer.text


async def test_an_answer_to_a_change_that_is_too_late_keeps_its_note(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/my/orders/{numbers['changing']}"
    change = world.desk.read(order_id(world, numbers["changing"])).asked.change
    assert change

    answer = await world.browser("customer").send(
        page, f"{page}/changes/{change.change_id}/answer", answer="accept", note="fine with us", version="7"
    )

    assert (answer.status_code, ALERT in answer.text, 'value="fine with us"' in answer.text) == (409, True, True)


@pytest.mark.parametrize("wrong", [{"quantity-1": "two"}, {"reason": ""}, {"requested_on": "24.12."}])
async def test_a_change_that_cannot_be_read_is_shown_as_it_was_written(
    world: ConsoleWorld, numbers: dict[str, str], wrong: dict[str, str]
) -> None:
    page = f"/orders/{numbers['backordered']}/change"
    fields = {"version": "1", "quantity-2": "7", "new-sku-1": "BOX6", "new-quantity-1": "6", "to-city": "Austin",
              "ship_complete": "yes", "reason": "by telephone", **wrong}  # fmt: skip

    answer = await world.browser("sales_rep").get(f"{page}/preview?{urlencode(fields)}", Referer=f"{BASE}{page}")

    assert (answer.status_code, ALERT in answer.text) == (422, True)
    for name, value in {**fields, "version": "1"}.items():
        written = f'value="{value}"' if name != "ship_complete" else 'value="yes" selected'
        assert written in answer.text.partition(f'name="{name}"')[2].partition("</div>")[0], name


async def test_a_change_to_be_made_differently_starts_from_what_was_proposed(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/orders/{numbers['backordered']}/change"
    fields = {"version": "1", "quantity-1": "3", "price-1": "120.00", "reason": "as agreed & signed"}
    browser = world.browser("sales_rep")

    preview = (await browser.get(f"{page}/preview?{urlencode(fields)}")).text
    link = html.unescape(preview.partition(f'<a href="{page}?')[2].partition('"')[0])
    form = (await browser.get(f"{page}?{link}")).text

    assert 'name="quantity-1" value="3"' in form
    assert 'name="price-1" value="120.00"' in form
    assert 'value="as agreed &amp; signed"' in form
    assert 'name="quantity-2" value="12"' in form
    assert ALERT not in form


async def test_a_form_of_another_login_brings_nothing_back(world: ConsoleWorld) -> None:
    client = world.browser("approver", sub="max").client

    answer = await client.post(
        "/delegations", data={"csrf": "made-up", "note": "typed elsewhere"}, headers={"Referer": f"{BASE}/delegations"}
    )

    assert (answer.status_code, "typed elsewhere" in answer.text) == (403, False)
    assert "Back to the form" in answer.text
