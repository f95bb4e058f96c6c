"""The part of InventoryService that keeps announced supply, and tells what came, what comes and who gets it."""

import grpc
from sqlmodel import Session

from oms.inventory.v1 import supply_pb2 as pb
from services.inventory import supply_wire, supplying, wire
from services.inventory.servicer_quarantine import QuarantineServicer
from services.inventory.store import expected, movements
from services.kernel.clock import business_day
from services.kernel.text import optional_text

Context = grpc.ServicerContext | None


class SupplyServicer(QuarantineServicer):
    """Supply that is announced, and movements."""

    def ChangeExpectedReceipt(
        self, request: pb.ChangeExpectedReceiptRequest, context: Context
    ) -> pb.ChangeExpectedReceiptResponse:
        """Give an expected receipt another day or quantity, once."""
        wanted = supply_wire.wanted_change(request)

        def act(session: Session) -> pb.ChangeExpectedReceiptResponse:
            receipt, moved = supplying.change(session, wanted, self._clock())
            return pb.ChangeExpectedReceiptResponse(
                receipt=supply_wire.receipt_message(receipt), moved_order_count=moved
            )

        return self._database.once(request.request_id, request, pb.ChangeExpectedReceiptResponse, act)

    def CancelExpectedReceipt(
        self, request: pb.CancelExpectedReceiptRequest, context: Context
    ) -> pb.CancelExpectedReceiptResponse:
        """Expect nothing more of a receipt, once."""
        identity, reason, who = supply_wire.cancelled(request)

        def act(session: Session) -> pb.CancelExpectedReceiptResponse:
            receipt, moved = supplying.cancel(session, identity, reason, who, self._clock())
            return pb.CancelExpectedReceiptResponse(
                receipt=supply_wire.receipt_message(receipt), moved_order_count=moved
            )

        return self._database.once(request.request_id, request, pb.CancelExpectedReceiptResponse, act)

    def ListExpectedReceipts(
        self, request: pb.ListExpectedReceiptsRequest, context: Context
    ) -> pb.ListExpectedReceiptsResponse:
        """What is announced, the first to come first."""
        sku = wire.sku(request.sku) if request.sku else ""
        place, limit = wire.optional_identity(request.warehouse_id, "warehouse_id"), wire.limit(request.limit)
        after = wire.optional_identity(request.cursor, "cursor")
        reference = optional_text(request.reference, "reference")
        with self._database.reading() as session:
            found = expected.page(session, sku, place, reference, after, limit, is_all=request.is_all)
            changes = expected.changes_of(session, found)
        return pb.ListExpectedReceiptsResponse(
            receipts=[supply_wire.receipt_message(one, changes.get(one.expected_receipt_id, ())) for one in found],
            next_cursor=found[-1].expected_receipt_id if len(found) == limit else "",
        )

    def ListMovements(self, request: pb.ListMovementsRequest, context: Context) -> pb.ListMovementsResponse:
        """What came to a building and left it, the newest first."""
        sku, limit = wire.sku(request.sku), wire.limit(request.limit)
        place = wire.optional_identity(request.warehouse_id, "warehouse_id")
        after = wire.optional_identity(request.cursor, "cursor")
        with self._database.reading() as session:
            found = movements.page(session, sku, place, after, limit)
        return pb.ListMovementsResponse(
            movements=[supply_wire.movement_message(one) for one in found],
            next_cursor=found[-1].movement_id if len(found) == limit else "",
        )

    def GetSupplyOutlook(self, request: pb.GetSupplyOutlookRequest, context: Context) -> pb.GetSupplyOutlookResponse:
        """What comes of a SKU, who gets it, and what may be promised from which day."""
        sku = wire.sku(request.sku)
        place = wire.optional_identity(request.warehouse_id, "warehouse_id")
        today = business_day(self._clock(), self._database.time_zone)
        with self._database.reading() as session:
            return supply_wire.outlook_message(supplying.outlook_of(session, sku, place, today))
