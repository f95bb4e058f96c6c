"""Canceling lines and units on a page: what follows is read in plain words before the button is there."""

from __future__ import annotations

import re

from services.orders.changes import apply
from services.orders.domain.cancellation import Cancellation
from services.orders.store import changes, holds, orders
from tests.console.world import ConsoleWorld
from tests.orders.desk import CONTACTS


def states(world: ConsoleWorld, number: str) -> list[str]:
    with world.database.reading() as session:
        return [one.state for one in holds.cancellations_of(session, orders.find_id(session, number))]


def rows(page: str) -> dict[str, tuple[str, str]]:
    """What → now and after."""
    found = re.findall(
        r'<tr class="diff"><th scope="row">(.*?)</th><td><del>(.*?)</del></td><td><ins>(.*?)</ins>', page
    )
    return {what: (now, after) for what, now, after in found}


async def test_the_rest_of_a_part_shipped_order_is_offered_with_what_follows(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    ours = (await world.browser("support").get(f"/orders/{numbers['shipping']}/cancel")).text
    theirs = (await world.browser("customer").get(f"/my/orders/{numbers['shipping']}/cancel")).text

    assert rows(ours)["PUMP"] == ("10 on order", "6 on order")
    # 10 at 129.00 and 7.25 % tax, of which 6 stay
    assert rows(theirs)["Total"] == ("1,383.53 USD", "830.12 USD")
    assert "What remains keeps its prices" in theirs
    assert "Cancel 4 units" in ours
    assert "Credit used" not in theirs
    assert "Reserved stock" not in theirs
    assert "The customer is told by mail" in ours
    assert "We confirm it by mail" in theirs


async def test_units_that_are_typed_are_previewed_and_then_canceled_once(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/orders/{numbers['shipping']}/cancel"
    browser = world.browser("support")
    preview = (await browser.get(f"{page}?units-1=3")).text

    done = await browser.send(page, page, reason="plans changed", version="1", **{"units-1": "3"})
    twice = await browser.send(page, page, reason="plans changed", version="1", **{"units-1": "3"})
    order = (await browser.get(f"/orders/{numbers['shipping']}")).text

    assert rows(preview)["PUMP"] == ("10 on order", "7 on order")
    assert '<input type="hidden" name="units-1" value="3">' in preview
    assert done.status_code == 303
    assert (twice.status_code, "A cancellation or closing is being carried out" in twice.text) == (409, True)
    assert states(world, numbers["shipping"]) == ["requested"]
    assert "Cancellation in progress" in order
    assert "Withdraw" not in order


async def test_more_than_is_left_is_refused_with_what_is_left_and_what_was_typed(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/orders/{numbers['shipping']}/cancel"
    browser = world.browser("support")

    shown = (await browser.get(f"{page}?units-1=5")).text
    nothing = await browser.get(f"{page}?units-1=0")
    odd = await browser.get(f"{page}?units-1=two")

    assert "4 units are left to cancel, not 5" in shown
    assert 'name="units-1" value="5"' in shown
    assert 'method="post">' not in shown.partition("What follows")[2]
    assert (nothing.status_code, "how many units" in nothing.text) == (422, True)
    assert (odd.status_code, "Line 1: enter a whole number of units" in odd.text) == (422, True)


def recalled(world: ConsoleWorld, number: str) -> Cancellation:
    """The only cancellation of an order, once its warehouse is asked to give units back."""
    with world.database.transaction() as session:
        order_id = orders.find_id(session, number)
        change_id = changes.pending_of(session, [order_id])[order_id].change_id
        apply.record(session, order_id, change_id, "recall", "", CONTACTS, world.desk.now)
        [asked] = holds.cancellations_of(session, order_id)
    return asked


async def test_a_cancellation_that_no_warehouse_has_answered_says_so_and_is_withdrawn(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number, browser, customer = numbers["shipping"], world.browser("support"), world.browser("customer")
    page = f"/orders/{number}"
    form = f"/my{page}/cancel"
    await customer.send(form, form, reason="plans changed", version="1", **{"units-1": "3"})
    asked = recalled(world, number)

    ours = (await browser.get(page)).text
    theirs = (await customer.get(f"/my/orders/{number}")).text
    act = f"{page}/cancellations/{asked.cancellation_id}/withdraw"
    done = await browser.send(page, act)
    after = (await browser.get(page)).text

    assert "unanswered, it is escalated at" in ours
    assert "escalated" not in theirs
    assert all("Withdraw cancellation" in shown for shown in (ours, theirs))
    assert done.status_code == 303
    assert states(world, number) == ["declined"]
    assert "is withdrawn" in after
    assert "Withdraw cancellation" not in after


async def test_a_customer_neither_reads_what_staff_asked_for_as_its_own_nor_withdraws_it(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number, browser, customer = numbers["shipping"], world.browser("support"), world.browser("customer")
    page, mine = f"/orders/{number}", f"/my/orders/{number}"
    await browser.send(f"{page}/close", f"{page}/close", reason="discontinued", version="1", **{"close-1": "1"})
    act = f"cancellations/{recalled(world, number).cancellation_id}/withdraw"

    ours, theirs = (await browser.get(page)).text, (await customer.get(mine)).text
    refused = await customer.send(mine, f"{mine}/{act}")
    done = await browser.send(page, f"{page}/{act}")
    after = (await browser.get(page)).text

    assert f"The closing of {number} is withdrawn" in after
    assert "Closing in progress" in ours
    assert "Withdraw closing" in ours
    assert "Closing in progress" in theirs
    assert "Your cancellation" not in theirs
    assert "Withdraw" not in theirs
    assert (refused.status_code, "ask them to withdraw it" in refused.text) == (403, True)
    assert done.status_code == 303
    assert states(world, number) == ["declined"]
