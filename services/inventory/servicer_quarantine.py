"""The part of InventoryService that lists goods in quarantine and ends it."""

import grpc
from sqlmodel import Session

from oms.inventory.v1 import inventory_pb2 as pb
from oms.inventory.v1.inventory_pb2_grpc import InventoryServiceServicer
from services.inventory import ending_quarantine, quarantine_wire, wire
from services.inventory.store import quarantine
from services.kernel.clock import Clock
from services.runtime.db import Database

Context = grpc.ServicerContext | None


class QuarantineServicer(InventoryServiceServicer):
    """Goods in quarantine, and what becomes of them."""

    _database: Database
    _clock: Clock

    def ListQuarantine(self, request: pb.ListQuarantineRequest, context: Context) -> pb.ListQuarantineResponse:
        """Units that nobody has decided yet, those that came first before the others."""
        place = wire.optional_identity(request.warehouse_id, "warehouse_id")
        sku = wire.sku(request.sku) if request.sku else ""
        after, limit = wire.optional_identity(request.cursor, "cursor"), wire.limit(request.limit)
        with self._database.reading() as session:
            found = quarantine.page(session, place, sku, after, limit + 1)
        shown = found[:limit]
        return pb.ListQuarantineResponse(
            units=map(quarantine_wire.units_message, shown),
            next_cursor=shown[-1].movement_id if len(found) > limit else "",
        )

    def DecideQuarantine(self, request: pb.DecideQuarantineRequest, context: Context) -> pb.DecideQuarantineResponse:
        """End the quarantine of units, once."""
        decision = quarantine_wire.decision(request)

        def act(session: Session) -> pb.DecideQuarantineResponse:
            return quarantine_wire.decided(ending_quarantine.decide(session, decision, self._clock()))

        return self._database.once(request.request_id, request, pb.DecideQuarantineResponse, act)
