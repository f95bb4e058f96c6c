"""Packages of shipments over HTTP: how they are sent to fulfillment, shown, and printed."""

from __future__ import annotations

from typing import Any

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from tests.api.conftest import World

PATH = "/v1/shipments/shp_1"
TWO = {
    "packages": [
        {
            "contents": [{"line_id": "1", "quantity": 3}],
            "weight_grams": 8200,
            "length_mm": 400,
            "tracking_number": "1Z 1234",
        },
        {"contents": [{"line_id": "1", "sku": "PUMP-100", "quantity": 1}]},
    ]
}


async def test_packages_and_their_numbers_reach_fulfillment_as_they_were_sent(world: World) -> None:
    world.fulfillment.release("shp_1", order_id="ord_1").state = pb.SHIPMENT_STATE_PICKED

    packed = await world.send("POST", f"{PATH}/pack", "warehouse", key="p1", json=TWO)
    shipped = await world.send(
        "POST", f"{PATH}/ship", "warehouse", key="s1", json={"tracking_numbers": ["1Z1", "1Z22"]}
    )

    assert (packed.status_code, shipped.status_code) == (200, 422)  # the first number is too short to be one
    first, second = world.fulfillment.packed[0].packages
    assert (first.weight_grams, first.length_mm, first.tracking_number) == (8200, 400, "1Z 1234")
    assert [(line.line_id, line.sku, line.quantity) for line in second.contents] == [("1", "PUMP-100", 1)]


@pytest.mark.parametrize(
    "package",
    [
        {"contents": []},
        {"contents": [{"line_id": "1", "quantity": 0}]},
        {"contents": [{"line_id": "1", "quantity": 1}], "weight_grams": -1},
        {"contents": [{"line_id": "1", "quantity": 1}], "tracking_number": "<script>"},
        {"contents": [{"line_id": "1", "quantity": 1}], "color": "red"},
    ],
)
async def test_a_package_that_cannot_be_is_a_422_that_names_the_field(world: World, package: dict[str, Any]) -> None:
    world.fulfillment.release("shp_1", order_id="ord_1")

    answer = await world.send("POST", f"{PATH}/pack", "warehouse", key="p1", json={"packages": [package]})

    assert answer.status_code == 422
    assert "packages" in answer.text


async def test_a_shipment_shows_its_packages(world: World) -> None:
    contents = [types.LineQuantity(line_id="1", sku="PUMP-100", quantity=4)]
    package = pb.Package(
        number=1, contents=contents, weight_grams=500, sscc="095213210000000018", tracking_number="1Z1"
    )
    world.fulfillment.release("shp_1", order_id="ord_1", packages=[package])

    shown = (await world.send("GET", PATH, "warehouse")).json()["packages"]

    assert shown == [
        {
            "number": 1,
            "sscc": "095213210000000018",
            "tracking_number": "1Z1",
            "weight_grams": 500,
            "length_mm": None,
            "width_mm": None,
            "height_mm": None,
            "contents": [{"line_id": "1", "sku": "PUMP-100", "quantity": 4}],
            "delivered_at": None,
            "exception_at": None,
            "problem": None,
        }
    ]


async def test_the_packing_slip_is_a_file_for_who_may_read_shipments(world: World) -> None:
    made = await world.send("GET", f"{PATH}/packing-slip.pdf", "warehouse")
    theirs = await world.send("GET", f"{PATH}/packing-slip.pdf", "customer")

    assert (made.status_code, made.content[:5]) == (200, b"%PDF-")
    assert made.headers["Content-Disposition"] == 'attachment; filename="SH-1001-packing-slip.pdf"'
    assert theirs.status_code == 403
