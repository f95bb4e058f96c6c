"""An order whose tax the engine has not said: its pages name no tax and no total that is none, and a change says what keeps it."""

from __future__ import annotations

from services.orders.lifecycle.tax_asker import TaxAsker
from tests.console.conftest import MakeWorld
from tests.console.world import ConsoleWorld
from tests.orders.desk import CONTACTS
from tests.orders.tax_desk import Engine, placed, settle, waiting


async def test_the_page_says_that_the_tax_is_not_known_until_it_is(world: ConsoleWorld) -> None:
    engine, desk = Engine(), world.desk
    order_id = waiting(desk, engine, ("PUMP", 1))
    number = desk.read(order_id).order.number
    staff, buyer = world.browser("accounting"), world.browser("customer")

    before = [(await staff.get(f"/orders/{number}")).text, (await buyer.get(f"/my/orders/{number}")).text]
    engine.problem = ""
    TaxAsker(desk.database, engine, CONTACTS, lambda: desk.now).ask_due()
    settle(desk, order_id)
    after = [(await staff.get(f"/orders/{number}")).text, (await buyer.get(f"/my/orders/{number}")).text]

    for text in before:
        assert "<dt>Tax</dt><dd>not known yet</dd>" in text
        assert "Total before tax" in text
    assert "The tax engine has not said the tax of this order." in before[0]
    for text in after:
        assert "not known yet" not in text.partition("</dl>")[0]
        assert "10.64" in text
    assert "determined the tax" in after[0]


async def test_the_preview_of_a_change_says_that_the_engine_is_away(make_world: MakeWorld) -> None:
    engine = Engine()
    world = make_world(taxes=engine)
    desk = world.desk
    order = placed(desk, engine, ("PUMP", 1))
    desk.validate(order.order_id)
    engine.problem = "cannot be reached"

    page = await world.browser("support").get(
        f"/orders/{order.number}/change/preview?new-sku-1=CENT&new-quantity-1=2&reason=more"
    )

    assert page.status_code == 200
    assert "the tax engine cannot be reached: try again in a few minutes" in page.text
