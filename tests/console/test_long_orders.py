"""Pages of an order of as many lines as one may have: 200 lines at a time, and each list says how many more there are."""

from __future__ import annotations

import re

import pytest

from gateway.console.lines import LINES
from services.kernel.bounds import MAX_LINES
from services.orders.domain.masterdata import Product
from services.orders.masterdata import catalog
from services.orders.store import changes, orders
from tests.console.world import ConsoleWorld
from tests.orders.desk import shipment, stock, together, usd

MOST_BYTES = 400_000
OF = f"of {MAX_LINES:,}"


@pytest.fixture
def number(world: ConsoleWorld) -> str:
    """An order of so many lines, with its warehouse."""
    desk = world.desk
    with desk.database.transaction() as session:
        catalog.put_product(session, Product("NUT", "Nut", list_price=usd("0.10")), "root", desk.now)
    order_id = desk.accepted(*[("NUT", 2)] * MAX_LINES)
    each = {str(line): 2 for line in range(1, MAX_LINES + 1)}
    desk.notify(
        desk.fact(order_id, "inventory", "stock_reserved", 1, stock(dict.fromkeys(each, (2, 0)))),
        desk.fact(order_id, "fulfillment", "shipments_released", 1, together(shipment("SH-9", "released", each))),
    )
    return desk.read(order_id).order.number


async def test_pages_of_a_long_order_show_200_lines_and_lead_to_the_others(world: ConsoleWorld, number: str) -> None:
    staff, buyer = world.browser("support"), world.browser("customer")
    pages = {
        f"/orders/{number}": staff, f"/my/orders/{number}": buyer, f"/orders/{number}/change": world.browser("sales_rep"),
    }  # fmt: skip

    for path, browser in pages.items():
        first, last = (await browser.get(path)).text, (await browser.get(f"{path}?line={MAX_LINES}")).text

        assert (f"Lines 1 to {LINES} {OF}" in first, f'href="{path}?line={LINES + 1}#lines"' in first) == (True, True)
        assert f"Lines {MAX_LINES - LINES + 1:,} to {MAX_LINES:,} {OF}" in last
        assert (">Previous lines<" in first, ">Next lines<" in last) == (False, False)
        assert max(len(first), len(last)) < MOST_BYTES

    cancel = (await staff.get(f"/orders/{number}/cancel")).text
    assert f"and {MAX_LINES - LINES:,} more lines" in cancel
    assert len(cancel) < MOST_BYTES


async def test_a_page_of_lines_is_asked_for_again_when_the_order_moves(world: ConsoleWorld, number: str) -> None:
    page = (await world.browser("support").get(f"/orders/{number}?line=450")).text

    assert f'hx-get="/orders/{number}?line=401"' in page


async def test_lines_of_a_later_page_are_changed_from_there(world: ConsoleWorld, number: str) -> None:
    browser, home = world.browser("sales_rep"), f"/orders/{number}"
    form = (await browser.get(f"{home}/change?line=1999")).text
    fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form)) | {"reason": "two fewer"}
    fields |= {"quantity-1990": "1", "quantity-1999": "1"}

    preview = await browser.client.get(f"{home}/change/preview", params=fields)
    done = await browser.send(f"{home}/change/preview?{preview.request.url.query.decode()}", f"{home}/change", **fields)

    assert ("line=1801" in preview.text, len(str(preview.request.url)) < 64 * 1024) == (True, True)
    assert done.status_code == 303, done.text
    with world.database.reading() as session:
        (made,) = changes.of_order(session, orders.find_id(session, number))
    assert [(line.line_id, line.quantity) for line in made.request.lines] == [("1990", 1), ("1999", 1)]
