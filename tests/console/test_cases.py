from __future__ import annotations

import re

import pytest

from gateway.console import support_cases
from services.orders.domain.feedback import Opinion
from services.orders.lifecycle import feedback
from tests.console.world import ConsoleWorld, delivered
from tests.orders.desk import BUYER, CONTACTS


def give(world: ConsoleWorld, opinion: Opinion) -> str:
    """The number of an order that has arrived and of which its customer says this."""
    order_id = delivered(world.desk, world.desk.accepted(("PUMP", 2)))
    with world.database.transaction() as session:
        feedback.give(session, order_id, BUYER, opinion, CONTACTS.support, world.desk.now)
    return world.desk.read(order_id).order.number


async def test_an_orders_page_shows_its_support_case_with_what_the_customer_said(world: ConsoleWorld) -> None:
    number = give(world, Opinion(2, "the box was wet", wants_support=True))

    page = (await world.browser("support").get(f"/orders/{number}")).text

    section = page.partition('id="feedback"')[2].partition("</section>")[0]
    assert "Support case CASE-1001" in section
    assert "2 of 5, requests support</strong>: <bdi>the box was wet</bdi>" in section
    assert "Ann (customer)" in section


async def test_praise_is_shown_on_the_order_and_is_no_case(world: ConsoleWorld) -> None:
    number = give(world, Opinion(5, "quick"))
    browser = world.browser("support")

    page = (await browser.get(f"/orders/{number}")).text

    assert "5 of 5</strong>: <bdi>quick</bdi>" in page
    assert "CASE-" not in page
    assert "No support cases" in (await browser.get("/cases")).text


async def test_the_overview_counts_support_cases_and_leads_to_them_newest_first(world: ConsoleWorld) -> None:
    first, second = give(world, Opinion(1, "late")), give(world, Opinion(None, "call me", wants_support=True))
    browser = world.browser("support")

    overview, listed = (await browser.get("/")).text, (await browser.get("/cases")).text

    assert '<a href="/cases"><span class="count waits">2</span> support cases' in overview
    assert re.findall(r'href="/orders/(SO-\d+)#feedback">(CASE-\d+)', listed) == [
        (second, "CASE-1002"), (first, "CASE-1001"),
    ]  # fmt: skip


async def test_a_search_for_a_support_case_finds_its_order(world: ConsoleWorld) -> None:
    number = give(world, Opinion(1, "late"))

    page = (await world.browser("support").get("/?q=case-1001")).text

    assert re.findall(r'href="/orders/(SO-\d+)"', page) == [number]


async def test_support_cases_of_customers_of_somebody_else_are_not_shown(world: ConsoleWorld) -> None:
    give(world, Opinion(1, "late"))

    pages = [(await world.browser("sales_rep", sub=sub).get("/cases")).text for sub in ("rita", "sam")]

    assert ["CASE-1001" in page for page in pages] == [True, False]


async def test_pages_of_support_cases_join_without_gap(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support_cases, "PAGE", 2)
    for _ in range(3):
        give(world, Opinion(1))
    browser = world.browser("support")

    first = (await browser.get("/cases")).text
    second = (await browser.get("/cases?before=CASE-1002")).text

    assert 'href="/cases?before=CASE-1002">Next page' in first
    assert [re.findall(r">(CASE-\d+)<", page) for page in (first, second)] == [
        ["CASE-1003", "CASE-1002"], ["CASE-1001"],
    ]  # fmt: skip
    assert "Next page" not in second
