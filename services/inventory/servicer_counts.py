"""The part of InventoryService that records what somebody counted."""

import grpc
from sqlmodel import Session

from oms.inventory.v1 import counts_pb2 as pb
from services.inventory import count_wire, counting, open_counts, wire
from services.inventory.servicer_quarantine import QuarantineServicer
from services.inventory.store import allocation, counts
from services.runtime.idempotency import without

Context = grpc.ServicerContext | None


class CountServicer(QuarantineServicer):
    """Counts, and who holds what is counted."""

    _currency: str

    def ListHolders(self, request: pb.ListHoldersRequest, context: Context) -> pb.ListHoldersResponse:
        """Every order line that holds units of a SKU in a warehouse."""
        place, sku = wire.identity(request.warehouse_id, "warehouse_id"), wire.sku(request.sku)
        with self._database.reading() as session:
            return count_wire.holders(counts.holders(session, place, sku, allocation.policy(session)))

    def CountStock(self, request: pb.CountStockRequest, context: Context) -> pb.CountStockResponse:
        """Book what was counted, or say what that would come to."""
        count = count_wire.count(request)
        if request.is_preview:
            with self._database.reading() as session:
                return count_wire.previewed(counting.preview(session, count))

        def act(session: Session) -> pb.CountStockResponse:
            return count_wire.counted(counting.record(session, count, self._currency, self._clock()))

        # what shipments carry and the catalog may have changed when it is asked again
        same = without(request, "carried", "standard_cost", "standard_currency")
        return self._database.once(request.request_id, same, pb.CountStockResponse, act)

    def BookShortPick(self, request: pb.BookShortPickRequest, context: Context) -> pb.BookShortPickResponse:
        """Book what a picker did not find, once."""
        short = count_wire.short_pick(request)

        def act(session: Session) -> pb.BookShortPickResponse:
            kept = counting.record_short(session, short, self._currency, self._clock())
            return pb.BookShortPickResponse(count_id=kept.count_id, on_hand=kept.on_hand, delta=kept.found.delta)

        same = without(request, "is_begun")  # more of it may be picked when it is asked again
        return self._database.once(request.request_id, same, pb.BookShortPickResponse, act)

    def ListOpenCounts(self, request: pb.ListOpenCountsRequest, context: Context) -> pb.ListOpenCountsResponse:
        """Counts whose losses may still be in shipments, the oldest first."""
        count_id, limit = wire.optional_identity(request.count_id, "count_id"), wire.limit(request.limit or 50)
        with self._database.reading() as session:
            found = open_counts.listed(session, count_id, limit)
        return pb.ListOpenCountsResponse(counts=[count_wire.open_count(*one) for one in found])

    def CloseCount(self, request: pb.CloseCountRequest, context: Context) -> pb.CloseCountResponse:
        """What a count took is out of its shipments."""
        count_id = wire.identity(request.count_id, "count_id")
        with self._database.transaction() as session:
            open_counts.close(session, count_id, self._clock())
        return pb.CloseCountResponse()
