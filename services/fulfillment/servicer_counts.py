"""The part of FulfillmentService that follows counts."""

from __future__ import annotations

from grpc import ServicerContext as Context

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2_grpc as rpc
from oms.types.v1 import types_pb2 as types
from services.fulfillment import recall_uncovered
from services.fulfillment.domain.uncovered import ShortUnits
from services.fulfillment.store import shipments
from services.kernel.clock import Clock
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import positive
from services.kernel.text import optional_text, text
from services.runtime.db import Database


class CountsServicer(rpc.FulfillmentServiceServicer):
    """Goods that are released and not there."""

    database: Database
    clock: Clock

    def RecallUncovered(self, request: pb.RecallUncoveredRequest, context: Context) -> pb.RecallUncoveredResponse:
        """Take out of shipments what is not covered any more; a repeat finds nothing to take."""
        order_id, count_id = text(request.order_id, "order_id"), text(request.count_id, "count_id")
        reason = optional_text(request.reason, "reason", 500)
        short = _short(request.short) if request.HasField("short") else None
        given = {(one.line_id, one.warehouse_id): one.quantity for one in request.covered}
        if any(units < 0 for units in given.values()):
            raise InvalidArgument("QUANTITY_OUT_OF_RANGE", "quantity of covered units must not be negative")
        covered = None if request.is_whole_order else given
        with self.database.transaction() as session:
            recall, kept = recall_uncovered.recall(
                session, order_id, count_id, covered, short=short, reason=reason, now=self.clock()
            )
            places = shipments.by_ids(session, recall.shipment_ids) if recall else {}
        return pb.RecallUncoveredResponse(
            taken=[
                pb.LineUnits(
                    line_id=line.line_id,
                    warehouse_id=places[line.shipment_id].warehouse_id,
                    quantity=line.quantity,
                )
                for line in (recall.lines if recall else ())
            ],
            kept=[
                pb.LineUnits(line_id=line_id, warehouse_id=warehouse_id, quantity=units)
                for (line_id, warehouse_id), units in kept.items()
            ],
        )


def _short(sent: types.ShortUnits) -> ShortUnits:
    units = positive(sent.quantity, "quantity of what is short")
    return ShortUnits(text(sent.shipment_id, "shipment_id"), text(sent.line_id, "line_id"), units)
