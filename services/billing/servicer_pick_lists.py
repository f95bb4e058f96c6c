"""The part of BillingService that renders pick lists."""

from __future__ import annotations

from datetime import date

import grpc

from oms.billing.v1 import billing_pb2 as pb
from services.billing.documents import rendering
from services.billing.documents.pick_list_content import PickLine, PickList, PickShipment, pick_list_content
from services.billing.servicer_part import ServicerPart
from services.kernel.bounds import MAX_LINES
from services.kernel.clock import business_day
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.quantity import positive
from services.kernel.text import one_line, optional_text, text

MOST_SHIPMENTS = 200
MOST_TAKES = 20_000


class PickListServicer(ServicerPart):
    """Pick lists of waves."""

    def RenderPickList(
        self, request: pb.RenderPickListRequest, context: grpc.ServicerContext
    ) -> pb.RenderPickListResponse:
        """The pick list of a wave as a PDF."""
        takes = sum(len(line.takes) for line in request.lines)
        if len(request.lines) > MAX_LINES or len(request.shipments) > MOST_SHIPMENTS or takes > MOST_TAKES:
            raise InvalidArgument("PICK_LIST_TOO_LONG", f"a pick list has at most {MAX_LINES} lines: pick in parts")
        number = text(request.number, "number", 40)
        if not request.lines:
            raise Refused("NOTHING_TO_PICK", f"nothing of {number} is to be picked any more: it needs no pick list")
        of = PickList(
            number,
            optional_text(one_line(request.warehouse), "warehouse"),
            optional_text(one_line(request.picker), "picker"),
            business_day(self.clock(), self.database.time_zone),
            [_line(one) for one in request.lines],
            [_shipment(one) for one in request.shipments],
        )
        pdf = rendering.pick_list(pick_list_content(of, self.seller))
        return pb.RenderPickListResponse(name=f"{number}-pick-list.pdf", pdf=pdf)


def _line(one: pb.PickListLine) -> PickLine:
    return PickLine(
        optional_text(one.bin, "bin", 64),
        text(one.sku, "sku", 64),
        optional_text(one_line(one.description), "description", 500),
        [
            (text(take.shipment_number, "shipment_number", 40), positive(take.quantity, "quantity"))
            for take in one.takes
        ],
    )


def _shipment(one: pb.PickListShipment) -> PickShipment:
    return PickShipment(
        text(one.number, "number", 40), optional_text(one.order_number, "order_number"), _day(one.promised_on)
    )


def _day(given: str) -> date | None:
    if not given:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise InvalidArgument("DATE_MALFORMED", "promised_on must be a date such as 2026-12-01") from None
