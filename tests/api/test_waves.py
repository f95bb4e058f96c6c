"""Waves over HTTP: made once, with a pick list by bin, and closed by what becomes of their shipments."""

from __future__ import annotations

from typing import Any

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from tests.api.conftest import World


def released(world: World, *numbers: str) -> list[pb.Shipment]:
    """Shipments of 2 PUMP-100 and 1 SEAL-7 each."""
    made = []
    for number in numbers:
        row = world.fulfillment.release(
            f"shp_{number}", warehouse_id="wh_1", order_number="SO-1001", promised_on="2026-12-03"
        )
        row.number = number
        row.lines.add(line_id="1", sku="PUMP-100", description="Pump", quantity=2)
        row.lines.add(line_id="2", sku="SEAL-7", description="Seal", quantity=1)
        made.append(row)
    return made


async def test_a_wave_is_made_once_and_has_a_pick_list(world: World) -> None:
    first, _second = released(world, "SH-1", "SH-2")
    world.inventory.bins = {("SEAL-7", "wh_1"): "A-1", ("PUMP-100", "wh_1"): "A-2", ("PUMP-100", "wh_2"): "Z-9"}
    body = {"warehouse_id": "wh_1", "next": 20}

    made = await world.send("POST", "/v1/waves", "warehouse", key="w1", json=body)
    again = await world.send("POST", "/v1/waves", "warehouse", key="w1", json=body)
    first.state = pb.SHIPMENT_STATE_PICKED
    shown: Any = (await world.send("GET", f"/v1/waves/{made.json()['wave_id']}", "support")).json()

    assert (made.status_code, again.json()) == (201, made.json())
    assert (made.json()["number"], made.json()["to_pick_count"], made.json()["closed_at"]) == ("WV-1001", 2, None)
    [asked] = world.fulfillment.waves_asked
    assert (asked.next, asked.picker, asked.created_by) == (20, asked.created_by, asked.created_by)
    assert [(one["number"], one["state"], one["quantity"]) for one in shown["shipments"]] == [
        ("SH-1", "picked", 3), ("SH-2", "released", 3)
    ]  # fmt: skip
    assert [(one["bin"], one["sku"], one["takes"]) for one in shown["pick_list"]] == [
        ("A-1", "SEAL-7", [{"shipment_number": "SH-2", "quantity": 1}]),
        ("A-2", "PUMP-100", [{"shipment_number": "SH-2", "quantity": 2}]),
    ]


async def test_waves_are_listed_and_canceled(world: World) -> None:
    first, second = released(world, "SH-1", "SH-2")
    chosen = {"warehouse_id": "wh_1", "shipment_ids": ["shp_SH-1"], "picker": "pat"}
    await world.send("POST", "/v1/waves", "warehouse", key="w1", json=chosen)
    await world.send("POST", "/v1/waves", "warehouse", key="w2", json={**chosen, "shipment_ids": ["shp_SH-2"]})
    first.state = pb.SHIPMENT_STATE_PICKED

    listed = (await world.send("GET", "/v1/waves?warehouse_id=wh_1", "auditor")).json()["rows"]
    every = (await world.send("GET", "/v1/waves?all=true", "auditor")).json()["rows"]
    cancelled = (await world.send("POST", "/v1/waves/WV-1002/cancel", "warehouse")).json()

    assert [(one["number"], one["picker"]) for one in listed] == [("WV-1002", "pat")]
    assert [one["number"] for one in every] == ["WV-1002", "WV-1001"]
    assert (cancelled["is_cancelled"], cancelled["is_open"], cancelled["shipment_count"]) == (True, False, 0)
    assert second.state == pb.SHIPMENT_STATE_RELEASED


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"warehouse_id": "wh_1", "next": 0}, 422, "INVALID_REQUEST"),
        ({"warehouse_id": "wh_1", "next": 101}, 422, "INVALID_REQUEST"),
        ({"warehouse_id": "wh_1", "shipment_ids": ["s"] * 101}, 422, "INVALID_REQUEST"),
        ({"warehouse_id": "wh_1", "next": 3}, 409, "NOTHING_TO_PICK"),
    ],
)
async def test_what_is_no_wave_is_refused(world: World, body: Any, status: int, code: str) -> None:
    refused = await world.send("POST", "/v1/waves", "warehouse", key="w1", json=body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await world.send("GET", "/v1/waves/WV-1001", "warehouse")).status_code == 404


async def test_a_pick_list_is_printed_of_what_is_to_be_picked(world: World) -> None:
    first, _second = released(world, "SH-1", "SH-2")
    world.inventory.bins = {("PUMP-100", "wh_1"): "A-2"}
    await world.send(
        "POST", "/v1/waves", "warehouse", key="w1", json={"warehouse_id": "wh_1", "next": 9, "picker": "pat"}
    )
    first.state = pb.SHIPMENT_STATE_PICKED

    made = await world.send("GET", "/v1/waves/WV-1001/pick-list.pdf", "warehouse")

    [sent] = world.billing.pick_lists
    assert made.headers["content-disposition"] == 'attachment; filename="WV-1001-pick-list.pdf"'
    assert (sent.number, sent.warehouse, sent.picker) == ("WV-1001", "wh_1", "pat")
    assert [(one.bin, one.sku, one.takes[0].quantity) for one in sent.lines] == [
        ("A-2", "PUMP-100", 2),
        ("", "SEAL-7", 1),
    ]
    assert [(one.number, one.order_number, one.promised_on) for one in sent.shipments] == [
        ("SH-2", "SO-1001", "2026-12-03")
    ]
