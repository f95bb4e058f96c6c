from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from sqlalchemy import text

from services.orders.access import logins
from services.orders.models import PersonRow
from tests.console.conftest import MakeWorld
from tests.console.world import ConsoleWorld

PASSWORD = "a long enough password"


def person(world: ConsoleWorld, sub: str = "mia", *, has_password: bool = True, **more: Any) -> None:
    """Somebody in the directory, a manager with the role of an approver."""
    row = {
        "name": sub.title(), "email": f"{sub}@company.example", "roles": ["approver"], "positions": [], "company": "",
        "manager": "", "calendar": "", "is_active": True, "limits": {}, "changed_at": datetime.now(UTC), "changed_by": "root",
    }  # fmt: skip
    with world.database.transaction() as session:
        session.merge(PersonRow(sub=sub, **{**row, **more}))
        if has_password:
            logins.set_password(session, sub, hashed(), datetime.now(UTC))


@cache
def hashed() -> str:
    """The password's hash: to make one takes a fifth of a second, on purpose."""
    return logins.hash_password(PASSWORD)


def sql(world: ConsoleWorld, statement: str) -> list[Any]:
    with world.database.reading() as session:
        return list(session.execute(text(statement)).all())


async def test_a_person_logs_in_by_name_and_password_and_goes_on_where_they_were(world: ConsoleWorld) -> None:
    person(world)
    browser = world.browser()
    led = await browser.get("/orders/SO-1001?x=1")

    entered = await browser.send(
        led.headers["Location"], "/login", name="mia", password=PASSWORD, back="/orders/SO-1001?x=1"
    )
    page = await browser.get(entered.headers["Location"])

    assert led.headers["Location"] == "/login?back=%2Forders%2FSO-1001%3Fx%3D1"
    assert (entered.status_code, entered.headers["Location"]) == (303, "/orders/SO-1001?x=1")
    assert page.status_code == 200
    assert "<strong>Mia</strong>" in page.text


async def test_the_cookie_is_kept_as_a_hash_and_no_script_or_other_site_gets_at_it(make_world: MakeWorld) -> None:
    plain = make_world()
    person(plain)
    entered = await plain.browser().send("/login", "/login", name="mia", password=PASSWORD)

    flags = next(each for each in entered.headers.get_list("set-cookie") if each.startswith("oms_session="))
    cookie = flags.partition("=")[2].partition(";")[0]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {flag.strip() for flag in flags.split(";")}
    assert [cookie in str(row) for row in sql(plain, "SELECT * FROM console_session")] == [False]
    assert sql(plain, "SELECT length(cookie_sha256) FROM console_session")[0][0] == 64


async def test_over_https_the_cookie_is_tied_to_the_host(make_world: MakeWorld) -> None:
    world = make_world(public_url="https://console.example")
    person(world)
    browser = world.browser()
    browser.client.base_url = "https://console.example"

    entered = await browser.send("/login", "/login", name="mia", password=PASSWORD)

    flags = next(each for each in entered.headers.get_list("set-cookie") if each.startswith("__Host-oms_session="))
    assert "Secure" in flags
    assert "Domain" not in flags


@pytest.mark.parametrize(
    ("name", "password"), [("mia", "wrong password"), ("nobody", PASSWORD), ("tom", PASSWORD), ("", "")]
)
async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(
    world: ConsoleWorld, name: str, password: str
) -> None:
    person(world)
    person(world, "tom", has_password=False)

    answer = await world.browser().send("/login", "/login", name=name, password=password)

    assert answer.status_code == 403
    assert "Wrong user name or password" in answer.text
    assert sql(world, "SELECT count(*) FROM console_session")[0][0] == 0


def test_an_unknown_name_takes_as_long_as_a_wrong_password() -> None:
    known = logins.hash_password(PASSWORD)
    logins.is_password_right("", "warm up")

    def cpu_of(argon2: str) -> float:
        started = time.process_time()
        assert not logins.is_password_right(argon2, "wrong password")
        return time.process_time() - started

    assert 0.5 < min(cpu_of("") for _ in range(3)) / min(cpu_of(known) for _ in range(3)) < 2


async def test_the_sixth_try_within_a_minute_is_told_to_wait_even_with_the_right_password(world: ConsoleWorld) -> None:
    person(world)
    browser = world.browser()

    answers = [await browser.send("/login", "/login", name="mia", password="wrong") for _ in range(5)]
    sixth = await browser.send("/login", "/login", name="mia", password=PASSWORD)

    assert [answer.status_code for answer in answers] == [403] * 5
    assert (sixth.status_code, "Too many attempts" in sixth.text) == (429, True)


async def test_a_login_by_token_ends_with_the_token(world: ConsoleWorld) -> None:
    browser = world.browser()
    token = world.token("support", sub="sue", ttl=timedelta(minutes=5))

    entered = await browser.send("/login", "/login/token", token=token)

    (expires_at,) = sql(world, "SELECT expires_at FROM console_session")[0]
    assert entered.status_code == 303
    assert datetime.fromisoformat(expires_at) < datetime.now(UTC) + timedelta(minutes=6)
    assert (await browser.get("/")).status_code == 200


async def test_a_token_of_somebody_else_logs_nobody_in(world: ConsoleWorld) -> None:
    answer = await world.browser().send("/login", "/login/token", token="eyJhbGciOiJub25lIn0.e30.")

    assert answer.status_code == 403
    assert "The token is not acceptable" in answer.text


async def test_a_login_form_of_another_browser_logs_nobody_in(world: ConsoleWorld) -> None:
    person(world)
    attacker, victim = world.browser(), world.browser()
    await victim.get("/login")
    page = (await attacker.get("/login")).text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]

    answer = await victim.post("/login", csrf=csrf, name="mia", password=PASSWORD)

    assert answer.status_code == 403
    assert sql(world, "SELECT count(*) FROM console_session")[0][0] == 0


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "/login",
        "/logout",
        "\x00",
    ],
)
async def test_nobody_is_led_elsewhere_after_logging_in(world: ConsoleWorld, back: str) -> None:
    person(world)

    entered = await world.browser().send("/login", "/login", name="mia", password=PASSWORD, back=back)

    assert entered.headers.get("Location", "/") == "/"


async def test_logging_out_ends_the_login_here_and_at_the_server(world: ConsoleWorld) -> None:
    browser = world.browser("support")
    left = await browser.send("/", "/logout")
    again = world.browser()
    again.client.cookies.set("oms_session", browser.cookie, domain="console.example")

    assert (left.status_code, left.headers["Location"]) == (303, "/login")
    assert (await again.get("/")).headers["Location"] == "/login"


async def test_another_site_can_log_nobody_out(world: ConsoleWorld) -> None:
    browser = world.browser("support")

    answer = await browser.post("/logout", csrf="guessed")

    assert answer.status_code == 403
    assert (await browser.get("/")).status_code == 200


async def test_a_form_without_its_token_does_nothing(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    browser = world.browser("support")

    answer = await browser.post(f"/orders/{numbers['held']}/cancel", reason="x")

    assert answer.status_code == 403
    assert "This form belongs to another login" in answer.text


async def test_a_login_that_is_over_leads_to_the_login_page(world: ConsoleWorld) -> None:
    browser = world.browser("support")
    with world.database.transaction() as session:
        session.execute(text("UPDATE console_session SET opened_at = '2020-01-01', expires_at = '2020-01-02'"))

    assert (await browser.get("/cases")).headers["Location"] == "/login?back=%2Fcases"


async def test_a_long_query_is_left_behind_rather_than_the_way_back(world: ConsoleWorld) -> None:
    led = (await world.browser().get(f"/orders/SO-1001/change/preview?reason={'x' * 900}")).headers["Location"]

    assert led == "/login?back=%2Forders%2FSO-1001%2Fchange%2Fpreview"
    assert (await world.browser().get(led)).status_code == 200


async def test_htmx_is_led_to_the_login_page_as_a_whole(world: ConsoleWorld) -> None:
    answer = await world.browser().get("/", **{"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/login")


async def test_who_leaves_the_system_is_logged_out_at_once(world: ConsoleWorld) -> None:
    person(world, "sue")
    by_token, by_password = world.browser("support", sub="sue"), world.browser()
    await by_password.send("/login", "/login", name="sue", password=PASSWORD)

    person(world, "sue", has_password=False, is_active=False)

    assert (await by_token.get("/")).headers["Location"] == "/login"
    assert (await by_password.get("/")).headers["Location"] == "/login"


async def test_a_role_that_is_taken_away_is_gone_with_the_next_page(world: ConsoleWorld) -> None:
    person(world, "sue", roles=["support"])
    browser = world.browser()
    await browser.send("/login", "/login", name="sue", password=PASSWORD)
    before = await browser.get("/cases")

    person(world, "sue", has_password=False, roles=["accounting"])

    assert (before.status_code, (await browser.get("/cases")).status_code) == (200, 403)


async def test_a_new_password_logs_everybody_with_the_old_one_out(world: ConsoleWorld) -> None:
    person(world)
    browser = world.browser()
    await browser.send("/login", "/login", name="mia", password=PASSWORD)

    person(world)

    assert (await browser.get("/")).headers["Location"] == "/login"
