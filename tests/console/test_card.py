"""An order's card on its page."""

from __future__ import annotations

import re

import pytest

from tests.console.world import ConsoleWorld


async def test_an_order_by_card_shows_what_is_on_its_card_and_one_that_is_not_by_card_does_not(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    by_card = world.desk.place(("PUMP", 1), payment_method="card").number
    browser = world.browser("accounting")

    page = (await browser.get(f"/orders/{by_card}")).text
    other = (await browser.get(f"/orders/{numbers['shipping']}")).text

    money = re.sub(r"<[^>]+>", " ", page.partition("Authorized on card")[2].partition("</dl>")[0]).split()
    assert money[:3] == ["600.00", "Captured", "400.00"]
    assert "declined (insufficient funds)" in page
    assert "Authorized on card" not in other


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        ("accounting", True),
        ("auditor", True),
        ("support", True),
        ("sales_rep", True),
        ("approver", False),
        ("admin", False),
    ],
)
async def test_what_is_on_the_card_is_shown_to_who_may_ask_for_it_and_asked_once(
    world: ConsoleWorld, role: str, sees: bool
) -> None:
    by_card = world.desk.place(("PUMP", 1), payment_method="card").number
    world.billing.deadlines.clear()

    page = (await world.browser(role).get(f"/orders/{by_card}")).text

    assert ("Authorized on card" in page, "declined (insufficient funds)" in page) == (sees, sees)
    assert world.billing.deadlines == ([2.0] if sees else [])
