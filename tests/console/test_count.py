"""The page where stock is counted: the consequence first, then the button."""

from __future__ import annotations

from oms.inventory.v1 import counts_pb2 as pb
from tests.console.money_world import hidden_in
from tests.console.world import ConsoleWorld
from tests.orders.test_returns import _delivered


def losing(world: ConsoleWorld) -> tuple[str, str]:
    """The number of an order that a count takes 3 units from, and the SKU."""
    world.warehouse("W1", "Dallas")
    order = world.desk.read(_delivered(world.desk)).order
    line = order.lines[0]
    world.inventory.count_answer = pb.CountStockResponse(
        on_hand_before=10, on_hand=7, delta=-3,
        losses=[pb.CountLoss(order_id=order.order_id, line_id=line.line_id, quantity=3, released_quantity=2)],
    )  # fmt: skip
    return order.number, line.sku


async def test_whose_goods_a_count_takes_is_shown_before_it_is_recorded_and_a_second_press_does_nothing(
    world: ConsoleWorld,
) -> None:
    (number, sku), pat = losing(world), world.browser("warehouse", sub="pat")

    page = (await pat.get(f"/count?sku={sku}&warehouse=W1&counted=7&reason=cycle+count")).text
    shown, sent = " ".join(page.split()), hidden_in(page, "/count")
    done = await pat.send("/count", "/count", **sent)
    followed = await pat.get("/count")

    assert "The books have 10: 3 missing. On hand becomes 7." in shown
    assert number in shown
    assert (done.status_code, done.headers["location"]) == (303, "/count?warehouse=W1")
    assert "The orders that lose goods wait again and are told." in followed.text
    previewed, recorded = world.inventory.stock_counts
    assert (previewed.is_preview, recorded.is_preview, recorded.counted) == (True, False, 7)


async def test_a_count_without_a_warehouse_or_a_whole_number_says_what_to_enter(world: ConsoleWorld) -> None:
    (_, sku), pat = losing(world), world.browser("warehouse", sub="pat")

    nowhere = await pat.get(f"/count?sku={sku}&warehouse=&counted=7")
    odd = await pat.get(f"/count?sku={sku}&warehouse=W1&counted=many")

    assert (nowhere.status_code, odd.status_code) == (422, 422)
    assert "choose the warehouse" in nowhere.text
    assert world.inventory.stock_counts == []


async def test_who_does_not_count_has_no_such_page(world: ConsoleWorld) -> None:
    assert (await world.browser("sales_rep", sub="rep").get("/count")).status_code == 403
