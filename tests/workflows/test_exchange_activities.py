"""Steps of exchanges: what is credited of an inspection, and when an order in place of goods is over."""

from __future__ import annotations

from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2
from oms.orders.v1 import orders_pb2 as pb
from workflows.activities.returns import credited_lines
from workflows.activities.standing import completeness


def test_what_is_replaced_without_documents_is_not_credited() -> None:
    units = [
        facts_pb2.InspectedUnits(line_id="1", quantity=2, disposition="restock", responsible="customer"),
        facts_pb2.InspectedUnits(line_id="1", quantity=2, disposition="scrap", responsible="carrier"),
    ]
    inspection = pb.ReturnInspection(inspection_id="insp_1", units=units, fee_line_ids=["1"], replaced={"1": 3})
    found = pb.ReturnDocument(
        lines=[pb.ReturnLine(line_id="1", sku="PUMP", quantity=4)], inspections=[inspection], fee_percent="15"
    )

    [line] = credited_lines(found, inspection)

    assert (line.line_id, line.quantity, line.fee_percent) == ("1", 1, "15")


def test_an_exchange_is_settled_when_all_has_left_and_what_is_charged_is_billed() -> None:
    order = pb.Order(lines=[pb.OrderLine(line_id="1", quantity=2)], invoicing="exchange")
    gone = fulfillment_pb2.Shipment(
        shipment_id="shp_1",
        state=fulfillment_pb2.SHIPMENT_STATE_DELIVERED,
        lines=[fulfillment_pb2.ShipmentLine(line_id="1", quantity=2)],
    )

    def settled(*, is_open: bool = False, charged: int = 0, shipments: int = 1) -> bool:
        order.is_exchange_open = is_open
        order.charged["1"] = charged
        return completeness(order, [gone] * shipments, [], ["shp_1"]).is_settled

    assert settled()
    assert not settled(is_open=True)
    assert not settled(charged=1)
    assert not settled(shipments=0)
