"""How mails read can be looked at before anybody gets one, and a mail's own styles loosen no page of ours."""

from __future__ import annotations

import pytest

from gateway.console.headers import POLICY
from tests.console.world import ConsoleWorld

SHIPPED = "/notifications/preview/shipped/customer"


async def test_every_text_is_listed_with_a_link_for_each_of_its_readers(world: ConsoleWorld) -> None:
    page = await world.browser("support").get("/notifications/preview")

    assert page.status_code == 200
    assert f'href="{SHIPPED}"' in page.text
    assert 'href="/notifications/preview/shipped/support"' in page.text
    assert page.headers["Content-Security-Policy"] == POLICY


async def test_a_preview_shows_subject_and_text_and_frames_the_mail_without_trusting_it(world: ConsoleWorld) -> None:
    page = await world.browser("support").get(SHIPPED)

    assert "Your order SO-1001 is on its way" in page.text
    assert "SO-1001 left us" in page.text
    assert f'<iframe class="mail" title="The mail" src="{SHIPPED}?part=html" sandbox></iframe>' in page.text
    assert "color: red" not in page.text
    assert page.headers["Content-Security-Policy"] == f"{POLICY}; frame-src 'self'"
    assert page.headers["X-Frame-Options"] == "DENY"


async def test_only_the_mail_itself_may_style_inline_and_it_may_do_nothing_else(world: ConsoleWorld) -> None:
    mail = await world.browser("support").get(f"{SHIPPED}?part=html")

    assert mail.text == '<p style="color: red">SO-1001</p>'
    policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
    assert mail.headers["Content-Security-Policy"] == policy
    assert mail.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert mail.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_text_of_a_mail_is_text_whatever_it_holds(world: ConsoleWorld) -> None:
    mail = await world.browser("admin").get(f"{SHIPPED}?part=text")

    assert mail.text == "SO-1001 left us"
    assert mail.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert mail.headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize(
    "path", ["shipped/king", "nothing/customer", "ship%3Cped/customer", "shipped/customer?part=raw"]
)
async def test_a_text_that_does_not_exist_is_a_page_that_says_so(world: ConsoleWorld, path: str) -> None:
    page = await world.browser("support").get(f"/notifications/preview/{path}")

    assert page.status_code == 404
    assert "Not found" in page.text


async def test_who_may_preview_finds_the_way_from_the_dead_letters(world: ConsoleWorld) -> None:
    assert 'href="/notifications/preview"' in (await world.browser("admin").get("/dead-letters")).text
    assert 'href="/notifications/preview"' not in (await world.browser("auditor").get("/dead-letters")).text
