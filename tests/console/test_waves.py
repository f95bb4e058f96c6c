"""Waves on the pages: made by scan or by how many are due, worked off shipment by shipment, and canceled."""

from __future__ import annotations

from typing import Any

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from tests.console.money_world import hidden_in
from tests.console.test_warehouse import released
from tests.console.world import ConsoleWorld

PAGE = "/warehouse/waves"


def waved(world: ConsoleWorld, *shipments: str) -> str:
    """The number of a wave of shipments in W1, with pumps in bin A-02."""
    ids = [released(world, one).shipment_id for one in shipments]
    world.inventory.bins = {("PUMP", "W1"): "A-02"}
    neighbor: Any = world.app.state.deps.fulfillment
    wanted = pb.CreateWaveRequest(request_id="w", warehouse_id="W1", shipment_ids=ids, picker="pat", created_by="wes")
    return str(neighbor.CreateWave(wanted).wave.number)


async def test_a_wave_is_made_of_the_next_and_worked_off_by_scans(world: ConsoleWorld) -> None:
    one, two = released(world, "SH-8"), released(world, "SH-9")
    world.inventory.bins = {("PUMP", "W1"): "A-02"}
    pat = world.browser("warehouse", sub="pat")

    empty = (await pat.get(PAGE)).text
    sent = {**hidden_in(empty, PAGE), "warehouse": "W1", "next": "20", "shipments": "", "picker": ""}
    made = await pat.send(PAGE, PAGE, **sent)
    again = await pat.send(PAGE, PAGE, **sent)
    shown = " ".join((await pat.get(made.headers["location"])).text.split())
    scanned = await pat.get(f"{PAGE}/WV-1001?scan=sh-9")
    strange = await pat.get(f"{PAGE}/WV-1001?scan=SH-77")
    one.state = two.state = pb.SHIPMENT_STATE_PICKED
    done = (await pat.get(f"{PAGE}/WV-1001")).text

    assert "No wave is open." in empty
    assert [each.headers["location"] for each in (made, again)] == [f"{PAGE}/WV-1001"] * 2
    assert "WV-1001 is made" in shown
    assert '<th scope="row">A-02</th><td data-of="SKU">PUMP</td>' in shown
    links = (f'<a href="/warehouse/{number}?wave=WV-1001">{number}</a>: 6' for number in ("SH-8", "SH-9"))
    assert ", ".join(links) in shown
    assert "Pump &lt;1&gt;" in shown
    assert (scanned.status_code, scanned.headers["location"]) == (303, "/warehouse/SH-9?wave=WV-1001")
    assert (strange.status_code, "SH-77 is not in WV-1001" in strange.text) == (404, True)
    assert "Nothing of it is to be picked any more." in done
    assert "Cancel the wave" not in done


async def test_who_picks_a_shipment_of_a_wave_comes_back_to_it(world: ConsoleWorld) -> None:
    released(world, "SH-8")
    pat, page = world.browser("warehouse", sub="pat"), "/warehouse/SH-8"
    await pat.send(PAGE, PAGE, warehouse="W1", next="20", shipments="", picker="")

    shown = (await pat.get(f"{page}?wave=WV-1001")).text
    found = {"found-1": "6", "found-2": "2"}
    picked = await pat.send(f"{page}?wave=WV-1001", f"{page}/pick", **hidden_in(shown, f"{page}/pick"), **found)

    assert f'<a href="{PAGE}/WV-1001">WV-1001</a>' in shown
    assert picked.headers["location"] == f"{PAGE}/WV-1001"
    assert (await pat.get(f"{page}?wave=//evil")).status_code == 404


async def test_shipments_that_are_scanned_become_a_wave(world: ConsoleWorld) -> None:
    released(world, "SH-8"), released(world, "SH-9")
    pat = world.browser("warehouse", sub="pat")

    made = await pat.send(PAGE, PAGE, warehouse="W1", next="20", shipments="sh-9\r\nSH-9 ", picker="wes")
    none = await pat.send(PAGE, PAGE, warehouse="W1", next="20", shipments="SH-77", picker="")

    [asked] = world.app.state.deps.fulfillment.waves_asked
    assert (list(asked.shipment_ids), asked.next, asked.picker, asked.created_by) == (["shp_SH-9"], 0, "wes", "pat")
    assert made.headers["location"] == f"{PAGE}/WV-1001"
    followed = await pat.client.get(none.headers["location"]) if none.status_code == 303 else none
    assert "There is no shipment SH-77" in followed.text


@pytest.mark.parametrize(
    ("typed", "said"), [("0", "1 to 100"), ("", "1 to 100"), ("101", "1 to 100"), ("x", "1 to 100")]
)
async def test_what_is_no_number_of_shipments_is_said(world: ConsoleWorld, typed: str, said: str) -> None:
    released(world)
    pat = world.browser("warehouse", sub="pat")

    answer = await pat.send(PAGE, PAGE, warehouse="W1", next=typed, shipments="", picker="")
    followed = await pat.client.get(answer.headers["location"]) if answer.status_code == 303 else answer

    assert said in followed.text
    assert world.app.state.deps.fulfillment.waves == {}


async def test_a_wave_is_listed_opened_by_scan_printed_and_canceled(world: ConsoleWorld) -> None:
    waved(world, "SH-8", "SH-9")
    pat = world.browser("warehouse", sub="pat")

    linked = (await pat.get("/warehouse")).text
    listed = (await pat.get(PAGE)).text
    opened, strange = await pat.get(f"{PAGE}?scan=wv-1001"), await pat.get(f"{PAGE}?scan=WV-9")
    printed = await pat.get(f"{PAGE}/WV-1001/pick-list.pdf")
    cancelled = await pat.send(f"{PAGE}/WV-1001", f"{PAGE}/WV-1001/cancel")
    after, every = (await pat.get(f"{PAGE}/WV-1001")).text, (await pat.get(f"{PAGE}?all=1")).text

    assert f'href="{PAGE}"' in linked
    assert f'<a href="{PAGE}/WV-1001">WV-1001</a>' in listed
    assert opened.headers["location"] == f"{PAGE}/WV-1001"
    assert (strange.status_code, "There is no wave WV-9" in strange.text) == (404, True)
    assert printed.headers["content-type"] == "application/pdf"
    assert cancelled.headers["location"] == f"{PAGE}/WV-1001"
    assert "free for another wave" in after
    assert "WV-1001" in every
    assert (await world.browser("sales_rep", sub="rep").get(PAGE)).status_code == 403
