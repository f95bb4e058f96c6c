"""Which shipments the audit calls overdue: those that have left and of which billing knows nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from gateway.http.neighbors import overdue
from oms.billing.v1 import billing_pb2 as billing
from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from services.kernel.clock import micros
from services.orders.overview.overdue import Due

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_what_billing_invoices_later_is_not_overdue_and_one_invoice_may_bill_several() -> None:
    shipments = [
        fulfillment.Shipment(
            shipment_id=f"shp_{number}",
            number=f"SH-{number}",
            order_id="ord_1",
            state=fulfillment.SHIPMENT_STATE_SHIPPED,
            shipped_at_micros=micros(NOW - timedelta(hours=1)),
        )
        for number in (1, 2, 3, 4, 5)
    ]
    invoice = billing.Invoice(order_id="ord_1", shipment_id="shp_1", shipment_ids=["shp_1", "shp_2"])
    order: Any = SimpleNamespace(
        order_id="ord_1",
        order=SimpleNamespace(number="SO-1", invoicing="weekly"),
        lines=dict,
        changed_at=NOW,
        is_settled=True,
    )

    (way,) = overdue.ways_of(
        [order],
        lambda _: fulfillment.ListShipmentsResponse(shipments=shipments),
        lambda _: billing.ListInvoicesResponse(invoices=[invoice]),
        lambda _: billing.ListBillableResponse(
            shipments=[billing.BillableShipment(order_id="ord_1", shipment_id="shp_3")],
            invoiced_at_order=[billing.InvoicedShipment(order_id="ord_1", shipment_id="shp_5")],
        ),
    )

    found = {one.name: one.offenders for one in overdue.findings([way], Due(NOW, timedelta(minutes=15)))}
    assert [name.split(" left")[0] for name in found["overdue.shipped_and_not_invoiced"]] == ["SO-1: SH-4"]


def test_an_order_of_which_a_billed_shipment_never_left_is_not_paid_until_what_replaces_it_is() -> None:
    states = {"shp_1": fulfillment.SHIPMENT_STATE_SHIPPED, "shp_2": fulfillment.SHIPMENT_STATE_CANCELLED}
    shipments = [
        fulfillment.Shipment(
            shipment_id=shipment_id, state=state, lines=[fulfillment.ShipmentLine(line_id="1", quantity=2)]
        )
        for shipment_id, state in states.items()
    ]
    bills = [
        billing.Invoice(shipment_ids=[shipment_id], lines=[billing.InvoiceLine(line_id="1", quantity=2)])
        for shipment_id in ("shp_1", "shp_2", "shp_3")
    ]
    order: Any = SimpleNamespace(lines=lambda: {"1": SimpleNamespace(wanted=4)})

    assert not overdue.Way(order, shipments, bills[:2]).is_settled
    assert overdue.Way(order, shipments, bills).is_settled
