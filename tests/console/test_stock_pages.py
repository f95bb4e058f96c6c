"""Stock and promises on the pages: what is where, what comes and who gets it, what was promised and kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml
from sqlmodel import select

from oms.inventory.v1 import inventory_pb2
from oms.inventory.v1 import supply_pb2 as pb
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2 as types
from services.kernel.clock import business_day
from services.orders.models.promises import PromiseRow
from services.orders.policies import engine, versions
from tests.console.money_world import hidden_in
from tests.console.world import ConsoleWorld
from tests.orders.desk import shipment, stock

WAITS = orders_pb2.LinePromise(
    line_id="1", quantity=3, is_waiting=True, expected_on="2026-12-01", lead_days=3, expected_reference="PO-1"
)


def backordered(world: ConsoleWorld) -> str:
    """An accepted order whose 3 pumps come with PO-1 on Tuesday, December 1, and reach it on Friday."""
    desk = world.desk
    order_id = desk.place(("PUMP", 3)).order_id
    desk.validate(order_id)
    due = {"expected_on": "2026-12-01", "lead_days": 3, "expected_reference": "PO-1"}
    sent = stock({"1": (0, 3)})
    sent["lines"]["1"] |= due
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, sent))
    desk.record(order_id, "accepted", promises=[WAITS])
    return order_id


def coming(world: ConsoleWorld, order_id: str) -> None:
    """5 pumps of PO-1 on December 1, 3 of them taken by the order, and a movement."""
    world.warehouse("W1", "Dallas")
    world.inventory.on_hand[("PUMP", "W1")] = 0
    receipt = pb.ExpectedReceipt(
        expected_receipt_id="exp_1", warehouse_id="W1", sku="PUMP", kind="transfer", reference="PO-1", quantity=5,
        remaining_quantity=5, expected_on="2099-12-01",
    )  # fmt: skip
    world.inventory.receipts["exp_1"] = receipt
    world.inventory.outlook = pb.GetSupplyOutlookResponse(
        receipts=[
            pb.OutlookReceipt(
                receipt=receipt, due_on="2099-12-01", taken_quantity=3,
                takers=[pb.Taker(order_id=order_id, line_id="1", quantity=3)],
            )
        ],
        atp=[pb.AtpDay(day="2099-11-23", quantity=0), pb.AtpDay(day="2099-12-01", quantity=2)],
        uncovered_quantity=4,
    )  # fmt: skip
    world.inventory.movements = [
        pb.Movement(
            movement_id="mov_1", warehouse_id="W1", sku="PUMP", kind="received", quantity=7, reference="DN-88",
            value=types.Money(minor_units=700, currency="USD"), occurred_at_micros=1_780_000_000_000_000,
        ),
        pb.Movement(
            movement_id="mov_2", warehouse_id="W1", sku="PUMP", kind="issued", quantity=-2, shipment_id="shp_1", order_id=order_id,
            occurred_at_micros=1_780_000_000_000_000,
        ),
    ]  # fmt: skip


async def test_a_skus_page_shows_what_comes_who_gets_it_and_what_moved(world: ConsoleWorld) -> None:
    order_id = backordered(world)
    coming(world, order_id)
    number = world.desk.read(order_id).order.number
    support, floor = world.browser("support", sub="sue"), world.browser("warehouse", sub="pat")

    listed, page = (await support.get("/stock")).text, (await support.get("/stock?sku=pump")).text
    plain = (await floor.get("/stock?sku=PUMP")).text
    none = " ".join((await support.get("/stock?sku=NONE")).text.split())

    assert '<a href="/stock?sku=PUMP">PUMP</a>' in listed
    assert f'<a href="/orders/{number}">{number}</a> (3)' in page
    assert "<svg" in page
    assert "5 of PO-1, 3 taken" in page
    assert "4 units that orders wait for and nothing announced brings" in page
    assert "2 from Dec 1, 2099" in page
    moved = page.partition('id="movements"')[2]
    assert "DN-88" in moved
    assert "shp_1" not in moved
    assert f'<a href="/orders/{number}">{number}</a>' in moved
    assert '<time datetime="2026-05-28T20:26:40Z" data-local="text">' in moved
    assert ">Dallas<" in moved
    assert ">W1<" not in page
    assert "7.00" in page
    assert "7.00" not in plain
    assert "No warehouse has any of NONE" in none
    assert "/stock/receipts/exp_1/change" not in page
    assert "/stock/receipts/exp_1/change" in plain


async def test_all_that_is_in_quarantine_is_summed_by_warehouse(world: ConsoleWorld) -> None:
    coming(world, backordered(world))
    for number in range(150):
        units = inventory_pb2.QuarantinedUnits(
            movement_id=f"mov_{number:03}", sku="PUMP", warehouse_id="W1", quantity=3
        )
        world.inventory.quarantine.units[units.movement_id] = units

    page = (await world.browser("warehouse", sub="pat").get("/stock?sku=PUMP")).text

    assert 'data-of="Quarantine">450<' in page


async def test_an_expected_receipt_is_changed_once_and_cancelled_with_a_reason(world: ConsoleWorld) -> None:
    coming(world, backordered(world))
    floor, here = world.browser("warehouse", sub="pat"), "/stock?sku=PUMP"
    key = hidden_in((await floor.get(here)).text, "/stock/receipts/exp_1/change")["key"]
    typed = {"expected_on": "2099-12-08", "quantity": "", "reason": "late", "sku": "PUMP", "key": key}

    done = [await floor.send(here, "/stock/receipts/exp_1/change", **typed) for _ in range(2)]
    acts = world.inventory.actions
    past = await floor.send(here, "/stock/receipts/exp_1/change", **{**typed, "expected_on": "2020-01-01"})
    unreadable = await floor.send(here, "/stock/receipts/exp_1/change", **{**typed, "quantity": "many"})
    wordless = await floor.send(here, "/stock/receipts/exp_1/cancel", sku="PUMP", reason="")
    over = await floor.send(here, "/stock/receipts/exp_1/cancel", sku="PUMP", reason="no material")

    assert [one.status_code for one in (*done, past, unreadable, wordless, over)] == [303, 303, 422, 422, 422, 303]
    assert done[0].headers["location"] == here
    assert acts == 1
    assert "receive goods that have come already" in past.text
    receipt = world.inventory.receipts["exp_1"]
    assert (receipt.expected_on, receipt.remaining_quantity, receipt.cancelled_quantity) == ("2099-12-08", 0, 5)


@pytest.mark.parametrize(
    "typed", [{"quantity": "1_0"}, {"quantity": "\uff109"}, {"expected_on": "2099-W50-1"}, {"expected_on": "20991208"}]
)
async def test_a_day_and_units_of_a_receipt_are_taken_only_as_anybody_writes_them(
    world: ConsoleWorld, typed: dict[str, str]
) -> None:
    coming(world, backordered(world))
    floor, here = world.browser("warehouse", sub="pat"), "/stock?sku=PUMP"

    refused = await floor.send(here, "/stock/receipts/exp_1/change", sku="PUMP", **typed)

    assert refused.status_code == 422
    assert (world.inventory.receipts["exp_1"].quantity, world.inventory.receipts["exp_1"].expected_on) == (
        5,
        "2099-12-01",
    )


async def test_promises_and_their_figures_are_on_a_page_and_on_the_order(world: ConsoleWorld) -> None:
    order_id, desk = backordered(world), world.desk
    number = desk.read(order_id).order.number
    support = world.browser("support", sub="sue")
    order = " ".join((await support.get(f"/orders/{number}")).text.split())
    open_ones = (await support.get("/promises?show=open")).text
    desk.notify(
        desk.fact(order_id, "fulfillment", "shipment_delivered", 1, shipment("SH-1", "delivered", {"1": 3})),
    )

    kept = " ".join((await support.get("/promises?show=")).text.split())

    assert "3 × PUMP for Dec 4, 2026" in order
    assert "PO-1" in order
    assert number in open_ones
    assert number in kept
    assert "delivered" in kept


async def test_a_promise_is_late_by_the_day_of_the_warehouses_on_every_page(world: ConsoleWorld) -> None:
    order_id = backordered(world)
    number = world.desk.read(order_id).order.number
    now = datetime.now(UTC)
    zone = "Pacific/Kiritimati" if now.hour >= 10 else "Etc/GMT+12"  # where it is another day than here
    there = business_day(now, zone)
    with world.database.transaction() as session:
        versions.put_policy(
            session,
            {**yaml.safe_load(engine.BUILT_IN.read_text("utf-8")), "calendars": {"warehouse": {"time_zone": zone}}},
            "root",
            now,
        )
        [row] = session.exec(select(PromiseRow).where(PromiseRow.order_id == order_id)).all()
        row.promised_on = min(there, now.date()).isoformat()
        is_late = row.promised_on < there.isoformat()
    support = world.browser("support", sub="sue")

    order = (await support.get(f"/orders/{number}")).text.partition('id="promises"')[2].partition("</section>")[0]
    late = (await support.get("/promises?show=late")).text

    assert ('class="late"' in order, number in late) == (is_late, is_late)


async def test_a_bin_is_set_on_the_page_of_its_sku(world: ConsoleWorld) -> None:
    coming(world, backordered(world))
    pat, page = world.browser("warehouse", sub="pat"), "/stock?sku=PUMP"

    before = (await pat.get(page)).text
    done = await pat.send(page, "/stock/bins", sku="PUMP", warehouse="W1", bin="a-01-3")
    after = (await pat.get(page)).text
    wrong = await pat.send(page, "/stock/bins", sku="PUMP", warehouse="", bin="A-1")
    auditor = await world.browser("auditor", sub="ann").get(page)

    assert "Nobody has said where it lies" in before
    assert (done.status_code, done.headers["location"]) == (303, "/stock?sku=PUMP")
    assert "<strong>A-01-3</strong>" in after
    assert "The bin is saved" in after
    followed = await pat.client.get(wrong.headers["location"]) if wrong.status_code == 303 else wrong
    assert "enter a bin such as A-01-3" in followed.text
    assert 'action="/stock/bins"' not in auditor.text
