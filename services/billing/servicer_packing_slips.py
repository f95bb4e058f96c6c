"""The part of BillingService that renders what goes with packages: packing slips, labels and bills of lading."""

from __future__ import annotations

import grpc
import structlog

from oms.billing.v1 import billing_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from services.billing import header_wire
from services.billing.documents import rendering
from services.billing.documents.bill_of_lading_content import bill_of_lading_content
from services.billing.documents.packing_slip_content import PackingSlip, SlipLine, SlipPackage, packing_slip_content
from services.billing.documents.shipping_label_content import shipping_label_content
from services.billing.documents.zpl import zpl_labels
from services.billing.servicer_labels import LabelSources
from services.billing.servicer_part import ServicerPart
from services.kernel.clock import business_day, given_instant
from services.kernel.errors import Conflict, InvalidArgument, Refused
from services.kernel.text import one_line, text
from services.runtime.grpc_client import Unreachable

PDF, ZPL = "pdf", "zpl"
_FORMATS = (PDF, ZPL)
log = structlog.get_logger()


class PackingSlipServicer(ServicerPart):
    """Packing slips, labels and bills of lading of shipments."""

    label_sources: LabelSources

    def RenderPackingSlip(
        self, request: pb.RenderPackingSlipRequest, context: grpc.ServicerContext
    ) -> pb.RenderPackingSlipResponse:
        """The packing slip of a shipment as a PDF, as fulfillment, orders and inventory have it now."""
        slip = self._slip(text(request.shipment_id, "shipment_id"))
        pdf = rendering.packing_slip(packing_slip_content(slip, self.seller))
        return pb.RenderPackingSlipResponse(name=f"{slip.number}-packing-slip.pdf", pdf=pdf)

    def RenderShippingLabels(
        self, request: pb.RenderShippingLabelsRequest, context: grpc.ServicerContext
    ) -> pb.RenderShippingLabelsResponse:
        """The labels of a shipment, one a package, as a PDF or for a label printer."""
        if request.format not in _FORMATS:
            raise InvalidArgument("FORMAT_UNKNOWN", f"labels are made as {' or '.join(_FORMATS)}")
        slip = self._slip(text(request.shipment_id, "shipment_id"), "labels")
        if request.format == ZPL:
            made = zpl_labels(slip, self.seller).encode()
        else:
            made = rendering.shipping_labels(shipping_label_content(slip, self.seller))
        return pb.RenderShippingLabelsResponse(name=f"{slip.number}-labels.{request.format}", content=made)

    def RenderBillOfLading(
        self, request: pb.RenderBillOfLadingRequest, context: grpc.ServicerContext
    ) -> pb.RenderBillOfLadingResponse:
        """The bill of lading of a shipment as a PDF."""
        slip = self._slip(text(request.shipment_id, "shipment_id"), "bill of lading")
        pdf = rendering.bill_of_lading(bill_of_lading_content(slip, self.seller))
        return pb.RenderBillOfLadingResponse(name=f"{slip.number}-bill-of-lading.pdf", pdf=pdf)

    def _slip(self, shipment_id: str, what: str = "packing slip") -> PackingSlip:
        try:
            shipment = self.label_sources.read_shipment(shipment_id)
            if not shipment.packages:
                raise _not_packed(shipment, what)
            order = self.read_order(shipment.order_id)
            places = {one.warehouse_id: one for one in self.label_sources.warehouses()}
        except Unreachable as away:
            log.warning("documents.shipment_away", error=str(away))
            raise Conflict(
                "SHIPMENT_AWAY", "the shipment cannot be read just now: ask again in a few seconds"
            ) from away
        there: inventory_pb2.Warehouse | None = places.get(shipment.warehouse_id)
        return PackingSlip(
            number=shipment.number,
            order_number=shipment.order_number,
            po_number=one_line(order.po_number),
            packed_on=business_day(
                given_instant(shipment.packed_at_micros, "packed_at_micros"), self.database.time_zone
            ),
            ship_to=header_wire.address(shipment.ship_to, "ship_to"),
            carrier=one_line(shipment.carrier),
            packages=_packages(shipment),
            place=header_wire.address(there.address, "warehouse") if there and there.HasField("address") else None,
            warehouse=one_line(there.name) if there else "",
        )


def _packages(shipment: fulfillment_pb2.Shipment) -> list[SlipPackage]:
    called = {(line.line_id, line.sku): one_line(line.description) for line in shipment.lines}
    return [
        SlipPackage(
            lines=[SlipLine(one.sku, called.get((one.line_id, one.sku), ""), one.quantity) for one in each.contents],
            weight_grams=each.weight_grams,
            sscc=each.sscc,
            tracking_number=each.tracking_number,
            size_mm=(each.length_mm, each.width_mm, each.height_mm),
        )
        for each in shipment.packages
    ]


def _not_packed(shipment: fulfillment_pb2.Shipment, what: str) -> Refused:
    if shipment.is_service:
        return Refused("SHIPMENT_NOT_PACKED", f"{shipment.number} is a service visit: it has no {what}")
    return Refused("SHIPMENT_NOT_PACKED", f"{shipment.number} is not packed: pack it, then ask for its {what}")
