"""Closing lines on a page of staff: what follows is read before the button is there."""

from __future__ import annotations

from tests.console.test_cancelled_lines import rows, states
from tests.console.world import ConsoleWorld


async def test_open_lines_of_a_part_shipped_order_are_closed_after_a_preview(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number, browser = numbers["shipping"], world.browser("support")
    page = f"/orders/{number}/close"
    order, shown = (await browser.get(f"/orders/{number}")).text, (await browser.get(f"{page}?close-1=1")).text

    done = await browser.send(page, page, reason="discontinued", version="1", **{"close-1": "1"})
    after = (await browser.get(f"/orders/{number}")).text

    assert f'href="/orders/{number}/close">Close…' in order
    assert rows(shown)["PUMP"] == ("10 on order", "6 on order")
    assert "It is not a cancellation" in shown
    assert '<input type="hidden" name="close-1" value="1">' in shown
    assert "Close 1 line<" in shown
    assert done.status_code == 303
    assert states(world, number) == ["requested"]
    assert "asked to close lines of the order" in after


async def test_closing_is_not_offered_while_nothing_has_shipped_and_says_why(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number, browser = numbers["held"], world.browser("support")

    order, page = (await browser.get(f"/orders/{number}")).text, await browser.get(f"/orders/{number}/close")

    assert "Close…" not in order
    assert "cannot be closed now" in page.text


async def test_closing_needs_a_reason(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = f"/orders/{numbers['shipping']}/close"

    answer = await world.browser("support").send(page, page, version="1")

    assert answer.status_code == 422
    assert "Say why you are closing it" in answer.text
    assert states(world, numbers["shipping"]) == []


async def test_a_customer_has_no_such_page(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    browser = world.browser("customer")

    assert (await browser.get(f"/orders/{numbers['shipping']}/close")).status_code == 403
    assert "Close…" not in (await browser.get(f"/my/orders/{numbers['shipping']}")).text
