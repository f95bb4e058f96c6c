"""The part of FulfillmentService that takes back what warehouses cannot send."""

from __future__ import annotations

from grpc import ServicerContext as Context
from sqlmodel import Session

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2_grpc as rpc
from services.fulfillment import recall_unsendable
from services.kernel.clock import Clock
from services.kernel.errors import InvalidArgument
from services.kernel.text import text
from services.runtime.db import Database

MOST_WAREHOUSES = 200


class UnsendableServicer(rpc.FulfillmentServiceServicer):
    """Units of warehouses that are closed for a while."""

    database: Database
    clock: Clock

    def RecallUnsendable(self, request: pb.RecallUnsendableRequest, context: Context) -> pb.RecallUnsendableResponse:
        """Released there and not picked: back, at once."""
        order_id, wanted_by = (
            text(request.order_id, "order_id"),
            text(request.sourcing_request_id, "sourcing_request_id"),
        )
        if len(request.warehouse_ids) > MOST_WAREHOUSES:
            raise InvalidArgument("TOO_MANY_WAREHOUSES", f"at most {MOST_WAREHOUSES} warehouses: ask in parts")
        places = {text(one, "warehouse_id") for one in request.warehouse_ids}
        reason = text(request.reason, "reason", 500)

        def act(session: Session) -> pb.RecallUnsendableResponse:
            back, waiting = recall_unsendable.recall(session, order_id, wanted_by, places, reason, self.clock())
            return pb.RecallUnsendableResponse(recalled_quantity=back, waiting_quantity=waiting)

        return self.database.once(request.request_id, request, pb.RecallUnsendableResponse, act)
