"""The part of InventoryService that says where SKUs lie."""

import grpc

from oms.inventory.v1 import bins_pb2 as pb
from services.inventory import wire
from services.inventory.domain.bins import Bin, bin_name, check_once
from services.inventory.servicer_quarantine import QuarantineServicer
from services.inventory.store import bins, warehouses

Context = grpc.ServicerContext | None

MOST_BINS = 500


class BinsServicer(QuarantineServicer):
    """Bins."""

    def PutBins(self, request: pb.PutBinsRequest, context: Context) -> pb.PutBinsResponse:
        """Store where SKUs lie, all of them or none."""
        wire.at_most(len(request.bins), MOST_BINS, "bins")
        given = [_read(one) for one in request.bins]
        check_once(given)
        with self._database.transaction() as session:
            for place in sorted({one.warehouse_id for one in given}):
                warehouses.require(session, place)
            # in one order, so that two who say so at once do not wait for each other
            done = [bins.put(session, one) for one in sorted(given, key=lambda each: (each.warehouse_id, each.sku))]
        return pb.PutBinsResponse(changed_count=sum(done))

    def ListBins(self, request: pb.ListBinsRequest, context: Context) -> pb.ListBinsResponse:
        """Where SKUs lie, by SKU."""
        place, skus = wire.optional_identity(request.warehouse_id, "warehouse_id"), wire.skus(request.skus)
        after, limit = wire.level_cursor(request.cursor), wire.limit(request.limit)
        with self._database.reading() as session:
            found = bins.page(session, place, skus, after, limit + 1)
        shown = found[:limit]
        return pb.ListBinsResponse(
            bins=[pb.Bin(warehouse_id=one.warehouse_id, sku=one.sku, bin=one.name) for one in shown],
            next_cursor=f"{shown[-1].sku}|{shown[-1].warehouse_id}" if len(found) > limit else "",
        )


def _read(one: pb.Bin) -> Bin:
    return Bin(wire.identity(one.warehouse_id, "warehouse_id"), wire.sku(one.sku), bin_name(one.bin))
