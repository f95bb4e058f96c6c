"""The floor's pages: what waits for whom, and each step of a shipment by a form and a scan."""

from __future__ import annotations

from typing import Any

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from tests.console.money_world import hidden_in
from tests.console.world import ConsoleWorld


def released(world: ConsoleWorld, number: str = "SH-8") -> pb.Shipment:
    """A shipment of two lines that nobody has picked."""
    neighbor: Any = world.app.state.deps.fulfillment
    world.warehouse("W1", "Dallas")
    row: pb.Shipment = neighbor.release(f"shp_{number}", order_id="ord_1")
    row.number, row.order_number, row.warehouse_id, row.promised_on = number, "SO-1001", "W1", "2026-03-05"
    row.lines.add(line_id="1", sku="PUMP", description="Pump <1>", quantity=6)
    row.lines.add(line_id="2", sku="SEAL", description="Seal", quantity=2)
    return row


async def test_a_shipment_is_scanned_picked_packed_in_two_packages_and_shipped(world: ConsoleWorld) -> None:
    row, pat = released(world), world.browser("warehouse", sub="pat")
    page = "/warehouse/SH-8"

    listed = " ".join((await pat.get("/warehouse")).text.split())
    scanned = await pat.get("/warehouse?scan=sh-8")
    shown = (await pat.get(page)).text
    picked = await pat.send(
        page, f"{page}/pick", **hidden_in(shown, f"{page}/pick"), **{"found-1": "6", "found-2": "2"}
    )
    row.lines[0].picked_quantity, row.lines[1].picked_quantity = 6, 2
    shown = (await pat.get(page)).text
    packed = await pat.send(
        page, f"{page}/pack", **hidden_in(shown, f"{page}/pack"),
        **{"package-1": "1", "package-2": "2", "weight-1": "8.2", "weight-2": ""},
    )  # fmt: skip

    row.packages.add(number=1)
    row.packages.add(number=2)
    shown = (await pat.get(page)).text
    left = await pat.send(
        page, f"{page}/ship", **hidden_in(shown, f"{page}/ship"), **{"tracking-1": "1Z9001", "tracking-2": "1Z9002"}
    )

    assert "To pick: 1" in listed
    assert "6 × PUMP, 2 × SEAL" in listed
    assert (scanned.status_code, scanned.headers["location"]) == (303, page)
    assert (picked.status_code, picked.headers["location"]) == (303, page)
    assert (packed.status_code, packed.headers["location"]) == (303, page)
    [sent] = world.app.state.deps.fulfillment.packed
    assert [(one.weight_grams, [line.line_id for line in one.contents]) for one in sent.packages] == [
        (8200, ["1"]), (0, ["2"])
    ]  # fmt: skip
    assert (left.status_code, left.headers["location"]) == (303, "/warehouse")
    assert row.state == pb.SHIPMENT_STATE_SHIPPED
    assert "SH-8 has left" in (await pat.get("/warehouse")).text


@pytest.mark.parametrize(
    ("typed", "packed"),
    [
        ({"units-1": "2", "other-1": "3"}, [(1, [("1", 4), ("2", 2)]), (2, [("1", 2)])]),
        ({"units-1": "6", "other-1": "2"}, [(1, [("2", 2)]), (2, [("1", 6)])]),
        ({"units-1": "2", "other-1": "1"}, [(1, [("1", 6), ("2", 2)])]),
        ({"units-1": "0", "other-1": "2"}, [(1, [("1", 6), ("2", 2)])]),
    ],
)
async def test_a_line_is_divided_over_two_packages(
    world: ConsoleWorld, typed: dict[str, str], packed: list[tuple[int, list[tuple[str, int]]]]
) -> None:
    row, pat = released(world), world.browser("warehouse", sub="pat")
    row.state = pb.SHIPMENT_STATE_PICKED

    done = await pat.send("/warehouse/SH-8", "/warehouse/SH-8/pack", **typed)

    [sent] = world.app.state.deps.fulfillment.packed
    assert done.status_code == 303
    assert [
        (number, [(one.line_id, one.quantity) for one in each.contents])
        for number, each in enumerate(sent.packages, start=1)
    ] == packed


async def test_more_than_a_line_has_is_put_into_no_other_package(world: ConsoleWorld) -> None:
    row, pat = released(world), world.browser("warehouse", sub="pat")
    row.state = pb.SHIPMENT_STATE_PICKED

    answer = await pat.send("/warehouse/SH-8", "/warehouse/SH-8/pack", **{"units-1": "7", "other-1": "2"})
    followed = await pat.client.get(answer.headers["location"]) if answer.status_code == 303 else answer

    assert "line 1 has 6 units" in followed.text.lower()
    assert world.app.state.deps.fulfillment.packed == []


async def test_what_is_short_is_booked_before_it_is_picked(world: ConsoleWorld) -> None:
    row, pat = released(world), world.browser("warehouse", sub="pat")
    page = "/warehouse/SH-8"
    shown = (await pat.get(page)).text

    done = await pat.send(
        page, f"{page}/pick", **hidden_in(shown, f"{page}/pick"),
        **{"found-1": "4", "found-2": "1", "reason-1": "damaged", "reason-2": "missing"},
    )  # fmt: skip

    short, other = world.inventory.short_picks
    assert done.status_code == 303
    assert (short.line_id, short.short_quantity, short.order_id, short.picker) == ("1", 2, row.order_id, "pat")
    assert (short.reason, other.reason) == ("short pick of SH-8, damaged", "short pick of SH-8, missing")
    assert row.state == pb.SHIPMENT_STATE_PICKED


@pytest.mark.parametrize("typed", ["many", "-1", ""])
async def test_what_is_no_number_of_units_is_said_and_books_nothing(world: ConsoleWorld, typed: str) -> None:
    row, pat = released(world), world.browser("warehouse", sub="pat")
    page = "/warehouse/SH-8"

    answer = await pat.send(page, f"{page}/pick", **{"found-1": typed, "found-2": "2"})
    followed = await pat.client.get(answer.headers["location"]) if answer.status_code == 303 else answer

    assert "whole number of units" in followed.text
    assert row.state == pb.SHIPMENT_STATE_RELEASED
    assert world.inventory.short_picks == []


async def test_the_label_of_a_package_leads_to_its_shipment(world: ConsoleWorld) -> None:
    row, pat = released(world), world.browser("warehouse", sub="pat")
    row.packages.add(number=1, sscc="095213210000000017", tracking_number="1Z9001")
    row.tracking_number = "1Z9001"

    found = [
        (await pat.get(f"/warehouse?scan={typed}")).headers["location"] for typed in ("095213210000000017", "1Z9001")
    ]

    assert found == ["/warehouse/SH-8"] * 2


async def test_what_is_due_first_comes_first_and_a_visit_is_no_work_of_the_floor(world: ConsoleWorld) -> None:
    late, soon, visit = (released(world, number) for number in ("SH-71", "SH-72", "SH-73"))
    soon.promised_on, visit.warehouse_id, visit.is_service = "2026-03-01", "", True
    pat = world.browser("warehouse", sub="pat")

    listed = " ".join((await pat.get("/warehouse")).text.split())
    shown = " ".join((await pat.get("/warehouse/SH-73")).text.split())

    assert "To pick: 2" in listed
    assert listed.index(soon.number) < listed.index(late.number)
    assert "a service visit: nothing of it is picked or packed" in shown
    assert "Found" not in shown


async def test_the_floor_works_while_inventory_cannot_say_what_warehouses_are_called(world: ConsoleWorld) -> None:
    released(world)
    pat = world.browser("warehouse", sub="pat")
    world.inventory.is_away = True

    assert "SH-8" in (await pat.get("/warehouse")).text
    assert (await pat.get("/warehouse/SH-8")).status_code == 200


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"weight-1": "NaN"}, "enter its weight in kilograms"),
        ({"weight-1": "1e3"}, "enter its weight in kilograms"),
        ({"weight-1": "0"}, "enter its weight in kilograms"),
        ({"weight-1": "-4"}, "enter its weight in kilograms"),
        ({"weight-2": "4"}, "nothing is in package 2"),
    ],
)
async def test_a_weight_that_is_none_or_of_an_empty_package_is_said(
    world: ConsoleWorld, typed: dict[str, str], said: str
) -> None:
    row, pat = released(world), world.browser("warehouse", sub="pat")
    row.state = pb.SHIPMENT_STATE_PICKED

    answer = await pat.send("/warehouse/SH-8", "/warehouse/SH-8/pack", **typed)
    followed = await pat.client.get(answer.headers["location"]) if answer.status_code == 303 else answer

    assert said in followed.text.lower()
    assert world.app.state.deps.fulfillment.packed == []


async def test_a_shipment_longer_than_a_page_is_picked_and_packed_as_it_is_asked_for(world: ConsoleWorld) -> None:
    row, pat = released(world), world.browser("warehouse", sub="pat")
    for number in range(3, 451):
        row.lines.add(line_id=str(number), sku=f"S{number}", quantity=1)
    page = "/warehouse/SH-8"
    shown = (await pat.get(page)).text

    typed = {f"found-{line.line_id}": str(line.quantity) for line in row.lines[:200]}
    picked = await pat.send(page, f"{page}/pick", **hidden_in(shown, f"{page}/pick"), **typed)
    shown = (await pat.get(page)).text
    packed = await pat.send(page, f"{page}/pack", **hidden_in(shown, f"{page}/pack"))

    assert "250 more lines" in shown
    assert (picked.status_code, packed.status_code) == (303, 303)
    [sent] = world.app.state.deps.fulfillment.packed
    assert len(sent.packages[0].contents) == 450


async def test_a_number_that_is_no_shipment_says_so(world: ConsoleWorld) -> None:
    pat = world.browser("warehouse", sub="pat")

    assert (await pat.get("/warehouse?scan=SH-77")).status_code == 404
    assert (await pat.get("/warehouse/SH-77")).status_code == 404
    assert (await world.browser("sales_rep", sub="rep").get("/warehouse")).status_code == 403
