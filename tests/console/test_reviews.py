from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from oms.billing.v1 import billing_pb2 as billing
from oms.types.v1 import types_pb2 as types
from services.orders.domain.reviews import Step
from services.orders.store import orders, people, reviews
from tests.console.world import ConsoleWorld


def steps(world: ConsoleWorld, number: str) -> tuple[Step, ...]:
    with world.database.reading() as session:
        return reviews.of_order(session, orders.find_id(session, number))[-1].steps


async def test_the_inbox_shows_what_asks_me_and_leads_to_the_page_that_decides(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    manager, _director = steps(world, numbers["reviewed"])

    mine = (await world.browser("approver", sub="max").get("/reviews")).text
    not_yet = (await world.browser("approver", sub="fay").get("/reviews")).text
    overview = (await world.browser("approver", sub="max").get("/")).text

    assert f'href="/reviews/{manager.step_id}"' in mine
    assert "manager approval" in mine
    assert "Nothing is waiting for you" in not_yet
    assert '<span class="count waits">1</span> reviews for you' in overview


async def test_the_page_that_decides_says_why_how_much_and_who_is_next(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    manager, _director = steps(world, numbers["reviewed"])

    page = (await world.browser("approver", sub="max").get(f"/reviews/{manager.step_id}")).text

    for shown in ("The order is over 25,000.", "300 × PUMP", "41,505.75", "finance director approval", "38.0%"):
        assert shown in page
    assert 'value="request_changes"' in page


async def test_the_page_that_decides_shows_what_was_asked_before_and_what_sales_answered(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number = numbers["reviewed"]
    first = f"/reviews/{steps(world, number)[0].step_id}"
    max_ = world.browser("approver", sub="max")
    before = (await max_.get(first)).text
    await max_.send(first, first, decision="request_changes", version="1", note="why so many?")
    answer = f"/orders/{number}/answer"
    await world.browser("support", sub="dan").send(answer, answer, version="1", note="for the new plant")

    page = (await max_.get(f"/reviews/{steps(world, number)[0].step_id}")).text

    talk = page.partition("Earlier questions and answers")[2].partition("</section>")[0]
    assert "Earlier questions and answers" not in before
    assert "<strong>Max</strong> requested changes: <bdi>why so many?</bdi>" in talk
    assert "<strong>Dan</strong> resubmitted the order for review: <bdi>for the new plant</bdi>" in talk


async def test_the_page_that_decides_shows_the_credit_and_does_without_it(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/reviews/{steps(world, numbers['reviewed'])[0].step_id}"
    limit = types.Money(minor_units=50_000_00, currency="USD")
    world.billing.PutCreditAccount(billing.PutCreditAccountRequest(customer_id="cus_acme", limit=limit, net_days=30))
    browser = world.browser("approver", sub="max")

    with_credit = await browser.get(page)
    world.billing.is_away = True
    without = await browser.get(page)

    assert "50,000.00" in with_credit.text
    assert (without.status_code, "Credit limit" in without.text, "Approve" in without.text) == (200, False, True)


async def test_a_decision_is_taken_and_the_next_level_opens(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    manager, director = steps(world, numbers["reviewed"])
    page = f"/reviews/{manager.step_id}"

    done = await world.browser("approver", sub="max").send(page, page, decision="approve", version="1", note="fine")

    fay = world.browser("approver", sub="fay")
    order = (await fay.get(f"/orders/{numbers['reviewed']}")).text
    assert (done.status_code, done.headers["Location"]) == (303, "/reviews")
    assert [step.state for step in steps(world, numbers["reviewed"])] == ["approved", "open"]
    assert f'href="/reviews/{director.step_id}"' in (await fay.get("/reviews")).text
    assert "<strong>Max</strong>" in order
    assert [update for _, update, _ in world.workflows.refreshed] == ["decide"]


async def test_who_may_not_decide_is_told_who_may_and_is_refused(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    manager, _director = steps(world, numbers["reviewed"])
    page = f"/reviews/{manager.step_id}"
    fay = world.browser("approver", sub="fay")

    shown = (await fay.get(page)).text
    forced = await fay.post(page, csrf=fay.csrf, decision="approve", version="1", note="x")

    assert "Approvers: <strong>Max</strong>" in shown
    assert 'name="decision"' not in shown
    assert forced.status_code == 403
    assert steps(world, numbers["reviewed"])[0].state == "open"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"decision": "reject", "version": "1", "note": " "}, 422),
        ({"decision": "approve", "version": "7"}, 409),
        ({"decision": "approve"}, 422),
        ({"decision": "bless", "version": "1"}, 422),
    ],
)
async def test_a_decision_without_a_note_or_on_another_version_is_refused_with_a_sentence(
    world: ConsoleWorld, numbers: dict[str, str], fields: dict[str, str], status: int
) -> None:
    page = f"/reviews/{steps(world, numbers['reviewed'])[0].step_id}"

    answer = await world.browser("approver", sub="max").send(page, page, **fields)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert steps(world, numbers["reviewed"])[0].state == "open"


async def test_a_customer_sees_no_step_of_ours(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    browser = world.browser("customer", sub="peg")

    assert (await browser.get(f"/reviews/{steps(world, numbers['reviewed'])[0].step_id}")).status_code == 404
    assert numbers["reviewed"] not in (await browser.get("/reviews?for=all")).text


async def test_a_manager_hands_decisions_over_and_takes_them_back(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    manager, _director = steps(world, numbers["reviewed"])
    page = f"/reviews/{manager.step_id}"
    max_, dan = world.browser("approver", sub="max"), world.browser("approver", sub="dan")
    today = datetime.now(UTC).date()
    before = (await dan.get(page)).text

    form = (await max_.get("/delegations")).text
    wanted = {"to": "dan", "first": str(today), "last": str(today + timedelta(days=2)), "note": "on leave"}
    unconfirmed = await max_.send("/delegations", "/delegations", **wanted)
    made = await max_.send("/delegations", "/delegations", confirmed="yes", **wanted)
    listed = (await max_.get("/delegations")).text
    during = (await dan.get(page)).text

    assert (unconfirmed.status_code, "Confirm that this person decides instead" in unconfirmed.text) == (422, True)
    assert made.status_code == 303
    assert re.findall(r'<option value="([^"]*)"( selected)?>', form) == [
        ("", ""),
        ("dan", ""),
        ("fay", ""),
        ("rita", ""),
    ]
    assert "on leave" in listed
    assert 'name="decision"' not in before
    assert 'name="decision"' in during
    path = listed.partition('action="/delegations/del_')[2].partition('"')[0]
    ended = await max_.send("/delegations", f"/delegations/del_{path}")
    assert (ended.status_code, 'name="decision"' in (await dan.get(page)).text) == (303, False)


async def test_decisions_are_handed_over_for_days_on_the_companys_clock(world: ConsoleWorld) -> None:
    world.desk.database.time_zone = "America/Chicago"

    day = {"first": "2030-06-01", "last": "2030-06-01", "note": "away"}
    await world.browser("approver", sub="max").send("/delegations", "/delegations", to="dan", confirmed="yes", **day)

    with world.desk.database.reading() as session:
        (made,) = [one for one in people.delegations_to(session, "dan") if one.note == "away"]
    # midnight there is 05:00 UTC in summer
    assert (made.valid_from, made.valid_to) == (
        datetime(2030, 6, 1, 5, tzinfo=UTC),
        datetime(2030, 6, 2, 5, tzinfo=UTC),
    )


async def test_nobody_hands_over_to_themselves_or_without_days(world: ConsoleWorld) -> None:
    browser = world.browser("approver", sub="max")
    today = str(datetime.now(UTC).date())

    to_self = await browser.send("/delegations", "/delegations", to="max", first=today, last=today, confirmed="yes")
    without = await browser.send("/delegations", "/delegations", to="dan", first="", last=today, confirmed="yes")
    negative = await browser.send(
        "/delegations", "/delegations", to="dan", first=today, last=today, confirmed="yes", most="-5", currency="USD"
    )
    for_ever = await browser.send(
        "/delegations", "/delegations", to="dan", first=today, last="9999-12-31", confirmed="yes"
    )

    turned = await browser.send(
        "/delegations", "/delegations", to="dan", first=today, last="2026-01-01", confirmed="yes"
    )

    assert [answer.status_code for answer in (to_self, without, negative, for_ever, turned)] == [422] * 5
    assert "It would end before it begins: choose a later last day" in turned.text
    assert "Hand your decisions to somebody else" in to_self.text


@pytest.mark.parametrize(
    "wrong", [{"first": "0001-01-01"}, {"last": "0026-12-01"}, {"most": "1" * 13, "currency": "USD"}]
)
async def test_a_handing_over_takes_no_day_and_no_amount_that_the_api_refuses(
    world: ConsoleWorld, wrong: dict[str, str]
) -> None:
    world.desk.database.time_zone = "Asia/Tokyo"  # where the first day of the calendar begins before it
    entries = {"to": "dan", "first": "2030-06-01", "last": "2030-06-02", "confirmed": "yes", **wrong}

    answer = await world.browser("approver", sub="max").send("/delegations", "/delegations", **entries)

    assert answer.status_code == 422


@pytest.mark.parametrize("day", ["0026-12-01", "9999-12-31", "2026-02-30", "soon"])
async def test_an_approval_takes_no_day_that_the_api_refuses(
    world: ConsoleWorld, numbers: dict[str, str], day: str
) -> None:
    page = f"/reviews/{steps(world, numbers['reviewed'])[0].step_id}"

    answer = await world.browser("approver", sub="max").send(
        page, page, decision="approve", version="1", ready_on=day, note=""
    )

    assert (answer.status_code, "Ready on: " in answer.text) == (422, True)


async def test_a_review_that_requested_changes_is_answered_on_a_page_of_its_own(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number = numbers["reviewed"]
    page = f"/reviews/{steps(world, number)[0].step_id}"
    await world.browser("approver", sub="max").send(
        page, page, decision="request_changes", version="1", note="is that price agreed?"
    )
    dan = world.browser("support", sub="dan")

    order = (await dan.get(f"/orders/{number}")).text
    answer = await dan.get(f"/orders/{number}/answer")
    done = await dan.send(f"/orders/{number}/answer", f"/orders/{number}/answer", version="1", note="it is, by phone")
    again = await dan.get(f"/orders/{number}/answer")

    assert f'href="/orders/{number}/answer"' in order
    assert "is that price agreed?" in answer.text
    assert (done.status_code, done.headers["Location"]) == (303, f"/orders/{number}")
    assert "No review of this order is waiting for an answer" in again.text
    assert "resubmitted the order for review" in (await dan.get(f"/orders/{number}")).text
