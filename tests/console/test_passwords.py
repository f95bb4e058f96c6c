"""A password is its owner's: nobody else sets one or sees the link by which it is chosen, and both names are kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text, update

from services.orders.models import PasswordLinkRow, outbox
from tests.console.conftest import MakeWorld
from tests.console.test_login import PASSWORD, person, sql
from tests.console.world import ConsoleWorld

CHOSEN = "quite another password"


async def _ask(world: ConsoleWorld, role: str, sub: str, body: Any = None, *, by: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {world.token(role, sub=by or role)}"}
    return await world.browser().client.post(f"/v1/people/{sub}/password", json=body, headers=headers)


async def _post(world: ConsoleWorld, method: str, role: str, body: Any, **claims: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {world.token(role, **claims)}"}
    return await world.browser().client.request(method, "/v1/people", json=body, headers=headers)


def _mailed(world: ConsoleWorld) -> list[tuple[str, str]]:
    """(Mailbox, path of the link) of each link that is on its way."""
    with world.database.reading() as session:
        rows = session.execute(outbox.select().where(outbox.c.kind == "notify").order_by(outbox.c.position)).all()
    details = [row.detail for row in rows if row.detail["mail"] == "password_link"]
    return [
        (one["recipients"][0]["email"], re.sub(r"^https?://[^/]+", "", one["variables"]["link"])) for one in details
    ]


async def _choose(world: ConsoleWorld, link: str, password: str = CHOSEN, again: str = "") -> httpx.Response:
    return await world.browser().send(link, link, password=password, again=again or password)


async def _set_own(world: ConsoleWorld, password: str, sub: str = "mia") -> httpx.Response:
    headers = {"Authorization": f"Bearer {world.token('approver', sub=sub)}"}
    return await world.browser().client.post("/v1/me/password", json={"password": password}, headers=headers)


async def _log_in(world: ConsoleWorld, password: str) -> int:
    return (await world.browser().send("/login", "/login", name="mia", password=password)).status_code


async def test_an_administrator_has_a_link_sent_and_the_owner_alone_chooses(world: ConsoleWorld) -> None:
    person(world)

    answer = await _ask(world, "admin", "mia", by="root")
    [(mailbox, link)] = _mailed(world)
    before = await _log_in(world, PASSWORD)
    chosen = await _choose(world, link)

    assert (answer.status_code, answer.json()["sub"], mailbox) == (200, "mia", "mia@company.example")
    assert link.rsplit("/", 1)[-1] not in answer.text
    assert (before, chosen.status_code) == (303, 303)
    assert (await _log_in(world, CHOSEN), await _log_in(world, PASSWORD)) == (303, 403)
    assert link.rsplit("/", 1)[-1] not in str(sql(world, "SELECT * FROM password_link"))
    kept = sql(world, "SELECT who, sub, what FROM access_change WHERE sub = 'mia' ORDER BY change_id")
    assert [tuple(row) for row in kept] == [("root", "mia", "password_link_sent"), ("mia", "mia", "password_chosen")]


async def test_nobody_sets_a_password_for_somebody_else(world: ConsoleWorld) -> None:
    person(world, has_password=False)

    answer = await _ask(world, "admin", "mia", {"password": PASSWORD})

    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert sql(world, "SELECT count(*) FROM person_secret")[0][0] == 0
    assert _mailed(world) == []


async def test_a_password_that_somebody_else_set_before_logs_nobody_in(world: ConsoleWorld) -> None:
    person(world)
    with world.database.transaction() as session:
        session.execute(text("UPDATE person_secret SET changed_by = 'root'"))

    refused = await world.browser().send("/login", "/login", name="mia", password=PASSWORD)

    assert refused.status_code == 403
    assert "This password was set by somebody else" in refused.text


async def test_a_link_works_once_and_the_newest_alone(world: ConsoleWorld) -> None:
    person(world)
    for _ in range(2):
        await _ask(world, "admin", "mia", by="root")
    (_, older), (_, link) = _mailed(world)

    first = await _choose(world, link)
    again = await world.browser().get(link)

    assert (await world.browser().get(older)).status_code == 409
    assert (first.status_code, again.status_code) == (303, 409)
    assert (await world.browser().get("/login/password/made-up")).status_code == 409


async def test_a_link_is_over_after_a_day(make_world: MakeWorld) -> None:
    world = make_world()
    person(world)
    await _ask(world, "admin", "mia", by="root")
    with world.database.transaction() as session:
        session.execute(
            text(
                "UPDATE password_link SET issued_at = '2020-01-01T00:00:00.000000', expires_at = '2020-01-02T00:00:00.000000'"
            )
        )

    assert (await world.browser().get(_mailed(world)[0][1])).status_code == 409


@pytest.mark.parametrize(
    ("password", "again", "said"), [("short", "", "10 to 200"), (CHOSEN, "quite different", "differ")]
)
async def test_an_unfit_password_is_said_and_the_link_stays(
    world: ConsoleWorld, password: str, again: str, said: str
) -> None:
    person(world)
    await _ask(world, "admin", "mia", by="root")
    [(_, link)] = _mailed(world)

    answer = await _choose(world, link, password, again)

    assert (answer.status_code, said in answer.text) == (422, True)
    assert (await world.browser().get(link)).status_code == 200


async def test_who_changed_an_address_sends_no_link_to_it_and_neither_does_the_login_page(world: ConsoleWorld) -> None:
    person(world)
    moved = await _post(world, "PATCH", "admin", {"sub": "mia", "email": "root@evil.example"}, sub="root")

    refused = await _ask(world, "admin", "mia", by="root")
    await world.browser().send("/login/forgotten", "/login/forgotten", name="mia")
    mailed = _mailed(world)
    other = await _ask(world, "admin", "mia", by="second")

    assert moved.status_code == 200
    assert (refused.status_code, refused.json()["code"], mailed) == (403, "ADDRESS_CHANGED_BY_YOU", [])
    assert (other.status_code, [mailbox for mailbox, _ in _mailed(world)]) == (200, ["root@evil.example"])
    history = await world.browser().client.get(
        "/v1/people/changes?sub=mia", headers={"Authorization": f"Bearer {world.token('auditor')}"}
    )
    assert [(row["who"], row["what"]) for row in history.json()["rows"]] == [
        ("root", "entry_changed"),
        ("second", "password_link_sent"),
    ]
    assert "evil" not in history.text


async def test_a_person_asks_for_their_own_link_and_strangers_learn_nothing(world: ConsoleWorld) -> None:
    person(world, has_password=False)
    answers = [
        await world.browser().send("/login/forgotten", "/login/forgotten", name=name) for name in ("mia", "nobody")
    ]

    assert answers[0].text.split("</h1>")[1] == answers[1].text.split("</h1>")[1]
    assert [mailbox for mailbox, _ in _mailed(world)] == ["mia@company.example"]


async def _forgotten(world: ConsoleWorld, name: str = "mia") -> httpx.Response:
    return await world.browser().send("/login/forgotten", "/login/forgotten", name=name)


def _age_links(world: ConsoleWorld, minutes: int) -> None:
    with world.database.transaction() as session:
        issued = datetime.now(UTC) - timedelta(minutes=minutes)
        session.execute(update(PasswordLinkRow).values(issued_at=issued))


@pytest.mark.parametrize(("minutes", "links"), [(9, 1), (11, 2)])
async def test_a_link_that_was_asked_for_is_mailed_again_only_once_the_last_one_is_no_longer_young(
    world: ConsoleWorld, minutes: int, links: int
) -> None:
    person(world)

    first = await _forgotten(world)
    _age_links(world, minutes)
    second = await _forgotten(world)

    assert first.text.split("</h1>")[1] == second.text.split("</h1>")[1]
    mailed = _mailed(world)
    assert len(mailed) == links
    assert (await world.browser().get(mailed[-1][1])).status_code == 200
    assert len(sql(world, "SELECT * FROM access_change WHERE what = 'password_link_sent'")) == links


async def test_a_link_that_was_used_is_followed_by_another_at_once(world: ConsoleWorld) -> None:
    person(world)

    await _forgotten(world)
    await _choose(world, _mailed(world)[0][1])
    await _forgotten(world)

    assert len(_mailed(world)) == 2


async def test_a_stranger_who_asks_ends_no_link_that_an_administrator_sent(world: ConsoleWorld) -> None:
    person(world)
    await _ask(world, "admin", "mia", by="root")
    [(_, link)] = _mailed(world)

    for _ in range(2):
        _age_links(world, 11)
        await _forgotten(world)

    assert len(_mailed(world)) == 3
    assert (await world.browser().get(link)).status_code == 200
    assert (await world.browser().get(_mailed(world)[1][1])).status_code == 409


async def test_who_asks_for_links_to_a_name_does_not_keep_its_owner_from_logging_in(world: ConsoleWorld) -> None:
    person(world)

    asked = [(await _forgotten(world)).status_code for _ in range(6)]

    assert asked == [200] * 5 + [429]
    assert await _log_in(world, PASSWORD) == 303


@pytest.mark.parametrize(
    ("role", "sub", "more", "status", "code"),
    [
        ("support", "mia", {}, 403, "ROLE_NOT_ALLOWED"),
        ("admin", "nobody", {}, 404, "PERSON_UNKNOWN"),
        ("admin", "mia", {"is_active": False}, 404, "PERSON_UNKNOWN"),
        ("admin", "mia", {"email": ""}, 409, "MAILBOX_MISSING"),
    ],
)
async def test_a_link_goes_to_nobody_without_a_reader(
    world: ConsoleWorld, role: str, sub: str, more: dict[str, Any], status: int, code: str
) -> None:
    person(world, has_password=False, **more)

    answer = await _ask(world, role, sub)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert _mailed(world) == []


async def test_who_gave_whom_which_rights_is_kept_with_both_names(world: ConsoleWorld) -> None:
    entry = {"sub": "zoe", "name": "Zoe", "roles": ["support"]}
    await _post(world, "POST", "admin", entry, sub="root")
    limits = [{"amount": "100.00", "currency": "USD"}]
    await _post(world, "PATCH", "admin", {"sub": "zoe", "roles": ["approver"], "limits": limits}, sub="root")
    await _post(world, "PATCH", "admin", {"sub": "zoe", "name": "Zoe Zimmer"}, sub="root")

    headers = {"Authorization": f"Bearer {world.token('admin', sub='root')}"}
    rows = (await world.browser().client.get("/v1/people/changes?sub=zoe", headers=headers)).json()["rows"]

    assert [(row["who"], row["sub"], row["detail"]) for row in rows] == [
        ("root", "zoe", {"roles": [[], ["support"]], "is_active": [False, True]}),
        ("root", "zoe", {"roles": [["support"], ["approver"]], "limits": [{}, {"USD": 10000}]}),
    ]


@pytest.mark.parametrize(
    ("sub", "password", "status", "code"),
    [
        ("mia", CHOSEN, 200, None),
        ("nobody", CHOSEN, 404, "PERSON_UNKNOWN"),
        ("mia", "short", 422, "INVALID_REQUEST"),
        ("mia", "x" * 201, 422, "INVALID_REQUEST"),
    ],
)
async def test_who_comes_with_their_own_token_sets_their_own(
    world: ConsoleWorld, sub: str, password: str, status: int, code: str | None
) -> None:
    person(world)

    answer = await _set_own(world, password, sub)

    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert (await _log_in(world, CHOSEN)) == (303 if status == 200 else 403)


@pytest.mark.parametrize("is_by_link", [True, False])
@pytest.mark.parametrize(
    ("chosen", "typed"),
    [
        ("caf\u00e9 at noon", "cafe\u0301 at noon"),
        ("cafe\u0301 at noon", "caf\u00e9 at noon"),
        ("two  blanks here", "two  blanks here"),
        (" blanks around ", " blanks around "),
        ("blank of\u00a0paper", "blank of paper"),
    ],
)
async def test_a_password_is_the_same_by_every_door_and_from_every_keyboard(
    world: ConsoleWorld, chosen: str, typed: str, is_by_link: bool
) -> None:
    person(world)

    if is_by_link:
        await _forgotten(world)
        status = (await _choose(world, _mailed(world)[0][1], chosen)).status_code
    else:
        status = (await _set_own(world, chosen)).status_code

    assert status == (303 if is_by_link else 200)
    assert await _log_in(world, typed) == 303


async def test_blanks_make_no_password_longer(world: ConsoleWorld) -> None:
    person(world)

    answer = await _set_own(world, "short" + " " * 20 + "one")

    assert (answer.status_code, answer.json()["code"]) == (422, "PASSWORD_UNFIT")
