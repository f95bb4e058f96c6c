"""What arrives, on the pages: parcels without a return, goods beside one, quarantine, and credit without goods."""

from __future__ import annotations

from typing import Any

from oms.inventory.v1 import inventory_pb2 as inventory
from oms.types.v1 import types_pb2 as types
from services.orders.domain.parcels import Parcel
from services.orders.domain.returns import Return
from services.orders.returns import parcels, reading
from tests.console.money_world import hidden_in
from tests.console.test_returns import returned
from tests.console.world import ConsoleWorld
from tests.orders.test_returns import _advance, _ask, _delivered


def _listed(world: ConsoleWorld) -> list[Parcel]:
    with world.database.reading() as session:
        return parcels.page(session)


def _read(world: ConsoleWorld, number: str) -> Return:
    with world.database.reading() as session:
        return reading.one(session, number)


def _apart(world: ConsoleWorld) -> None:
    """3 pumps at 50.00 wait for a decision in W1."""
    world.warehouse("W1", "Dallas")
    value = types.Money(minor_units=150_00, currency="USD")
    world.inventory.quarantine.units["mov_1"] = inventory.QuarantinedUnits(
        movement_id="mov_1", warehouse_id="W1", sku="PUMP", disposition="refurbish", quantity=3, value=value,
        taken_at_micros=1_780_000_000_000_000,
    )  # fmt: skip


async def test_the_warehouse_records_a_parcel_once_and_support_makes_a_return_of_it(world: ConsoleWorld) -> None:
    world.warehouse("W1", "Dallas")
    number = world.desk.read(_delivered(world.desk)).order.number
    floor, support = world.browser("warehouse", sub="pat"), world.browser("support", sub="sue")
    key = hidden_in((await floor.get("/parcels")).text, "/parcels")["key"]
    typed = {
        "warehouse": "W1",
        "reference": number,
        "sku-1": "pump",
        "count-1": "2",
        "look-2": "a hose",
        "count-2": "1",
    }

    first, again = [await floor.send("/parcels", "/parcels", key=key, **typed) for _ in range(2)]
    nothing = await floor.send("/parcels", "/parcels", warehouse="W1", reference="x")
    nowhere = await floor.send("/parcels", "/parcels", **{**typed, "warehouse": "W9"})
    uncounted = await floor.send("/parcels", "/parcels", **{**typed, "count-2": "some"})
    [parcel] = _listed(world)
    home, work = (await support.get("/returns")).text, (await support.get("/")).text
    listed, page = (await support.get("/parcels")).text, (await support.get("/parcels/PCL-1001")).text
    made = await support.send(
        "/parcels/PCL-1001", "/parcels/PCL-1001/match", order=number, why="other", note="found", **{"units-1": "2"}
    )
    ended = await support.send("/parcels/PCL-1001", "/parcels/PCL-1001/decision", outcome="scrap", note="a hose")

    assert [one.status_code for one in (first, again, nothing, nowhere)] == [303, 303, 422, 404]
    assert "Goods 2: enter a whole number of units." in uncounted.text
    assert (parcel.order_number, [line.seems for line in parcel.lines]) == (number, ["of_order", "foreign"])
    assert "1 parcel that no return announces" in " ".join(home.split())
    assert "parcels to match" in work
    assert all(word in listed for word in ("PCL-1001", "of order", "foreign", number))
    assert 'name="units-1"' in page
    assert made.headers["location"] == "/returns/RMA-1001"
    shown = (await floor.get("/returns/RMA-1001")).text
    assert '<a href="/parcels/PCL-1001">PCL-1001</a>' in shown
    assert _read(world, "RMA-1001").received == 2
    assert (ended.status_code, _listed(world)[0].state) == (303, "scrapped")


async def test_goods_beside_a_return_are_counted_on_its_page_and_shown_there(world: ConsoleWorld) -> None:
    _, coming = returned(world)
    floor, page = world.browser("warehouse", sub="pat"), f"/returns/{coming.number}"
    key = hidden_in((await floor.get(page)).text, f"{page}/receive")["key"]
    goods = {"look-1": "a garden hose", "count-1": "1"}

    done = [await floor.send(page, f"{page}/receive", key=key, warehouse="W1", **goods) for _ in range(2)]
    nameless = await floor.send(page, f"{page}/receive", warehouse="W1", **{"count-1": "1"})
    unreadable = await floor.send(page, f"{page}/receive", warehouse="W1", **{"look-1": "a hose", "count-1": "one"})
    shown = " ".join((await floor.get(page)).text.split())

    assert [one.status_code for one in (*done, nameless, unreadable)] == [303, 303, 422, 422]
    [parcel] = _listed(world)
    assert (parcel.return_number, parcel.warehouse_id, parcel.lines[0].seems) == (coming.number, "W1", "foreign")
    assert "What else came with it" in shown
    assert "1 × a garden hose" in shown
    assert counted(world) == []


def counted(world: ConsoleWorld) -> list[Any]:
    """What fulfillment was asked to count."""
    found: list[Any] = world.app.state.deps.fulfillment.counted
    return found


async def test_quarantine_is_listed_by_warehouse_and_decided_once_with_a_reason(world: ConsoleWorld) -> None:
    _apart(world)
    floor, abe = world.browser("warehouse", sub="pat"), world.browser("accounting")
    page = (await floor.get("/quarantine?warehouse=W1")).text
    key, sees = hidden_in(page, "/quarantine/mov_1")["key"], (await abe.get("/quarantine")).text
    empty = (await floor.get("/quarantine?warehouse=W2")).text
    typed = {"units": "2", "outcome": "release", "reason": "tested", "warehouse": "W1"}

    done = [await floor.send("/quarantine", "/quarantine/mov_1", key=key, **typed) for _ in range(2)]
    wordless = await floor.send("/quarantine", "/quarantine/mov_1", **{**typed, "reason": ""})
    over = await floor.send("/quarantine", "/quarantine/mov_1", **typed)
    odd = await floor.send("/quarantine", "/quarantine/mov_1", **{**typed, "units": "two"})

    assert ("refurbish" in page, "150.00" in page, "150.00" in sees) == (True, False, True)
    assert "No goods are in quarantine there." in empty
    assert [one.status_code for one in (*done, wordless, over)] == [303, 303, 422, 409]
    [decision] = world.inventory.quarantine.decided
    assert (decision.quantity, decision.outcome, decision.reason, decision.decided_by) == (
        2,
        "release",
        "tested",
        "pat",
    )
    assert 'name="reason"' not in sees
    assert "Goods in quarantine: enter a whole number of units." in odd.text
    for label in ("Units", "Decision", "Reason"):
        assert f"<label>{label}<" in page


async def test_support_lets_the_customer_keep_goods_and_another_agrees_above_the_limit(world: ConsoleWorld) -> None:
    waiting, _ = returned(world)
    page = f"/returns/{waiting.number}"
    sue, abe = world.browser("support", sub="sue"), world.browser("accounting", sub="abe")

    asked = await sue.send(page, f"{page}/keep", note="not worth it")
    alone = await sue.send(page, f"{page}/keep", note="not worth it")
    shown = (await abe.get(page)).text
    agreed = await abe.send(page, f"{page}/keep", note="agreed")

    assert [one.status_code for one in (asked, alone, agreed)] == [303, 403, 303]
    assert "Somebody else must agree." in shown
    assert _read(world, waiting.number).is_kept
    assert "The customer keeps what has not come." in (await abe.get(page)).text
    listed = (await abe.get("/returns")).text
    assert listed.index("To credit") < listed.index(waiting.number)


async def test_accounting_credits_before_goods_come_and_support_gives_up_what_never_does(world: ConsoleWorld) -> None:
    _, coming = returned(world)
    early = _ask(world.desk, coming.order_id, 1)
    _advance(world.desk, early, done="announced")
    abe, sue = world.browser("accounting", sub="abe"), world.browser("support", sub="sue")

    wordless = await abe.send(f"/returns/{early.number}", f"/returns/{early.number}/credit", note="")
    credited = await abe.send(f"/returns/{early.number}", f"/returns/{early.number}/credit", note="a good customer")
    given_up = await sue.send(f"/returns/{coming.number}", f"/returns/{coming.number}/give-up", note="two only")

    assert [one.status_code for one in (wordless, credited, given_up)] == [422, 303, 303]
    assert [unit.disposition for unit in _read(world, early.number).inspections[0].units] == ["in_advance"]
    assert _read(world, coming.number).closing == "expired"
