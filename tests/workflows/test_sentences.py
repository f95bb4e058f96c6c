"""A step's answer in a few rows, however many lines the order has."""

from __future__ import annotations

from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from workflows.activities import sentences


def _short(sku: str, quantity: int, expected_on: str) -> inventory_pb2.Shortage:
    return inventory_pb2.Shortage(line_id="1", sku=sku, quantity=quantity, expected_on=expected_on)


def test_lines_of_a_sku_are_one_row_with_the_latest_day() -> None:
    rows = sentences.missing([_short("A", 2, "2026-12-08"), _short("A", 3, "2026-12-10"), _short("B", 1, "")])

    assert rows == ["5 of A, expected 2026-12-10", "1 of B, no day known yet"]


def test_a_sku_of_which_a_part_has_no_day_has_none() -> None:
    assert sentences.missing([_short("A", 2, "2026-12-08"), _short("A", 3, "")]) == ["5 of A, no day known yet"]


def test_a_hundred_lines_are_five_rows() -> None:
    rows = sentences.missing([_short(f"S{number:03}", 1, "") for number in range(100)])

    assert (len(rows), rows[-1]) == (5, "and 96 more")


def test_the_largest_source_comes_first_with_its_quote() -> None:
    held = [
        inventory_pb2.Allocation(line_id=line, sku="A", warehouse_id=place, quantity=units)
        for line, place, units in (("1", "wh_b", 1), ("1", "wh_a", 2), ("2", "wh_a", 3))
    ]

    rows = sentences.sources(held, {"wh_a": 31_240}, "USD")

    assert rows == ["5 units from wh_a, quoted 312.40 USD for the whole order", "1 unit from wh_b"]


def test_a_visit_has_no_warehouse_and_no_freight() -> None:
    lines = [fulfillment_pb2.ShipmentLine(line_id="1", sku="INSTALL", quantity=1)]
    visit = fulfillment_pb2.Shipment(number="SH-1002", is_service=True, lines=lines, promised_on="2026-12-04")

    assert sentences.released([visit]) == ["SH-1002: 1 unit of services, promised for 2026-12-04"]
    assert sentences.left(visit) == "SH-1002 was performed"
