"""Exchanges on the pages: asked for by the customer, shown to support, and linked both ways."""

from __future__ import annotations

from services.orders.domain.returns import Return
from services.orders.lifecycle import exchange
from services.orders.returns import reading
from services.orders.returns.advance import Done
from tests.console.world import ConsoleWorld
from tests.orders.desk import BUYER, shipment
from tests.orders.mail_parties import CONTACTS
from tests.orders.test_returns import _advance, _count, _delivered, _inspect


async def test_a_customer_chooses_what_comes_instead_and_reads_with_which_order(world: ConsoleWorld) -> None:
    world.warehouse("W1", "Dallas")
    order = world.desk.read(_delivered(world.desk)).order
    browser, page = world.browser("customer"), f"/my/orders/{order.number}/return"

    unnamed = await browser.send(page, page, why="defective", **{"units-1": "2", "instead-1": "other", "sku-1": ""})
    done = await browser.send(
        page, page, why="defective", advance="yes", **{"units-1": "2", "instead-1": "other", "sku-1": "CENT"}
    )
    [found] = _returns(world)
    shown = (await browser.get(f"/my/orders/{order.number}")).text
    replacement = (await browser.get(f"/my/orders/{found.replacements[0].order_number}")).text

    assert (unnamed.status_code, "enter the SKU of what you want instead" in unnamed.text) == (422, True)
    assert (done.status_code, found.is_advance) == (303, True)
    assert (found.lines[0].replace_sku, found.lines[0].replace_quantity) == ("CENT", 2)
    assert f'replaced by <a href="/my/orders/{found.replacements[0].order_number}">' in shown
    assert f"In place of goods of {found.number} ({order.number})" in replacement


async def test_support_reads_what_replaces_the_goods_and_when_it_leaves(world: ConsoleWorld) -> None:
    world.warehouse("W1", "Dallas")
    order = world.desk.read(_delivered(world.desk)).order
    customer, page = world.browser("customer"), f"/my/orders/{order.number}/return"
    await customer.send(page, page, why="defective", **{"units-1": "2", "instead-1": "same"})
    [found] = _returns(world)
    support = world.browser("support")
    before = (await support.get(f"/returns/{found.number}")).text
    _advance(world.desk, found, done="announced")
    _count(world.desk, found, 2)
    _inspect(world.desk, found, 2)
    with world.database.transaction() as session:
        exchange.advance(session, found.return_id, Done("credited", "insp_1"), CONTACTS, world.desk.now)

    [placed] = _returns(world)[0].replacements
    after = " ".join((await support.get(f"/returns/{found.number}")).text.split())
    floor = (await world.browser("warehouse").get(f"/returns/{found.number}")).text
    listed = " ".join((await support.get(f"/orders/{found.order_number}")).text.split())

    assert "2 × PUMP → 2 × PUMP" in before
    assert not any(words in before for words in ("Credit without the goods", "Credit before the goods come"))
    assert "It leaves once the warehouse has inspected the goods, for what it counted." in before
    assert f'{found.number} → <a href="/orders/{placed.order_number}">{placed.order_number}</a>' in after
    assert '<td data-of="Credit note">none</td>' in after
    assert "at no charge, without documents" in floor
    assert f'placed what replaces its goods<span class="quiet">: <bdi>{placed.order_number}' in listed


def _returns(world: ConsoleWorld) -> list[Return]:
    with world.database.reading() as session:
        return reading.page(session, BUYER.scope)


async def test_a_return_is_offered_only_of_an_order_of_which_something_may_come_back(world: ConsoleWorld) -> None:
    world.warehouse("W1", "Dallas")
    order = world.desk.read(_delivered(world.desk)).order
    customer, page = world.browser("customer"), f"/my/orders/{order.number}/return"
    await customer.send(page, page, why="defective", advance="yes", **{"units-1": "2", "instead-1": "same"})
    [placed] = _returns(world)[0].replacements
    gone = shipment("SH-9", "shipped", {"1": 2})
    world.desk.notify(world.desk.fact(placed.order_id, "fulfillment", "shipment_shipped", 1, gone))

    pages = [
        (await world.browser(role).get(f"{prefix}/orders/{number}")).text
        for role, prefix in (("customer", "/my"), ("support", ""))
        for number in (order.number, placed.order_number)
    ]

    assert ["Return goods…" in shown for shown in pages] == [True, False, True, False]
