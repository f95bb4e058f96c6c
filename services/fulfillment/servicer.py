"""FulfillmentService: translate, decide, record, translate back."""

from __future__ import annotations

import structlog
from grpc import ServicerContext as Context
from sqlmodel import Session

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment import (
    advance_shipments,
    cancel_shipments,
    filter_wire,
    package_wire,
    recall_units,
    release_shipments,
    replace_rate_table,
    reverse_shipments,
    wire,
)
from services.fulfillment.advance_shipments import Handover
from services.fulfillment.carriers import Carriers
from services.fulfillment.domain.rates import cheapest_by_warehouse
from services.fulfillment.domain.shipment import LEFT, State
from services.fulfillment.number_packages import PackingRules
from services.fulfillment.quote_wire import quotes_response
from services.fulfillment.servicer_counts import CountsServicer
from services.fulfillment.servicer_floor import FloorServicer
from services.fulfillment.servicer_interceptions import InterceptionsServicer
from services.fulfillment.servicer_returns import ReturnsServicer
from services.fulfillment.servicer_unsendable import UnsendableServicer
from services.fulfillment.servicer_waves import WavesServicer
from services.fulfillment.store import audit, rates, recalls, shipments
from services.fulfillment.timing import timing
from services.kernel.clock import Clock, utc_now
from services.kernel.text import optional_text, text
from services.runtime import sessions
from services.runtime.audit import find_all, invariant_messages
from services.runtime.db import Database
from services.runtime.idempotency import without
from services.runtime.wire import page_size

log = structlog.get_logger()


class FulfillmentServicer(
    ReturnsServicer, InterceptionsServicer, UnsendableServicer, CountsServicer, FloorServicer, WavesServicer
):
    """Warehouses and carriers."""

    def __init__(
        self,
        database: Database,
        clock: Clock = utc_now,
        carriers: Carriers | None = None,
        packing: PackingRules | None = None,
    ) -> None:
        self.database = database
        self.packing = packing or PackingRules()
        self.clock = clock
        self.carriers = carriers
        self._rates = rates.RateBook()

    def PutRates(self, request: pb.PutRatesRequest, context: Context) -> pb.PutRatesResponse:
        """Replace rates and zones in one transaction."""
        table, zones = wire.rate_table(request)
        expected = request.expected_version if request.HasField("expected_version") else None
        with self.database.transaction() as session:
            version = replace_rate_table.replace(session, table, zones, expected)
        return pb.PutRatesResponse(rate_count=len(table), zone_count=len(zones), version=version)

    def GetRates(self, request: pb.GetRatesRequest, context: Context) -> pb.GetRatesResponse:
        """The whole rate table; NotFound before there is one."""
        with self.database.reading() as session:
            version = rates.version_of(session)
            table, zones = rates.whole(session)
        return wire.rate_table_message(table, zones, version)

    def QuoteWarehouses(self, request: pb.QuoteWarehousesRequest, context: Context) -> pb.QuoteWarehousesResponse:
        """The cheapest carrier of each warehouse; no quotes when no carrier goes there: that is an answer, not an error."""
        ship_to, load = wire.quote_request(request)
        with self.database.reading() as session:
            roads, now = self._rates.roads_into(session, ship_to), self.clock()
            today, times = sessions.business_day(session, now), timing(session, roads, now)
        quotes = cheapest_by_warehouse(roads.rates, load)
        return quotes_response(quotes, roads.rates, today, times, load.unit_count)

    def ReleaseShipments(self, request: pb.ReleaseShipmentsRequest, context: Context) -> pb.ReleaseShipmentsResponse:
        """Create shipments for what has none; an order that was cancelled here gets none, however late the request comes."""
        release = wire.release(request)

        def act(session: Session) -> pb.ReleaseShipmentsResponse:
            created = release_shipments.release(session, self._rates, release, self.clock())
            return pb.ReleaseShipmentsResponse(shipments=[wire.shipment_message(each) for each in created])

        # a retry may name units that were allocated since: those are released by the turn that hears of them
        same = without(request, "lines", "withheld_line_ids")
        return self.database.once(request.request_id, same, pb.ReleaseShipmentsResponse, act)

    def GetShipment(self, request: pb.GetShipmentRequest, context: Context) -> pb.GetShipmentResponse:
        """One shipment."""
        with self.database.reading() as session:
            found = shipments.get(session, wire.shipment_id(request.shipment_id))
        return pb.GetShipmentResponse(shipment=wire.shipment_message(found))

    def ListShipments(self, request: pb.ListShipmentsRequest, context: Context) -> pb.ListShipmentsResponse:
        """A page of shipments, oldest first; new ones only ever join at the end."""
        wanted = filter_wire.shipment_filter(request)
        with self.database.reading() as session:
            page, next_after = shipments.page(session, wanted)
        return pb.ListShipmentsResponse(
            shipments=[wire.shipment_message(each) for each in page], next_cursor=str(next_after or "")
        )

    def PickShipment(self, request: pb.PickShipmentRequest, context: Context) -> pb.PickShipmentResponse:
        """Released → picked."""
        counted, picker = wire.pick_count(request), optional_text(request.picker, "picker")
        shipment_id = wire.shipment_id(request.shipment_id)

        def act(session: Session) -> pb.PickShipmentResponse:
            picked = advance_shipments.pick(session, shipment_id, counted, picker, self.clock())
            return pb.PickShipmentResponse(shipment=wire.shipment_message(picked))

        return self.database.once(request.request_id, request, pb.PickShipmentResponse, act)

    def PackShipment(self, request: pb.PackShipmentRequest, context: Context) -> pb.PackShipmentResponse:
        """Picked → packed."""
        shipment_id, given = wire.shipment_id(request.shipment_id), package_wire.packages(request.packages)

        def act(session: Session) -> pb.PackShipmentResponse:
            packed = advance_shipments.pack(session, self.packing, shipment_id, given, self.clock())
            return pb.PackShipmentResponse(shipment=wire.shipment_message(packed))

        return self.database.once(request.request_id, request, pb.PackShipmentResponse, act)

    def ShipShipment(self, request: pb.ShipShipmentRequest, context: Context) -> pb.ShipShipmentResponse:
        """Packed → shipped; a service: released → shipped and delivered in one transaction, told as two facts."""
        handover = Handover(optional_text(request.carrier, "carrier"), package_wire.tracking_numbers(request))
        shipment_id = wire.shipment_id(request.shipment_id)

        def act(session: Session) -> pb.ShipShipmentResponse:
            shipped = advance_shipments.ship(session, self._rates, self.packing, shipment_id, handover, self.clock())
            return pb.ShipShipmentResponse(shipment=wire.shipment_message(shipped))

        return self.database.once(request.request_id, request, pb.ShipShipmentResponse, act)

    def ReverseShipment(self, request: pb.ReverseShipmentRequest, context: Context) -> pb.ReverseShipmentResponse:
        """Shipped → cancelled, and another shipment packed with its goods."""
        shipment_id, reason = wire.shipment_id(request.shipment_id), text(request.reason, "reason", 500)
        who = optional_text(request.reversed_by, "reversed_by")

        def act(session: Session) -> pb.ReverseShipmentResponse:
            done = reverse_shipments.reverse_ship(
                session, shipment_id, self.packing, who=who, reason=reason, now=self.clock()
            )
            shipment, packed = map(wire.shipment_message, done)
            return pb.ReverseShipmentResponse(shipment=shipment, replacement=packed)

        return self.database.once(request.request_id, request, pb.ReverseShipmentResponse, act)

    def CheckReversal(self, request: pb.CheckReversalRequest, context: Context) -> pb.CheckReversalResponse:
        """Whether a ship confirm can be reversed."""
        with self.database.reading() as session:
            found = reverse_shipments.check(session, wire.shipment_id(request.shipment_id))
        return pb.CheckReversalResponse(shipment=wire.shipment_message(found))

    def RecordCarrierEvent(
        self, request: pb.RecordCarrierEventRequest, context: Context
    ) -> pb.RecordCarrierEventResponse:
        """Keep the event; shipped → delivered when it says so, and a problem is noted. An event id that was kept before changes nothing."""
        event = wire.carrier_event(request)
        with self.database.transaction() as session:
            parcel, is_new = advance_shipments.record_carrier_event(session, event, self.clock())
        return pb.RecordCarrierEventResponse(is_new=is_new, shipment=wire.shipment_message(parcel))

    def CancelShipments(self, request: pb.CancelShipmentsRequest, context: Context) -> pb.CancelShipmentsResponse:
        """Cancel what has not left, and remember that this order gets nothing more; nothing of it where asked so and one has left."""
        order_id, reason = text(request.order_id, "order_id"), optional_text(request.reason, "reason", 500)

        def act(session: Session) -> pb.CancelShipmentsResponse:
            after = cancel_shipments.cancel(
                session, order_id, reason=reason, unless_shipped=request.unless_shipped, now=self.clock()
            )
            states = [each.state for each in after]
            return pb.CancelShipmentsResponse(
                cancelled_count=states.count(State.CANCELLED),
                shipped_count=sum(state in LEFT for state in states),
                reversed_shipment_ids=[each.shipment_id for each in after if each.reversal is not None],
            )

        return self.database.once(request.request_id, request, pb.CancelShipmentsResponse, act)

    def RequestRecall(self, request: pb.RequestRecallRequest, context: Context) -> pb.RequestRecallResponse:
        """Ask the warehouse for units back; what is picked or gone cannot be asked for, and that is an answer."""
        order_id, change_id = text(request.order_id, "order_id"), text(request.change_id, "change_id")
        keep = None if request.is_all_not_picked else wire.kept_units(request)

        def act(session: Session) -> pb.RequestRecallResponse:
            if request.is_cancellation and keep is not None:
                return wire.recall_response(
                    *recall_units.ask_for_cancelled(session, order_id, change_id, keep, self.clock())
                )
            recall, wanted = recall_units.ask(session, order_id, change_id, keep, self.clock())
            return wire.recall_response(recall, wanted)

        return self.database.once(request.request_id, _identity(request), pb.RequestRecallResponse, act)

    def WithdrawRecall(self, request: pb.WithdrawRecallRequest, context: Context) -> pb.WithdrawRecallResponse:
        """Ask no more for the units of a change that has ended."""
        order_id, change_id = text(request.order_id, "order_id"), text(request.change_id, "change_id")
        reason = optional_text(request.reason, "reason", 500)

        def act(session: Session) -> pb.WithdrawRecallResponse:
            count = recall_units.withdraw(session, order_id, change_id, reason, self.clock())
            return pb.WithdrawRecallResponse(withdrawn_count=count)

        return self.database.once(request.request_id, request, pb.WithdrawRecallResponse, act)

    def ListRecalls(self, request: pb.ListRecallsRequest, context: Context) -> pb.ListRecallsResponse:
        """A page of recalls that wait for an answer, oldest first."""
        order_id, after = optional_text(request.order_id, "order_id"), optional_text(request.cursor, "cursor")
        limit = page_size(request.limit)
        with self.database.reading() as session:
            page, cursor = recalls.page(session, order_id, after, limit)
            parcels = shipments.by_ids(session, {one for each in page for one in each.shipment_ids})
        return pb.ListRecallsResponse(recalls=[wire.recall_message(each, parcels) for each in page], next_cursor=cursor)

    def AnswerRecall(self, request: pb.AnswerRecallRequest, context: Context) -> pb.AnswerRecallResponse:
        """The warehouse's word on a recall, once."""
        recall_id, reason = text(request.recall_id, "recall_id"), wire.answer_reason(request)

        def act(session: Session) -> pb.AnswerRecallResponse:
            recall = recall_units.answer(
                session, recall_id, is_acknowledged=request.is_acknowledged, reason=reason, now=self.clock()
            )
            parcels = shipments.by_ids(session, recall.shipment_ids)
            return pb.AnswerRecallResponse(recall=wire.recall_message(recall, parcels))

        return self.database.once(request.request_id, request, pb.AnswerRecallResponse, act)

    def Audit(self, request: pb.AuditRequest, context: Context) -> pb.AuditResponse:
        """Check every invariant of this service."""
        with self.database.reading() as session:
            return pb.AuditResponse(
                invariants=invariant_messages(find_all(session, audit.INVARIANTS)),
                releasing_order_ids=shipments.releasing_orders(session),
            )


def _identity(request: pb.RequestRecallRequest) -> pb.RequestRecallRequest:
    """What makes two requests the same. What a cancellation keeps follows from its change, which the answer to the first may have moved."""
    if not request.is_cancellation:
        return request
    return pb.RequestRecallRequest(
        request_id=request.request_id, order_id=request.order_id, change_id=request.change_id, is_cancellation=True
    )
