"""Packages on the order's page: each with its number, and the packing slip as a file."""

from __future__ import annotations

from typing import Any

from tests.console.test_interceptions import on_its_way
from tests.console.world import ConsoleWorld
from tests.orders.desk import shipment

NUMBERS = ("1Z9990001", "1Z9990002")


def _in_packages(world: ConsoleWorld, number: str) -> str:
    """The order's shipment that has left, in two packages as fulfillment tells of it; its number."""
    row = on_its_way(world, number)
    detail: dict[str, Any] = shipment(row.number, "shipped", {"1": 1})
    detail["shipment"]["shipment_id"] = row.shipment_id
    detail["shipment"]["packages"] = [
        {"sscc": "", "tracking_number": each, "weight_grams": 8240, "delivered_at_micros": 0, "exception_at_micros": 0}
        for each in NUMBERS
    ]
    world.desk.notify(world.desk.fact(row.order_id, "fulfillment", "shipment_shipped", 99, detail))
    return row.number


async def test_the_orders_page_shows_each_package_with_its_number_to_staff_and_customer(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number = numbers["shipping"]
    _in_packages(world, number)

    ours = (await world.browser("support").get(f"/orders/{number}")).text
    theirs = (await world.browser("customer").get(f"/my/orders/{number}")).text

    for page in (ours, theirs):
        assert "2 packages" in page
        assert all(f"tracking <code>{each}</code> · 8.24 kg" in page for each in NUMBERS)
    assert "packing-slip.pdf" in ours
    assert "packing-slip.pdf" not in theirs


async def test_the_packing_slip_is_a_file_beside_the_shipment(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    sent = _in_packages(world, numbers["shipping"])

    made = await world.browser("support").get(f"/shipments/{sent}/packing-slip.pdf")
    theirs = await world.browser("customer").get(f"/shipments/{sent}/packing-slip.pdf")

    assert (made.status_code, made.content[:5]) == (200, b"%PDF-")
    assert theirs.status_code == 403
