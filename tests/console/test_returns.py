"""Returns on the pages: asked for by the customer, decided by support, counted and inspected by the warehouse, refunded once."""

from __future__ import annotations

from typing import Any

import pytest

from oms.billing.v1 import billing_pb2 as billing
from oms.types.v1 import types_pb2 as types
from services.orders.domain.returns import Return
from services.orders.returns import reading
from tests.console.money_world import hidden_in
from tests.console.world import BASE, ConsoleWorld
from tests.orders.desk import BUYER
from tests.orders.test_returns import _advance, _ask, _count, _credit, _delivered, _inspect


def returned(world: ConsoleWorld) -> tuple[Return, Return]:
    """RMA-1001 waits for support; of RMA-1002 two of three have come, and one is inspected and credited."""
    world.warehouse("W1", "Dallas")
    order_id = _delivered(world.desk)
    waiting, coming = _ask(world.desk, order_id, 5), _ask(world.desk, order_id, 3)
    _advance(world.desk, coming, done="announced")
    _count(world.desk, coming, 2)
    _inspect(world.desk, coming, 1)
    _credit(world.desk, coming, minor=138_35)
    return waiting, coming


def _read(world: ConsoleWorld, number: str) -> Return:
    with world.database.reading() as session:
        return reading.one(session, number)


async def test_the_list_says_what_waits_for_whom(world: ConsoleWorld) -> None:
    browser = world.browser("support")
    empty = (await browser.get("/returns")).text
    returned(world)

    page = " ".join((await browser.get("/returns")).text.split())
    floor = (await world.browser("warehouse").get("/returns")).text

    assert "No returns are under way." in empty
    assert page.index("To authorize") < page.index("RMA-1001") < page.index("To inspect") < page.index("RMA-1002")
    assert "partially received" in page
    assert '<a href="/orders/' not in floor


async def test_support_authorizes_with_a_fee_and_denies_with_a_reason(world: ConsoleWorld) -> None:
    waiting, _ = returned(world)
    browser, page = world.browser("support", sub="sue"), f"/returns/{waiting.number}"

    wordless = await browser.send(page, f"{page}/deny", note="")
    wrong = await browser.send(page, f"{page}/authorize", fee="many", note="")
    done = await browser.send(page, f"{page}/authorize", fee="12.5", note="as agreed")
    again = await browser.send(page, f"{page}/authorize", fee="", note="")
    after = (await browser.get(page)).text

    assert [one.status_code for one in (wordless, wrong, done)] == [422, 422, 303]
    found = _read(world, waiting.number)
    assert (found.state, str(found.fee.percent), found.decision_note) == ("authorized", "12.5", "as agreed")
    assert "A restocking fee of 12.5 % is kept" in after
    assert "as agreed" in after
    assert "is authorized and cannot be authorized: reload it" in again.text


async def test_a_fee_is_typed_as_the_api_takes_it_and_read_as_it_was_typed(world: ConsoleWorld) -> None:
    waiting, _ = returned(world)
    browser, page = world.browser("support"), f"/returns/{waiting.number}"

    odd = [
        await browser.send(page, f"{page}/authorize", fee=fee) for fee in ("1e1", "100.5", "0.00001", "\u0665", "NaN")
    ]
    await browser.send(page, f"{page}/authorize", fee="10")

    assert [(one.status_code, "from 0 to 100" in one.text) for one in odd] == [(422, True)] * 5
    assert "A restocking fee of 10 % is kept" in (await browser.get(page)).text


async def test_a_number_of_units_that_is_too_long_is_refused_and_never_cut(world: ConsoleWorld) -> None:
    order = world.desk.read(_delivered(world.desk)).order
    browser, page = world.browser("support"), f"/orders/{order.number}/return"

    answer = await browser.send(page, page, why="other", **{"units-1": "000000012"})

    assert (answer.status_code, "enter a whole number of units" in answer.text) == (422, True)


async def test_the_warehouse_counts_and_inspects_and_sees_no_money(world: ConsoleWorld) -> None:
    _, coming = returned(world)
    browser, page = world.browser("warehouse", sub="pat"), f"/returns/{coming.number}"
    shown = (await browser.get(page)).text

    counted = await browser.send(page, f"{page}/receive", warehouse="W1", **{"units-1": "1"})
    nowhere = await browser.send(page, f"{page}/receive", warehouse="W9", **{"units-1": "1"})
    inspected = await browser.send(
        page, f"{page}/inspect", warehouse="W1", grade="A", disposition="restock", responsible="carrier", note="torn",
        **{"units-1": "1"},
    )  # fmt: skip
    odd = await browser.send(
        page, f"{page}/inspect", warehouse="W1", grade="Z", disposition="restock", responsible="carrier",
        **{"units-1": "1"},
    )  # fmt: skip
    nothing = await browser.send(page, f"{page}/receive", warehouse="W1", **{"units-1": "0"})

    assert ("Dallas" in shown, "138.35" in shown) == (True, False)
    statuses = [one.status_code for one in (counted, nowhere, inspected, odd, nothing)]
    assert statuses == [303, 404, 303, 422, 422]
    [receipt], [inspection] = _floor(world).counted, _floor(world).inspected
    assert [(line.line_id, line.quantity) for line in receipt.lines] == [("1", 1)]
    assert (receipt.received_by, inspection.units[0].responsible, inspection.units[0].note) == (
        "pat",
        "carrier",
        "torn",
    )


async def test_a_page_that_is_sent_twice_asks_for_one_return(world: ConsoleWorld) -> None:
    order = world.desk.read(_delivered(world.desk)).order
    browser, page = world.browser("customer"), f"/my/orders/{order.number}/return"
    form = {**hidden_in((await browser.get(page)).text, page), "why": "other", "units-1": "2"}

    twice = [await browser.client.post(page, data=form, headers={"Referer": f"{BASE}{page}"}) for _ in range(2)]

    more = await browser.client.post(page, data={**form, "units-1": "3"}, headers={"Referer": f"{BASE}{page}"})

    assert [one.status_code for one in (*twice, more)] == [303, 303, 303]
    with world.database.reading() as session:
        assert [one.announced for one in reading.page(session, BUYER.scope)] == [2, 3]


async def test_a_page_that_is_sent_twice_counts_and_inspects_once(world: ConsoleWorld) -> None:
    _, coming = returned(world)
    browser, page = world.browser("warehouse"), f"/returns/{coming.number}"
    shown, came_from = (await browser.get(page)).text, {"Referer": f"{BASE}{page}"}
    alike = {"units-1": "1", "warehouse": "W1", "grade": "A", "disposition": "restock", "responsible": "customer"}

    for act in ("receive", "inspect") * 2:
        form = {**hidden_in(shown, f"{page}/{act}"), **alike}
        assert (await browser.client.post(f"{page}/{act}", data=form, headers=came_from)).status_code == 303

    assert (len(_floor(world).counted), len(_floor(world).inspected)) == (1, 1)


def _floor(world: ConsoleWorld) -> Any:
    return world.app.state.deps.fulfillment


async def test_a_second_refund_says_that_nothing_is_left(world: ConsoleWorld) -> None:
    _, coming = returned(world)
    cash = billing.LeftOverCash(payment_id="pay_1", amount=types.Money(minor_units=13_828, currency="USD"))
    world.app.state.deps.billing.left_over[coming.return_id] = [cash]
    browser, page = world.browser("accounting"), f"/returns/{coming.number}"

    first = (await browser.get((await browser.send(page, f"{page}/refund")).headers["Location"])).text
    second = (await browser.get((await browser.send(page, f"{page}/refund")).headers["Location"])).text

    assert "138.35" in first
    assert f"What was paid for {coming.number} goes back." in first
    assert f"Nothing of {coming.number} is left to be refunded." in second


@pytest.mark.parametrize("role", ["customer", "support"])
async def test_a_return_is_asked_for_on_the_page_of_its_order_and_shown_there(world: ConsoleWorld, role: str) -> None:
    order = world.desk.read(_delivered(world.desk)).order
    home = f"/my/orders/{order.number}" if role == "customer" else f"/orders/{order.number}"
    browser, page = world.browser(role), f"{home}/return"
    offered, form = (await browser.get(home)).text, (await browser.get(page)).text

    greedy = await browser.send(page, page, why="changed_mind", reason="", **{"units-1": "11"})
    done = await browser.send(page, page, why="changed_mind", reason="two too many", **{"units-1": "2"})
    after = (await browser.get(done.headers["Location"])).text

    assert f'href="{page}"' in offered
    assert "Can be returned" in form
    assert (greedy.status_code, "at most 10 may come back, not 11" in greedy.text) == (409, True)
    assert "Return RMA-1001 is authorized." in after
    assert "0 of 2 received" in after


async def test_a_customer_cancels_its_return_and_no_other_company_s(world: ConsoleWorld) -> None:
    order = world.desk.read(_delivered(world.desk)).order
    one = _ask(world.desk, order.order_id, 1)
    own, page = world.browser("customer"), f"/my/orders/{order.number}"
    rival = world.browser("customer", sub="bob", company="cus_bolt")

    theirs = await rival.post(f"/my/returns/{one.number}/cancel", csrf=rival.csrf)
    done = await own.send(page, f"/my/returns/{one.number}/cancel")

    assert (theirs.status_code, done.status_code) == (404, 303)
    assert _read(world, one.number).closing == "cancelled"


async def test_what_may_not_come_back_is_said_instead_of_a_form(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = (await world.browser("support").get(f"/orders/{numbers['held']}/return")).text

    assert "Nothing of this order can be returned now" in page
    assert "0 units have shipped, and 0 are left to return" in page


async def test_the_history_tells_staff_alone_up_to_what_amount_a_return_needs_no_review(world: ConsoleWorld) -> None:
    order = world.desk.read(_delivered(world.desk)).order
    _ask(world.desk, order.order_id, 1)

    async def why(role: str) -> str:
        asked = {"Authorization": f"Bearer {world.token(role)}"}
        rows = (await world.browser().get(f"/v1/orders/{order.number}/history", **asked)).json()["rows"]
        return next(str(row["why"]) for row in rows if row["what"] == "return_authorized")

    assert await why("support") == "worth no more than 500.00 USD"
    assert await why("customer") == ""
