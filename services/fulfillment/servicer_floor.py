"""The part of FulfillmentService that warehouses work by."""

from __future__ import annotations

from grpc import ServicerContext as Context

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2_grpc as rpc
from oms.fulfillment.v1 import schedules_pb2
from services.fulfillment import filter_wire, schedule_wire, wire
from services.fulfillment.store import schedules, shipments
from services.runtime.db import Database


class FloorServicer(rpc.FulfillmentServiceServicer):
    """What a warehouse has to do, and when it works."""

    database: Database

    def ListDueShipments(self, request: pb.ListDueShipmentsRequest, context: Context) -> pb.ListDueShipmentsResponse:
        """What waits for a step, the soonest promised first."""
        warehouse_id, state, limit = filter_wire.due_filter(request)
        with self.database.reading() as session:
            found, total = shipments.due(session, warehouse_id, state, limit)
        return pb.ListDueShipmentsResponse(shipments=[wire.shipment_message(each) for each in found], total=total)

    def PutSchedule(
        self, request: schedules_pb2.PutScheduleRequest, context: Context
    ) -> schedules_pb2.PutScheduleResponse:
        """Replace the schedule of a warehouse."""
        wanted = schedule_wire.schedule(request.schedule)
        expected = request.expected_version if request.HasField("expected_version") else None
        with self.database.transaction() as session:
            stored = schedules.put(session, wanted, expected)
        return schedules_pb2.PutScheduleResponse(schedule=schedule_wire.schedule_message(stored))

    def ListSchedules(
        self, request: schedules_pb2.ListSchedulesRequest, context: Context
    ) -> schedules_pb2.ListSchedulesResponse:
        """Every schedule, by warehouse."""
        with self.database.reading() as session:
            found = schedules.every(session)
        return schedules_pb2.ListSchedulesResponse(schedules=map(schedule_wire.schedule_message, found))
