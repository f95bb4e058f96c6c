"""A pick list: by bin, then SKU, each unit of what is to be picked once."""

from __future__ import annotations

import random

from gateway.http.neighbors.pick_lists import pick_list, way
from oms.fulfillment.v1 import fulfillment_pb2 as pb


def shipment(number: str, *lines: tuple[str, int], state: str = "RELEASED") -> pb.Shipment:
    """`lines` are (SKU, units)."""
    return pb.Shipment(
        number=number,
        state=pb.ShipmentState.Value(f"SHIPMENT_STATE_{state}"),
        lines=[
            pb.ShipmentLine(line_id=str(place), sku=sku, description=f"{sku} it is", quantity=units)
            for place, (sku, units) in enumerate(lines, 1)
        ],
    )


def test_a_picker_walks_past_the_bins_in_their_order() -> None:
    shipments = [
        shipment("SH-1", ("PUMP", 2), ("SEAL", 4), ("PUMP", 1)),
        shipment("SH-2", ("VALVE", 1), ("PUMP", 5), ("LOST", 3)),
        shipment("SH-3", ("PUMP", 100), state="PICKED"),
        shipment("SH-4", ("SEAL", 100), state="CANCELLED"),
    ]

    found = pick_list(shipments, {"PUMP": "A-10", "SEAL": "A-2", "VALVE": "A-10"})

    assert [(one.bin, one.sku, one.quantity, one.takes) for one in found] == [
        ("A-2", "SEAL", 4, {"SH-1": 4}),
        ("A-10", "PUMP", 8, {"SH-1": 3, "SH-2": 5}),
        ("A-10", "VALVE", 1, {"SH-2": 1}),
        ("", "LOST", 3, {"SH-2": 3}),
    ]
    assert found[0].description == "SEAL it is"


def test_bins_are_sorted_by_their_numbers() -> None:
    names = ["1", "2", "10", "A", "A 1", "A-1-2", "A-1-10", "A-2", "A-10", "AB-1", "B-1"]
    mixed = random.Random(7).sample(names, len(names))

    assert sorted(mixed, key=way) == names


def test_whatever_is_to_be_picked_each_unit_is_on_the_list_once() -> None:
    for seed in range(200):
        dice = random.Random(seed)
        shipments = [
            shipment(
                f"SH-{number}",
                *((f"S{dice.randrange(6)}", dice.randrange(1, 9)) for _ in range(dice.randrange(1, 6))),
                state=dice.choice(["RELEASED", "PICKED", "PACKED", "CANCELLED"]),
            )
            for number in range(dice.randrange(1, 6))
        ]
        bins = {f"S{number}": f"A-{dice.randrange(12)}" for number in range(0, 6, 2)}

        found = pick_list(shipments, bins)

        wanted = {
            (one.number, sku): sum(line.quantity for line in one.lines if line.sku == sku)
            for one in shipments
            if one.state == pb.SHIPMENT_STATE_RELEASED
            for sku in {line.sku for line in one.lines}
        }
        assert {(number, one.sku): units for one in found for number, units in one.takes.items()} == wanted
        known = [one.bin for one in found if one.bin]
        assert known == sorted(known, key=way)
        assert all(one.bin for one in found[: len(known)])
