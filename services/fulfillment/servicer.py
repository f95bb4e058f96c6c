"""FulfillmentService: translate, decide, record, translate back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from grpc import ServicerContext as Context
from sqlmodel import Session

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2_grpc as rpc
from services.fulfillment import recalling, wire
from services.fulfillment.domain import facts
from services.fulfillment.domain import shipment as steps
from services.fulfillment.domain.carrier_event import CarrierEvent, delivers, troubles
from services.fulfillment.domain.rates import cheapest_by_warehouse, chosen
from services.fulfillment.domain.release import Release, new_shipments, unreleased
from services.fulfillment.domain.shipment import LEFT, Consignment, Shipment, State, Verb
from services.fulfillment.store import audit, carrier_events, orders, rates, recalls, shipments
from services.fulfillment.store.counters import next_value
from services.fulfillment.tracking import tracking_number
from services.kernel.clock import Clock, utc_now
from services.kernel.ids import new_id
from services.kernel.text import optional_text, text
from services.runtime.audit import invariant_messages
from services.runtime.db import Database
from services.runtime.idempotency import without
from services.runtime.outbox import emit

log = structlog.get_logger()


class FulfillmentServicer(rpc.FulfillmentServiceServicer):
    """The floor and the road."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self.database = database
        self.clock = clock
        self._rates = rates.RateBook()

    def PutRates(self, request: pb.PutRatesRequest, context: Context) -> pb.PutRatesResponse:
        """Replace rates and zones in one transaction."""
        table, zones = wire.rate_table(request)
        with self.database.transaction() as session:
            rates.replace_rates(session, table, zones)
        log.info("rate_table.replaced", rates=len(table), zones=len(zones))
        return pb.PutRatesResponse(rate_count=len(table), zone_count=len(zones))

    def QuoteWarehouses(self, request: pb.QuoteWarehousesRequest, context: Context) -> pb.QuoteWarehousesResponse:
        """The cheapest carrier of each warehouse; no quotes when no carrier goes there: that is an answer, not an error."""
        ship_to, load = wire.quote_request(request)
        with self.database.reading() as session:
            offers = self._rates.rates_into(session, ship_to)
        return wire.quotes_response(cheapest_by_warehouse(offers, load))

    def ReleaseShipments(self, request: pb.ReleaseShipmentsRequest, context: Context) -> pb.ReleaseShipmentsResponse:
        """Create shipments for what has none; an order that was cancelled here gets none, however late the request comes."""
        release = wire.release(request)

        def act(session: Session) -> pb.ReleaseShipmentsResponse:
            created = self._release(session, release)
            return pb.ReleaseShipmentsResponse(shipments=[wire.shipment_message(each) for each in created])

        # a retry may name units that were allocated since: those are released by the turn that hears of them
        same = without(request, "lines")
        return self.database.once(request.request_id, same, pb.ReleaseShipmentsResponse, act)

    def GetShipment(self, request: pb.GetShipmentRequest, context: Context) -> pb.GetShipmentResponse:
        """One shipment."""
        with self.database.reading() as session:
            found = shipments.get(session, wire.shipment_id(request.shipment_id))
        return pb.GetShipmentResponse(shipment=wire.shipment_message(found))

    def ListShipments(self, request: pb.ListShipmentsRequest, context: Context) -> pb.ListShipmentsResponse:
        """A page of shipments, oldest first; new ones only ever join at the end."""
        wanted = wire.shipment_filter(request)
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
            now = self.clock()
            picked = _step(session, shipment_id, lambda shipment: steps.pick(shipment, counted, picker, now), now)
            return pb.PickShipmentResponse(shipment=wire.shipment_message(picked))

        return self.database.once(request.request_id, request, pb.PickShipmentResponse, act)

    def PackShipment(self, request: pb.PackShipmentRequest, context: Context) -> pb.PackShipmentResponse:
        """Picked → packed."""
        shipment_id = wire.shipment_id(request.shipment_id)

        def act(session: Session) -> pb.PackShipmentResponse:
            now = self.clock()
            packed = _step(session, shipment_id, lambda shipment: steps.pack(shipment, now), now)
            return pb.PackShipmentResponse(shipment=wire.shipment_message(packed))

        return self.database.once(request.request_id, request, pb.PackShipmentResponse, act)

    def ShipShipment(self, request: pb.ShipShipmentRequest, context: Context) -> pb.ShipShipmentResponse:
        """Packed → shipped; a service: released → shipped and delivered in one transaction, told as two facts."""
        carrier = optional_text(request.carrier, "carrier")
        shipment_id = wire.shipment_id(request.shipment_id)

        def act(session: Session) -> pb.ShipShipmentResponse:
            now = self.clock()
            sent = _step(session, shipment_id, lambda shipment: self._sent(session, shipment, carrier, now), now)
            if sent.is_service:
                sent = _step(session, shipment_id, lambda visit: steps.deliver(visit, now, now), now)
            return pb.ShipShipmentResponse(shipment=wire.shipment_message(sent))

        return self.database.once(request.request_id, request, pb.ShipShipmentResponse, act)

    def RecordCarrierEvent(
        self, request: pb.RecordCarrierEventRequest, context: Context
    ) -> pb.RecordCarrierEventResponse:
        """Keep the event; shipped → delivered when it says so, and a problem is noted. An event id that was kept before changes nothing."""
        event, now = wire.carrier_event(request), self.clock()
        with self.database.transaction() as session:
            order_id = orders.claim_of_parcel(session, event.carrier, event.tracking_number)
            is_new = carrier_events.keep(session, event, now)
            if is_new:
                parcel = _hear(session, shipments.of_order(session, order_id), event, now)
            else:
                earlier = carrier_events.parcel_of(session, event.carrier, event.event_id)
                parcel = shipments.by_tracking(session, event.carrier, earlier)
        return pb.RecordCarrierEventResponse(is_new=is_new, shipment=wire.shipment_message(parcel))

    def CancelShipments(self, request: pb.CancelShipmentsRequest, context: Context) -> pb.CancelShipmentsResponse:
        """Cancel what has not left, and remember that this order gets nothing more; nothing of it where asked so and one has left."""
        order_id, reason = text(request.order_id, "order_id"), optional_text(request.reason, "reason", 500)

        def act(session: Session) -> pb.CancelShipmentsResponse:
            orders.claim(session, order_id)
            now = self.clock()
            if not (request.unless_shipped and _has_left(session, order_id)):
                orders.mark_cancelled(session, order_id, reason, now)
                _cancel_open(session, order_id, now)
                recalling.answer_by_cancellation(session, order_id, now)
            states = [each.state for each in shipments.of_order(session, order_id)]
            return pb.CancelShipmentsResponse(
                cancelled_count=states.count(State.CANCELLED), shipped_count=sum(state in LEFT for state in states)
            )

        return self.database.once(request.request_id, request, pb.CancelShipmentsResponse, act)

    def RequestRecall(self, request: pb.RequestRecallRequest, context: Context) -> pb.RequestRecallResponse:
        """Ask the warehouse for units back; what is picked or gone cannot be asked for, and that is an answer."""
        order_id, change_id = text(request.order_id, "order_id"), text(request.change_id, "change_id")
        keep = wire.kept_units(request)

        def act(session: Session) -> pb.RequestRecallResponse:
            recall, wanted = recalling.ask(session, order_id, change_id, keep, self.clock())
            return wire.recall_response(recall, wanted)

        return self.database.once(request.request_id, request, pb.RequestRecallResponse, act)

    def ListRecalls(self, request: pb.ListRecallsRequest, context: Context) -> pb.ListRecallsResponse:
        """A page of recalls that wait for an answer, oldest first."""
        order_id, after = optional_text(request.order_id, "order_id"), optional_text(request.cursor, "cursor")
        limit = wire.page_size(request.limit)
        with self.database.reading() as session:
            page = recalls.page(session, order_id, after, limit + 1)
            parcels = shipments.by_ids(session, {one for each in page for one in each.shipment_ids})
        cursor = page[limit - 1].recall_id if len(page) > limit else ""
        return pb.ListRecallsResponse(
            recalls=[wire.recall_message(each, parcels) for each in page[:limit]], next_cursor=cursor
        )

    def AnswerRecall(self, request: pb.AnswerRecallRequest, context: Context) -> pb.AnswerRecallResponse:
        """The warehouse's word on a recall, once."""
        recall_id, reason = text(request.recall_id, "recall_id"), wire.answer_reason(request)

        def act(session: Session) -> pb.AnswerRecallResponse:
            recall = recalling.answer(
                session, recall_id, is_acknowledged=request.is_acknowledged, reason=reason, now=self.clock()
            )
            parcels = shipments.by_ids(session, recall.shipment_ids)
            return pb.AnswerRecallResponse(recall=wire.recall_message(recall, parcels))

        return self.database.once(request.request_id, request, pb.AnswerRecallResponse, act)

    def Audit(self, request: pb.AuditRequest, context: Context) -> pb.AuditResponse:
        """Check every invariant of this service."""
        with self.database.reading() as session:
            return pb.AuditResponse(invariants=invariant_messages(audit.findings(session)))

    def _release(self, session: Session, release: Release) -> list[Shipment]:
        """Store and tell what is new; nothing when all was released before or the order was cancelled."""
        if orders.claim(session, release.order_id):
            log.info("release.ignored", order_id=release.order_id, why="order was cancelled")
            return []
        earlier = shipments.of_order(session, release.order_id)
        withheld = recalling.withheld_lines(session, earlier)
        lines = unreleased((line for line in release.allocated if line.line_id not in withheld), earlier)
        if not lines:
            return []
        now, offers = self.clock(), self._rates.rates_into(session, release.ship_to)
        created = new_shipments(
            release, lines, offers, lambda count: next_value(session, "shipment", count), lambda: new_id("shp"), now
        )
        for shipment in created:
            shipments.add(session, shipment)
        detail = facts.several_shipments([*earlier, *created], created)
        _tell(session, facts.RELEASED, created[0], detail, now)
        return created

    def _sent(self, session: Session, shipment: Shipment, carrier: str, now: datetime) -> Shipment:
        """The shipment handed over: its carrier chosen, its freight fixed, its parcel numbered."""
        if shipment.is_service:
            return steps.perform(shipment, carrier, now)
        steps.moved(shipment, Verb.SHIP)  # out of turn is said before anything about rates
        into = self._rates.rates_into(session, shipment.ship_to)
        offers = [rate for rate in into if rate.warehouse_id == shipment.warehouse_id]
        offer = chosen(offers, shipment.load, carrier)
        number = tracking_number(offer.carrier, next_value(session, "tracking"))
        return steps.ship(shipment, Consignment(offer.carrier, number, offer.cost), now)


def _step(session: Session, shipment_id: str, take: Callable[[Shipment], Shipment], now: datetime) -> Shipment:
    """Take one step of a shipment's life alone with its order, store it and tell it."""
    siblings = shipments.of_order(session, orders.claim_of_shipment(session, shipment_id))
    before = next(each for each in siblings if each.shipment_id == shipment_id)
    return _advance(session, siblings, before, replace(take(before), recall_id=""), now)


def _advance(
    session: Session, siblings: Sequence[Shipment], before: Shipment, after: Shipment, now: datetime
) -> Shipment:
    """Store a step and tell it; `siblings` are the shipments of its order before it, and the order is claimed."""
    shipments.save(session, before, after)
    _tell(session, facts.milestone_kind(after.state), after, facts.one_shipment(siblings, after), now)
    if before.recall_id:
        recalling.answer_by_deed(session, before, after.state.value, now)
    return after


def _hear(session: Session, siblings: Sequence[Shipment], event: CarrierEvent, now: datetime) -> Shipment:
    """The parcel after what its carrier said of it; `siblings` are all shipments of its order."""
    number, carrier = event.tracking_number, event.carrier
    parcel = next(each for each in siblings if (each.tracking_number, each.carrier) == (number, carrier))
    if troubles(event, parcel):
        troubled = steps.trouble(parcel, event.occurred_at, now)
        shipments.save(session, parcel, troubled)
        _tell(session, facts.EXCEPTION, troubled, facts.one_shipment(siblings, troubled), now)
        return troubled
    if not delivers(event, parcel):
        return parcel
    return _advance(session, siblings, parcel, steps.deliver(parcel, event.occurred_at, now), now)


def _has_left(session: Session, order_id: str) -> bool:
    return any(each.state in LEFT for each in shipments.of_order(session, order_id))


def _cancel_open(session: Session, order_id: str, now: datetime) -> None:
    """Cancel every shipment that has not left and tell it, when there is one."""
    before = shipments.of_order(session, order_id)
    stopped = {
        each.shipment_id: replace(steps.cancel(each, now), recall_id="") for each in before if steps.can_cancel(each)
    }
    for each in before:
        if each.shipment_id in stopped:
            shipments.save(session, each, stopped[each.shipment_id])
    if stopped:
        after = [stopped.get(each.shipment_id, each) for each in before]
        changed = list(stopped.values())
        _tell(session, facts.CANCELLED, changed[0], facts.several_shipments(after, changed), now)


def _tell(session: Session, kind: str, subject: Shipment, detail: dict[str, object], now: datetime) -> None:
    """Write the fact beside the change and log the decision."""
    emit(session, kind=kind, order_id=subject.order_id, subject_id=subject.shipment_id, detail=detail, now=now)
    log.info(
        kind.replace("_", ".", 1), order_id=subject.order_id, shipment_id=subject.shipment_id, number=subject.number
    )
