"""The part of FulfillmentService that takes goods back."""

from __future__ import annotations

from grpc import ServicerContext as Context
from sqlmodel import Session

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2_grpc as rpc
from services.fulfillment import return_wire, take_returns
from services.kernel.clock import Clock
from services.kernel.text import optional_text, text
from services.runtime.db import Database


class ReturnsServicer(rpc.FulfillmentServiceServicer):
    """Returns announced, counted, inspected and closed."""

    database: Database
    clock: Clock

    def ExpectReturn(self, request: pb.ExpectReturnRequest, context: Context) -> pb.ExpectReturnResponse:
        """Announce goods, and count those that are here; a return that is known stays as it is."""
        expected = return_wire.expected(request.expected)
        place, who = optional_text(request.arrived_in, "arrived_in"), optional_text(request.received_by, "received_by")

        def act(session: Session) -> pb.ExpectReturnResponse:
            known = take_returns.announce(session, expected, self.clock(), arrived_in=place, received_by=who)
            return pb.ExpectReturnResponse(expected=return_wire.message(known))

        return self.database.once(request.request_id, request, pb.ExpectReturnResponse, act)

    def ReceiveReturn(self, request: pb.ReceiveReturnRequest, context: Context) -> pb.ReceiveReturnResponse:
        """Count units that came."""
        reference, place = text(request.reference, "reference"), text(request.warehouse_id, "warehouse_id")
        counted, who = return_wire.counted(request.lines), optional_text(request.received_by, "received_by")

        def act(session: Session) -> pb.ReceiveReturnResponse:
            after = take_returns.receive(session, reference, counted, place, who, self.clock())
            return pb.ReceiveReturnResponse(expected=return_wire.message(after))

        return self.database.once(request.request_id, request, pb.ReceiveReturnResponse, act)

    def InspectReturn(self, request: pb.InspectReturnRequest, context: Context) -> pb.InspectReturnResponse:
        """Say what became of units that were counted."""
        reference, place = text(request.reference, "reference"), text(request.warehouse_id, "warehouse_id")
        found, who = return_wire.inspected(request.units), optional_text(request.inspected_by, "inspected_by")

        def act(session: Session) -> pb.InspectReturnResponse:
            after, inspection_id = take_returns.inspect(session, reference, found, place, who, self.clock())
            return pb.InspectReturnResponse(expected=return_wire.message(after), inspection_id=inspection_id)

        return self.database.once(request.request_id, request, pb.InspectReturnResponse, act)

    def CloseReturn(self, request: pb.CloseReturnRequest, context: Context) -> pb.CloseReturnResponse:
        """Take no more goods for a return."""
        return_id = text(request.return_id, "return_id")

        def act(session: Session) -> pb.CloseReturnResponse:
            closed = take_returns.close(session, return_id, self.clock())
            return pb.CloseReturnResponse(expected=return_wire.message(closed) if closed else None)

        return self.database.once(request.request_id, request, pb.CloseReturnResponse, act)
