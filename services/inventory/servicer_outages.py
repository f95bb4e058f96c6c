"""The part of InventoryService that closes warehouses for a while and sources orders again."""

import grpc
from sqlmodel import Session

from oms.inventory.v1 import inventory_pb2 as pb
from oms.inventory.v1 import outage_pb2
from oms.inventory.v1.inventory_pb2_grpc import InventoryServiceServicer
from services.inventory import outage_wire, outages, resourcing, wire
from services.inventory.store import backorders, reservations
from services.inventory.store import outages as store
from services.kernel.clock import Clock
from services.runtime.db import Database
from services.runtime.idempotency import without

Context = grpc.ServicerContext | None


class OutagesServicer(InventoryServiceServicer):
    """Outages, and orders that are sourced again."""

    _database: Database
    _clock: Clock

    def DeclareOutage(
        self, request: outage_pb2.DeclareOutageRequest, context: Context
    ) -> outage_pb2.DeclareOutageResponse:
        """Close a warehouse until an instant; orders that have units there are told to source again."""
        outage_wire.declared(request, self._clock())

        def act(session: Session) -> outage_pb2.DeclareOutageResponse:
            now = self._clock()
            made = outages.declare(session, outage_wire.declared(request, now), now)
            return outage_pb2.DeclareOutageResponse(outage=outage_wire.outage_message(made))

        return self._database.once(request.request_id, request, outage_pb2.DeclareOutageResponse, act)

    def EndOutage(self, request: outage_pb2.EndOutageRequest, context: Context) -> outage_pb2.EndOutageResponse:
        """Open it before its time."""
        place = wire.identity(request.warehouse_id, "warehouse_id")

        def act(session: Session) -> outage_pb2.EndOutageResponse:
            over = outages.end(session, place, self._clock())
            return outage_pb2.EndOutageResponse(outage=outage_wire.outage_message(over))

        return self._database.once(request.request_id, request, outage_pb2.EndOutageResponse, act)

    def ListOutages(self, request: outage_pb2.ListOutagesRequest, context: Context) -> outage_pb2.ListOutagesResponse:
        """The newest first."""
        place = wire.optional_identity(request.warehouse_id, "warehouse_id")
        with self._database.reading() as session:
            found = store.page(session, place, is_open_only=request.is_open_only)
        return outage_pb2.ListOutagesResponse(outages=map(outage_wire.outage_message, found))

    def RequestSourcingForRates(
        self, request: pb.RequestSourcingForRatesRequest, context: Context
    ) -> pb.RequestSourcingForRatesResponse:
        """Carriers go from these warehouses to where they did not before."""
        wire.at_most(len(request.warehouse_ids), wire.MAX_WAREHOUSES, "warehouses")
        places = {wire.identity(one, "warehouse_id") for one in request.warehouse_ids}
        with self._database.transaction() as session:
            count = outages.ask_for_rates(session, places, self._clock())
        return pb.RequestSourcingForRatesResponse(order_count=count)

    def GetSourcingRequests(
        self, request: pb.GetSourcingRequestsRequest, context: Context
    ) -> pb.GetSourcingRequestsResponse:
        """Why an order is to be sourced again; empty where it is not."""
        order_id = wire.identity(request.order_id, "order_id")
        with self._database.reading() as session:
            asked = store.open_of(session, order_id)
        return pb.GetSourcingRequestsResponse(requests=map(outage_wire.request_message, asked))

    def SourceAgain(self, request: pb.SourceAgainRequest, context: Context) -> pb.SourceAgainResponse:
        """Plan again what no shipment carries and what waits."""
        again = outage_wire.again(request)
        order_id = again.demand.order_id

        def act(session: Session) -> pb.SourceAgainResponse:
            is_asked, why = resourcing.source_again(session, again, self._clock())
            held, _ = reservations.of_order(session, order_id)
            waiting = backorders.lines_of_order(session, order_id)
            return pb.SourceAgainResponse(
                is_asked=is_asked, why=why, allocations=wire.allocations(held), shortages=wire.shortages(waiting)
            )

        # rates may have changed, and a shipment been picked, when a step is tried again
        same = without(request, "costs", "currency", "carried", "is_to_be_repeated")
        return self._database.once(request.request_id, same, pb.SourceAgainResponse, act)
