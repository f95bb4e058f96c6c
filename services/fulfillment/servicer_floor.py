"""The part of FulfillmentService that warehouses work by."""

from __future__ import annotations

from grpc import ServicerContext as Context

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2_grpc as rpc
from services.fulfillment import filter_wire, wire
from services.fulfillment.store import shipments
from services.runtime.db import Database


class FloorServicer(rpc.FulfillmentServiceServicer):
    """What a warehouse has to do."""

    database: Database

    def ListDueShipments(self, request: pb.ListDueShipmentsRequest, context: Context) -> pb.ListDueShipmentsResponse:
        """What waits for a step, the soonest promised first."""
        warehouse_id, state, limit = filter_wire.due_filter(request)
        with self.database.reading() as session:
            found, total = shipments.due(session, warehouse_id, state, limit)
        return pb.ListDueShipmentsResponse(shipments=[wire.shipment_message(each) for each in found], total=total)
