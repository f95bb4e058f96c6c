"""The part of BillingService that renders labels of returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import grpc
import structlog

from oms.billing.v1 import billing_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from oms.orders.v1 import orders_pb2
from services.billing import header_wire
from services.billing.documents import rendering
from services.billing.documents.label_content import ReturnLabel, label_content
from services.billing.servicer_part import ServicerPart
from services.kernel.clock import business_day, given_instant
from services.kernel.errors import Conflict
from services.kernel.text import one_line, text
from services.runtime.grpc_client import Unreachable

log = structlog.get_logger()


def _no_shipment(shipment_id: str) -> fulfillment_pb2.Shipment:
    raise Unreachable(f"there is nobody to ask for shipment {shipment_id}")


@dataclass(frozen=True, slots=True)
class LabelSources:
    """Whom billing asks for what a label or a packing slip says; `returns_to` are the lines of the place that all returns go to, empty without one."""

    read_label: Callable[[str], orders_pb2.GetReturnLabelResponse]
    warehouses: Callable[[], Sequence[inventory_pb2.Warehouse]]
    returns_to: tuple[str, ...] = ()
    read_shipment: Callable[[str], fulfillment_pb2.Shipment] = _no_shipment


class LabelServicer(ServicerPart):
    """Labels of returns."""

    label_sources: LabelSources

    def RenderReturnLabel(
        self, request: pb.RenderReturnLabelRequest, context: grpc.ServicerContext
    ) -> pb.RenderReturnLabelResponse:
        """The label of a return as a PDF, as orders and inventory have it now."""
        label = self._label(text(request.return_id, "return_id"))
        content = label_content(label, self.seller, self.label_sources.returns_to)
        return pb.RenderReturnLabelResponse(name=f"{label.number}-label.pdf", pdf=rendering.label(content))

    def _label(self, return_id: str) -> ReturnLabel:
        try:
            said = self.label_sources.read_label(return_id)
            places = {one.warehouse_id: one for one in self.label_sources.warehouses()}
        except Unreachable as away:
            log.warning("documents.label_away", error=str(away))
            raise Conflict("ORDERS_AWAY", "the return cannot be read just now: ask again in a few seconds") from away
        zone, there = self.database.time_zone, places.get(said.warehouse_id)
        until = said.valid_until_micros
        return ReturnLabel(
            said.number,
            said.order_number,
            said.units,
            header_wire.address(said.comes_from, "comes_from"),
            business_day(given_instant(said.authorized_micros, "authorized_micros"), zone),
            business_day(given_instant(until, "valid_until_micros"), zone) if until else None,
            header_wire.address(there.address, "warehouse") if there and there.HasField("address") else None,
            one_line(there.name) if there else "",
        )


def nowhere() -> LabelSources:
    """Of a process that knows nobody to ask."""

    def unread(return_id: str) -> orders_pb2.GetReturnLabelResponse:
        raise Unreachable(f"there is nobody to ask for return {return_id}")

    return LabelSources(unread, tuple)
