"""After each act the page that follows says once what happened and who is next; nothing of it comes from an address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.console.test_acts import dead_letters, hold_id
from tests.console.test_changes import FIELDS, made
from tests.console.test_reviews import steps
from tests.console.world import Browser, ConsoleWorld
from tests.orders.test_exceptions import on_the_way, opened

NOTICE = '<p class="notice" role="status">'


async def said(browser: Browser, done: httpx.Response) -> str:
    """The notice of the page that an act leads to; empty without one."""
    assert done.status_code == 303, done.text
    page = (await browser.get(done.headers["Location"])).text
    return page.partition(NOTICE)[2].partition("</p>")[0]


async def test_a_released_hold_is_said_once_with_who_is_next(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    number = numbers["held"]
    page = f"/orders/{number}/holds/{hold_id(world, number, 'accounting')}"
    browser = world.browser("accounting", sub="abe")

    done = await browser.send(page, page, note="a bank guarantee came in", version="1")

    assert await said(browser, done) == (
        f"The hold of {number} is released. Next: waiting on approver (release of approval hold)."
    )
    assert NOTICE not in (await browser.get(done.headers["Location"])).text


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        ("approve", "You approved {}. Next: waiting on approver (finance director approval)."),
        (
            "request_changes",
            "You requested changes to {}. Next: waiting on sales rep (changes that the review asked for).",
        ),
        ("reject", "You rejected {}. The customer is notified."),
    ],
)
async def test_a_decision_is_said_in_the_inbox_with_who_is_next(
    world: ConsoleWorld, numbers: dict[str, str], decision: str, sentence: str
) -> None:
    page = f"/reviews/{steps(world, numbers['reviewed'])[0].step_id}"
    browser = world.browser("approver", sub="max")

    done = await browser.send(page, page, decision=decision, version="1", note="so be it")

    assert await said(browser, done) == sentence.format(numbers["reviewed"])


async def test_a_change_is_said_to_be_submitted_withdrawn_or_answered(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    rita, ann = world.browser("sales_rep"), world.browser("customer")
    changing, backordered = numbers["changing"], numbers["backordered"]
    preview = f"/orders/{backordered}/change/preview?quantity-1=3&reason=x&version=1"
    answer = f"/my/orders/{changing}/changes/{made(world, changing)[0].change_id}/answer"

    submitted = await said(
        rita, await rita.send(preview, f"/orders/{backordered}/change", **FIELDS, **{"quantity-1": "3"})
    )
    withdrawal = f"/orders/{backordered}/changes/{made(world, backordered)[0].change_id}/withdraw"
    withdrawn = await said(rita, await rita.send(f"/orders/{backordered}", withdrawal))
    declined = await said(ann, await ann.send(f"/my/orders/{changing}", answer, answer="decline", version="1"))

    assert submitted == (
        f"The change of {backordered} is submitted. Next: waiting on customer (answer to the change proposed)."
    )
    assert withdrawn.startswith(f"The change of {backordered} is withdrawn.")
    assert declined == f"The change of {changing} is declined. The order stays as it was."


async def test_a_cancellation_and_a_resolved_exception_are_said(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    browser = world.browser("support", sub="sue")
    order_id = on_the_way(world.desk)
    number, [found] = world.desk.read(order_id).order.number, opened(world.desk, order_id)
    page = f"/exceptions/{found.exception_id}"
    cancel = f"/orders/{numbers['held']}/cancel"

    resolved = await said(browser, await browser.send(page, f"{page}/resolve", note="it comes tomorrow"))
    cancelled = await said(browser, await browser.send(cancel, cancel, reason="plans changed", version="1"))

    assert resolved == f"The exception of {number} is resolved."
    assert cancelled.startswith(
        (f"{numbers['held']} is canceled.", f"The cancellation of {numbers['held']} is requested.")
    )


async def test_a_retry_a_dismissal_and_a_delegation_are_said(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    keys = dead_letters(world, numbers["held"])
    admin, max_ = world.browser("admin"), world.browser("approver", sub="max")
    retry, dismiss = (f"/dead-letters/{source}/{keys[source]}" for source in ("message", "mail"))
    today = datetime.now(UTC).date()
    days = {"first": str(today), "last": str(today + timedelta(days=2))}

    retried = await said(admin, await admin.send(retry, f"{retry}/retry"))
    dismissed = await said(admin, await admin.send(dismiss, f"{dismiss}/dismiss", reason="the mailbox is gone"))
    delegated = await said(max_, await max_.send("/delegations", "/delegations", to="dan", confirmed="yes", **days))

    assert retried.startswith("The retry is under way.")
    assert dismissed.startswith("The message is dismissed.")
    assert delegated.startswith("Your approvals are delegated.")


@pytest.mark.parametrize(
    "kept",
    [
        "approve:<b>SO-1</b>",
        "no_such_code:SO-1001",
        "You won a prize",
        "approve:SO 1001",
        "",
        ":",
        "approve:" + "9" * 80,
    ],
)
async def test_a_cookie_that_we_never_left_says_nothing(world: ConsoleWorld, kept: str) -> None:
    browser = world.browser("support")
    browser.client.cookies.set("oms_notice", f'"{kept}"' if " " in kept else kept, domain="console.example")

    assert NOTICE not in (await browser.get("/reviews")).text


async def test_a_notice_about_an_order_of_others_tells_nothing_of_it(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    browser = world.browser("sales_rep", sub="otto")
    browser.client.cookies.set("oms_notice", f"approve:{numbers['held']}", domain="console.example")

    assert "Next: waiting on" not in (await browser.get("/reviews")).text


async def test_a_part_that_a_page_fetches_by_itself_leaves_the_notice_to_the_page(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    browser = world.browser("support")
    browser.client.cookies.set("oms_notice", f"hold_released:{numbers['held']}", domain="console.example")
    path = f"/orders/{numbers['held']}"

    part = (await browser.get(path, **{"HX-Request": "true"})).text
    whole = (await browser.get(path)).text

    assert (NOTICE in part, NOTICE in whole) == (False, True)
