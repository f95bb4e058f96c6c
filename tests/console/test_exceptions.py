from __future__ import annotations

import re

from tests.console.world import ConsoleWorld
from tests.orders.test_exceptions import on_the_way, opened, undeliverable

EMPTY = "No exceptions. A carrier exception, an address that no carrier serves, or an order without a workflow appears here."


async def test_an_exception_is_on_the_overview_the_list_and_its_orders_page(world: ConsoleWorld) -> None:
    order_id = on_the_way(world.desk)
    number, [found] = world.desk.read(order_id).order.number, opened(world.desk, order_id)
    browser = world.browser("support")

    overview, listed, order = [(await browser.get(path)).text for path in ("/", "/exceptions", f"/orders/{number}")]

    assert '<a href="/exceptions"><span class="count blocks">1</span> exceptions' in overview
    for page in (listed, order):
        assert f'href="/exceptions/{found.exception_id}"' in page
        assert found.reason in page
    assert found.what_to_do in listed
    assert "<strong>Carrier exception</strong> (support: Sue)" in order
    assert "opened an exception" in order


async def test_resolving_needs_a_note_leaves_the_list_and_is_in_the_timeline(world: ConsoleWorld) -> None:
    order_id = on_the_way(world.desk)
    number, [found] = world.desk.read(order_id).order.number, opened(world.desk, order_id)
    page = f"/exceptions/{found.exception_id}"
    browser = world.browser("support", sub="sue")

    silent = await browser.send(page, f"{page}/resolve", note=" ")
    done = await browser.send(page, f"{page}/resolve", note="it comes tomorrow")
    listed, resolved, order, after = [
        (await browser.get(path)).text
        for path in ("/exceptions", "/exceptions?show=resolved", f"/orders/{number}", page)
    ]

    assert (silent.status_code, "Say how it was resolved" in silent.text) == (422, True)
    assert (done.status_code, done.headers["Location"]) == (303, "/exceptions")
    assert EMPTY in listed
    assert "it comes tomorrow" in resolved
    assert "<strong>Sue</strong>" in order
    assert "resolved an exception" in order
    assert "<strong>Carrier exception</strong>" not in order
    assert "it comes tomorrow" in after
    assert "<form action" not in after.partition("<main")[2]


async def test_who_may_not_resolve_is_told_who_may(world: ConsoleWorld) -> None:
    [found] = opened(world.desk, on_the_way(world.desk))
    browser = world.browser("accounting", sub="abe")

    shown = (await browser.get(f"/exceptions/{found.exception_id}")).text
    forced = await browser.post(f"/exceptions/{found.exception_id}/resolve", csrf=browser.csrf, note="x")

    assert "Only support may resolve it. Your role is accounting" in shown
    assert forced.status_code == 403


async def test_a_sales_representative_sees_those_of_assigned_customers(world: ConsoleWorld) -> None:
    undeliverable(world.desk)

    theirs = (await world.browser("sales_rep").get("/exceptions")).text
    others = (await world.browser("sales_rep", sub="otto").get("/exceptions")).text

    assert "No carrier serves TX 75001 US." in theirs
    assert "No carrier serves TX 75001 US." not in others


async def test_the_warehouse_reads_exceptions_without_links_to_pages_that_it_may_not_open(world: ConsoleWorld) -> None:
    number = world.desk.read(on_the_way(world.desk)).order.number

    page = (await world.browser("warehouse").get("/exceptions")).text

    assert number in page
    assert f'href="/orders/{number}"' not in page


async def test_many_exceptions_come_in_pages(world: ConsoleWorld) -> None:
    for _ in range(51):
        undeliverable(world.desk)
    browser = world.browser("support")

    first = (await browser.get("/exceptions")).text
    following = re.search(r'href="(/exceptions\?after=[^"]+)"', first)
    assert following
    second = (await browser.get(following.group(1))).text

    assert (first.count('<td data-of="Exception">'), second.count('<td data-of="Exception">')) == (50, 1)


async def test_an_order_without_a_workflow_is_repaired_from_its_exception(world: ConsoleWorld) -> None:
    desk = world.desk
    order_id = desk.accepted(("PUMP", 1))
    desk.record(order_id, "interrupted", "9", waiting_for="Somebody stopped its workflow by hand.")
    [found] = opened(desk, order_id)
    number = desk.read(order_id).order.number
    world.workflows.lost = {number}
    page = f"/exceptions/{found.exception_id}"
    browser = world.browser("support", sub="sue")

    shown = (await browser.get(page)).text
    others = (await world.browser("accounting").get(page)).text
    done = await browser.send(page, f"{page}/repair")

    assert f"{page}/repair" in shown
    assert f"{page}/repair" not in others
    assert (done.status_code, done.headers["Location"]) == (303, "/exceptions")
    assert [row["detail"]["resumption"] for row in desk.outbox("workflow_resumed", order_id)] == [1]
