from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.console import chrome
from tests.console.conftest import MakeWorld
from tests.console.provider import CLIENT, SECRET, Provider
from tests.console.world import BASE, Browser, ConsoleWorld


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    with chrome.served(made.app) as made.issuer:
        yield made


@pytest.fixture
def world(make_world: MakeWorld, provider: Provider) -> ConsoleWorld:
    return make_world(oidc_issuer=provider.issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET)


async def sent_to(browser: Browser, back: str = "/cases") -> str:
    return (await browser.get(f"/login/provider?back={back}")).headers["Location"]


def path_of(address: str) -> str:
    assert address.startswith(BASE)
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


async def test_a_person_logs_in_at_the_provider_and_comes_back_to_where_they_were(
    world: ConsoleWorld, provider: Provider
) -> None:
    browser = world.browser()
    form = (await browser.get("/login?back=/cases")).text

    back = path_of(provider.agree(await sent_to(browser)))
    entered = await browser.get(back)
    page = await browser.get(entered.headers["Location"])

    assert "/login/provider?back=/cases" in form
    assert 'name="password"' not in form
    assert (entered.status_code, entered.headers["Location"]) == (303, "/cases")
    assert "<strong>Sue</strong>" in page.text


async def test_passwords_and_pasted_tokens_log_nobody_in_here(world: ConsoleWorld) -> None:
    browser = world.browser()

    answers = [await browser.post(path, csrf="x", name="a", password="b") for path in ("/login", "/login/token")]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert "People log in at the identity provider here" in answers[0].text


async def test_a_way_back_works_in_the_browser_that_began_it_alone(world: ConsoleWorld, provider: Provider) -> None:
    attacker, victim = world.browser(), world.browser()
    await sent_to(victim)

    answer = await victim.get(path_of(provider.agree(await sent_to(attacker))))

    assert (answer.status_code, provider.redeemed) == (403, [])


async def test_a_code_works_once(world: ConsoleWorld, provider: Provider) -> None:
    browser = world.browser()
    back = path_of(provider.agree(await sent_to(browser)))
    await browser.get(back)

    again = await browser.get(back)

    assert again.status_code == 403


@pytest.mark.parametrize("flaw", ["another subject", "no role of ours", "a changed state", "an error"])
async def test_what_does_not_fit_together_logs_nobody_in(world: ConsoleWorld, provider: Provider, flaw: str) -> None:
    browser = world.browser()
    back = path_of(provider.agree(await sent_to(browser)))
    if flaw == "another subject":
        provider.id_subject = "somebody else"
    elif flaw == "no role of ours":
        provider.roles = ["king"]
    elif flaw == "a changed state":
        back += "x"
    else:
        back = "/login/callback?error=access_denied&state=x"

    answer = await browser.get(back)

    assert answer.status_code == 403
    assert "The identity provider did not let you in" in answer.text
    assert (await browser.get("/")).headers["Location"] == "/login"


async def test_a_provider_that_is_away_is_said_on_a_page(make_world: MakeWorld) -> None:
    world = make_world(oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT)

    answer = await world.browser().get("/login/provider")

    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
