"""Stopping a parcel on its way on a page: what may follow is read in plain words before the button is there."""

from __future__ import annotations

from typing import Any

from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from services.orders.order import aggregate
from services.orders.store import orders
from tests.console.world import ConsoleWorld
from tests.orders.desk import shipment
from tests.orders.test_intercepted import on_its_way as stopped_soon
from tests.orders.test_intercepted import returns_of, stopped


def on_its_way(world: ConsoleWorld, number: str) -> fulfillment.Shipment:
    """The shipment that an order says has left, as fulfillment has it."""
    neighbor: Any = world.app.state.deps.fulfillment
    with world.database.reading() as session:
        order_id = orders.find_id(session, number)
        known = aggregate.read(session, order_id).progress.shipments.values()
    sent = next(one for one in known if one.state == "shipped")
    row: fulfillment.Shipment = neighbor.release(sent.shipment_id, order_id=order_id)
    row.number, row.order_number, row.state = sent.number, number, fulfillment.SHIPMENT_STATE_SHIPPED
    return row


async def test_support_is_led_from_the_order_to_what_may_follow_and_stops_it_once(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number = numbers["shipping"]
    row, browser = on_its_way(world, number), world.browser("support")
    page = f"/shipments/{row.number}/interception"

    order = (await browser.get(f"/orders/{number}")).text
    cancel = (await browser.get(f"/orders/{number}/cancel")).text
    shown = (await browser.get(page)).text
    silent = await browser.send(page, page, reason="")
    done = await browser.send(page, page, reason="project stopped", carrier_answer="intercepted")
    again = (await browser.get(page)).text

    assert f'href="{page}"' in order
    assert f'href="{page}"' in cancel
    assert "What has shipped is not canceled" in cancel
    for words in ("comes back by a return", "it stays shipped", "Stop the shipment"):
        assert words in shown
    assert silent.status_code == 422
    assert (done.status_code, done.headers["location"]) == (303, f"/orders/{number}")
    assert (row.interception.reason, row.interception.state) == ("project stopped", "intercepted")
    assert "The carrier has stopped it" in again
    assert "<button" not in again.partition("<main")[2]


async def test_only_support_stops_it(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    row = on_its_way(world, numbers["shipping"])

    answers = [
        await world.browser(role).get(f"/shipments/{row.number}/interception") for role in ("warehouse", "customer")
    ]

    assert [answer.status_code for answer in answers] == [403, 403]


async def test_what_was_stopped_is_listed_to_be_received_and_its_customer_is_not_told_to_send_it(
    world: ConsoleWorld,
) -> None:
    world.warehouse("W1", "Dallas")
    order_id = stopped_soon(world.desk)
    detail = stopped(shipment("SH-1", "shipped", {"1": 4}))
    world.desk.notify(world.desk.fact(order_id, "fulfillment", "shipment_intercepted", 2, detail))
    [found] = returns_of(world.desk, order_id)
    floor, buyer = world.browser("warehouse"), world.browser("customer")

    listed = " ".join((await floor.get("/returns")).text.split())
    page = (await world.browser("support").get(f"/returns/{found.number}")).text
    own = (await buyer.get(f"/my/returns/{found.number}")).text
    order = (await buyer.get(f"/my/orders/{found.order_number}")).text

    assert listed.index("To receive") < listed.index(found.number)
    assert "Its carrier stopped the parcel on its way and brings it back." in page
    assert "The carrier stopped the parcel on its way and brings it back to us." in own
    assert f"/my/returns/{found.number}" in order
    for shown in (own, order):
        for words in ("label.pdf", "send it by", "Send the goods", "Goods are on their way", "Cancel return"):
            assert words not in shown
    assert 'name="tracking_number"' not in page
    assert "Credit without the goods" not in page
