"""What a warehouse has to do next, and what a scanned label leads to."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlmodel import col

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.domain.sscc import scanned_number, sscc
from services.fulfillment.models import ShipmentRow
from services.kernel.errors import InvalidArgument
from tests.fulfillment.desk import NO_CONTEXT, WarehouseDesk

pytestmark = pytest.mark.on_postgres
CODE = sscc("9521321", 1)


def promise(desk: WarehouseDesk, shipment: pb.Shipment, day: str | None) -> None:
    """Give it another day; None for none."""
    values = {"promised_on": day}
    with desk.database.transaction() as session:
        session.execute(update(ShipmentRow).where(col(ShipmentRow.shipment_id) == shipment.shipment_id).values(values))


def due(desk: WarehouseDesk, state: pb.ShipmentState.ValueType, **wanted: int | str) -> tuple[list[str], int]:
    """Ids of what waits, and how many do."""
    request = pb.ListDueShipmentsRequest(state=state, **wanted)  # type: ignore[arg-type]  # members by name
    found = desk.service.ListDueShipments(request, NO_CONTEXT)
    return [one.shipment_id for one in found.shipments], found.total


def test_the_soonest_promised_comes_first_and_a_visit_is_not_among_them(desk: WarehouseDesk) -> None:
    released = desk.release(("L1", "W1", 4), ("L2", "W2", 2), service=1)
    first, second = (next(one for one in released if one.warehouse_id == place) for place in ("W1", "W2"))
    promise(desk, first, "2026-03-09")
    promise(desk, second, "2026-03-05")
    [third] = desk.release(("L1", "W1", 1), order_id="ord_2")
    promise(desk, third, None)
    desk.pick(desk.get(third))

    assert due(desk, pb.SHIPMENT_STATE_RELEASED) == ([second.shipment_id, first.shipment_id], 2)
    assert due(desk, pb.SHIPMENT_STATE_RELEASED, limit=1) == ([second.shipment_id], 2)
    assert due(desk, pb.SHIPMENT_STATE_RELEASED, warehouse_id="W1") == ([first.shipment_id], 1)
    assert due(desk, pb.SHIPMENT_STATE_PICKED) == ([third.shipment_id], 1)
    assert due(desk, pb.SHIPMENT_STATE_PACKED) == ([], 0)


@pytest.mark.parametrize(
    "state", [pb.SHIPMENT_STATE_UNSPECIFIED, pb.SHIPMENT_STATE_SHIPPED, pb.SHIPMENT_STATE_CANCELLED]
)
def test_where_nothing_waits_for_the_floor_is_refused(desk: WarehouseDesk, state: pb.ShipmentState.ValueType) -> None:
    with pytest.raises(InvalidArgument, match="released, picked or packed"):
        due(desk, state)


def test_each_label_of_a_package_leads_to_its_shipment(desk: WarehouseDesk) -> None:
    [shipment] = desk.release(("L1", "W1", 4))
    desk.pick(shipment)
    [package] = desk.pack(shipment).packages
    desk.ship(shipment, numbers=["1Z 9001"])
    code = package.sscc

    for scanned in (code, f"00{code}", f"]C100{code}", f"(00) {code}", "1z9001"):
        found = desk.page(tracking_number=scanned).shipments
        assert [one.shipment_id for one in found] == [shipment.shipment_id], scanned
    assert list(desk.page(tracking_number="1Z9002").shipments) == []


@pytest.mark.parametrize(
    ("scanned", "number"),
    [
        (CODE, CODE),
        (f"00{CODE}", CODE),
        (f"]C100{CODE}", CODE),
        (f"(00) {CODE}", CODE),
        (f"00{CODE[:-1]}", f"00{CODE[:-1]}"),
        ("1z 9001", "1Z9001"),
        ("", ""),
    ],
)
def test_a_label_is_read_as_the_number_that_it_means(scanned: str, number: str) -> None:
    assert scanned_number(scanned) == number
