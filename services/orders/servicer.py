"""OrdersService: translate, decide, record, translate back."""

from __future__ import annotations

import structlog
from grpc import ServicerContext as Context
from sqlmodel import Session

from oms.orders.v1 import orders_pb2 as pb
from oms.orders.v1 import orders_pb2_grpc as rpc
from services.kernel.clock import Clock, given_instant, utc_now
from services.kernel.text import optional_text, text
from services.orders import return_wire, wire
from services.orders.approvals import clear_release, clearance
from services.orders.changes import apply, cancel_units
from services.orders.domain.mails import Contacts
from services.orders.domain.order import Order
from services.orders.domain.projection import LineQuantities
from services.orders.lifecycle import (
    apply_facts,
    cancel_past_dates,
    exchange,
    pass_deadline,
    record_milestone,
    resume,
    validate,
)
from services.orders.masterdata import customers
from services.orders.order import aggregate, cards, lookup, order_versions
from services.orders.overview import audit
from services.orders.returns import labels, lost, photos, reading
from services.orders.returns.photo_files import PhotoFiles
from services.runtime.audit import invariant_messages
from services.runtime.db import Database
from services.runtime.idempotency import without
from services.runtime.wire import page_size

log = structlog.get_logger()


class OrdersServicer(rpc.OrdersServiceServicer):
    """What the saga and the relays of other services may ask of orders."""

    def __init__(
        self, database: Database, contacts: Contacts, clock: Clock = utc_now, photos: PhotoFiles | None = None
    ) -> None:
        self.database = database
        self.contacts = contacts
        self.clock = clock
        self.photos = photos

    def GetOrder(self, request: pb.GetOrderRequest, context: Context) -> pb.GetOrderResponse:
        """The order as a document."""
        with self.database.reading() as session:
            found = aggregate.read(session, wire.order_id(request.order_id))
        document = self._document(found.order, found.lines())
        return_wire.fill_exchange(document, found.progress)
        return pb.GetOrderResponse(order=document)

    def GetCard(self, request: pb.GetCardRequest, context: Context) -> pb.GetCardResponse:
        """The token of the order's card, and those given since, for billing."""
        with self.database.reading() as session:
            order_id = lookup.find_id(session, wire.order_id(request.order_id))
            given = [pb.GivenCard(request_id=one.request_id, token=one.token) for one in cards.given(session, order_id)]
            return pb.GetCardResponse(token=cards.token_of(session, order_id), given=given)

    def RecordCard(self, request: pb.RecordCardRequest, context: Context) -> pb.RecordCardResponse:
        """Record what became of a card that was given."""
        order_id, request_id = wire.order_id(request.order_id), text(request.request_id, "request_id")
        with self.database.transaction() as session:
            token = cards.record(session, order_id, request_id, text(request.card, "card"), self.clock())
        return pb.RecordCardResponse(token=token)

    def ValidateOrder(self, request: pb.ValidateOrderRequest, context: Context) -> pb.ValidateOrderResponse:
        """Run every rule; a repeated request id gets its first answer, which is kept without the order."""
        order_id, credit = wire.order_id(request.order_id), wire.credit(request)
        cleared: list[aggregate.OrderAggregate] = []

        def act(session: Session) -> pb.ValidateOrderResponse:
            verdict = validate.validate(session, order_id, credit, self.contacts, self.clock())
            log.info("order.validated", order_id=order_id, outcome=verdict.outcome, reasons=list(verdict.reasons))
            cleared.extend([verdict.evaluated] if verdict.outcome == "cleared" else [])
            return wire.verdict_message(verdict)

        answer = self.database.once(request.request_id, request, pb.ValidateOrderResponse, act)
        for found in cleared:
            answer.order.CopyFrom(self._document(found.order, found.lines()))
        return answer

    def GetClearance(self, request: pb.GetClearanceRequest, context: Context) -> pb.GetClearanceResponse:
        """What stands between the order and its warehouses."""
        with self.database.reading() as session:
            return wire.cleared_message(clearance.read_clearance(session, wire.order_id(request.order_id)))

    def PassDeadline(self, request: pb.PassDeadlineRequest, context: Context) -> pb.PassDeadlineResponse:
        """Remind, escalate or expire; a repeated request id gets its first answer."""
        order_id = wire.order_id(request.order_id)

        def act(session: Session) -> pb.PassDeadlineResponse:
            at = given_instant(request.deadline_micros, "deadline_micros")
            found = pass_deadline.pass_deadline(
                session, order_id, request.deadline, request.subject_id, at, self.clock(), self.contacts
            )
            log.info("deadline.passed", order_id=order_id, deadline=request.deadline, subject_id=request.subject_id)
            return pb.PassDeadlineResponse(clearance=wire.clearance_message(found))

        return self.database.once(request.request_id, request, pb.PassDeadlineResponse, act)

    def ClearRelease(self, request: pb.ClearReleaseRequest, context: Context) -> pb.ClearReleaseResponse:
        """Ask the rules again; a repeated request id gets its first answer."""
        order_id = wire.order_id(request.order_id)

        def act(session: Session) -> pb.ClearReleaseResponse:
            found = clear_release.clear_release(session, order_id, self.contacts, self.clock())
            log.info("release.asked", order_id=order_id, is_clear=found.is_clear)
            return pb.ClearReleaseResponse(is_clear=found.is_clear, clearance=wire.clearance_message(found.clearance))

        return self.database.once(request.request_id, request, pb.ClearReleaseResponse, act)

    def GetChangedOrder(self, request: pb.GetChangedOrderRequest, context: Context) -> pb.GetChangedOrderResponse:
        """The order as a pending change will make it, and what the change holds back."""
        with self.database.reading() as session:
            found = order_versions.changed_order(
                session, wire.order_id(request.order_id), optional_text(request.change_id, "change_id")
            )
        return pb.GetChangedOrderResponse(
            order=self._document(found.order, found.lines),
            withheld_line_ids=sorted(found.withheld_line_ids),
            is_cancellation=found.is_cancellation,
        )

    def KeepUnits(self, request: pb.KeepUnitsRequest, context: Context) -> pb.KeepUnitsResponse:
        """Cancel no more than what no shipment carries; a repeated request id gets its first answer, also once the change is made."""
        order_id, change_id = wire.order_id(request.order_id), text(request.change_id, "change_id")
        carried = wire.carried_units(request)

        def act(session: Session) -> pb.KeepUnitsResponse:
            change = cancel_units.keep_units(session, order_id, change_id, carried, self.contacts, self.clock())
            return pb.KeepUnitsResponse(is_pending=change.is_pending, reason=change.ended_reason)

        if not request.request_id:  # a worker from before it
            with self.database.transaction() as session:
                return act(session)
        return self.database.once(request.request_id, request, pb.KeepUnitsResponse, act)

    def ApplyChange(self, request: pb.ApplyChangeRequest, context: Context) -> pb.ApplyChangeResponse:
        """Make an agreed change the next version; a repeated request id gets its first answer."""
        order_id, credit = wire.order_id(request.order_id), wire.credit(request)
        change_id, invoiced = optional_text(request.change_id, "change_id"), wire.invoiced(request)
        count = wire.invoice_count(request)

        def act(session: Session) -> pb.ApplyChangeResponse:
            applied = apply.apply(session, order_id, change_id, credit, self.contacts, self.clock(), invoiced, count)
            log.info("change.settled", order_id=order_id, change_id=change_id, is_applied=applied.is_applied)
            return wire.applied_message(applied)

        same = without(request, "invoiced", "invoice_count")
        return self.database.once(request.request_id, same, pb.ApplyChangeResponse, act)

    def RecordChange(self, request: pb.RecordChangeRequest, context: Context) -> pb.RecordChangeResponse:
        """Note how a change fares; a repeated request id gets its first answer."""
        order_id, change_id = wire.order_id(request.order_id), optional_text(request.change_id, "change_id")

        def act(session: Session) -> pb.RecordChangeResponse:
            verb, reason, contacts = request.verb, request.reason, self.contacts
            found = apply.record(session, order_id, change_id, verb, reason, contacts, self.clock())
            log.info("change.recorded", order_id=order_id, change_id=change_id, verb=request.verb)
            return pb.RecordChangeResponse(clearance=wire.clearance_message(found))

        return self.database.once(request.request_id, request, pb.RecordChangeResponse, act)

    def RecordOrder(self, request: pb.RecordOrderRequest, context: Context) -> pb.RecordOrderResponse:
        """Record a milestone; a repeated request id gets its first answer."""
        order_id, milestone = wire.order_id(request.order_id), wire.milestone(request)

        def act(session: Session) -> pb.RecordOrderResponse:
            recorded = record_milestone.record(session, order_id, milestone, self.contacts, self.clock())
            log.info("order.recorded", order_id=order_id, milestone=milestone.name, status=recorded.status)
            return wire.recorded_message(recorded)

        same = without(request, "promises")  # supply may have been announced when a step is tried again
        return self.database.once(request.request_id, same, pb.RecordOrderResponse, act)

    def RecordFacts(self, request: pb.RecordFactsRequest, context: Context) -> pb.RecordFactsResponse:
        """Keep facts, all or none: who sends them sends them singly when one of them is refused."""
        facts = wire.facts(request)
        with self.database.transaction() as session:
            apply_facts.take(session, facts, self.contacts, self.clock())
        return pb.RecordFactsResponse(recorded_fact_ids=[fact.fact_id for fact in facts])

    def CheckLiveness(self, request: pb.CheckLivenessRequest, context: Context) -> pb.CheckLivenessResponse:
        """Those orders that have ended or never were, and those that live."""
        order_ids, numbers = wire.liveness(request)
        with self.database.reading() as session:
            living = lookup.living(session, order_ids, numbers)
        ended = [order_id for order_id in order_ids if order_id not in living]
        return pb.CheckLivenessResponse(
            ended_order_ids=ended,
            living=[pb.LivingOrder(order_id=order_id, number=number) for order_id, number in living.items()],
        )

    def CancelPastDates(self, request: pb.CancelPastDatesRequest, context: Context) -> pb.CancelPastDatesResponse:
        """Cancel what has not shipped of orders whose cancel-after day is over; a repeat finds none that was asked."""
        return pb.CancelPastDatesResponse(order_ids=cancel_past_dates.cancel_past_dates(self.database, self.clock))

    def ListOpenOrders(self, request: pb.ListOpenOrdersRequest, context: Context) -> pb.ListOpenOrdersResponse:
        """Orders each of which must have a running workflow."""
        before = given_instant(request.placed_before_micros, "placed_before_micros")
        after, limit = optional_text(request.cursor, "cursor"), page_size(request.limit)
        with self.database.reading() as session:
            page = resume.open_orders(session, placed_before=before, after=after, limit=limit)
        return pb.ListOpenOrdersResponse(
            orders=[pb.LivingOrder(order_id=order_id, number=number) for order_id, number in page],
            next_cursor=page[-1][0] if len(page) == limit else "",
        )

    def RecordHalted(self, request: pb.RecordHaltedRequest, context: Context) -> pb.RecordHaltedResponse:
        """Tell of orders that nobody carries on; a repeat changes nothing."""
        halted = wire.halted(request)
        with self.database.transaction() as session:
            counted = resume.record_halted(session, halted, self.clock())
        log.info("halted.recorded", opened=counted.opened, resolved=counted.resolved)
        return pb.RecordHaltedResponse(opened_count=counted.opened, resolved_count=counted.resolved)

    def ListOpenReturns(self, request: pb.ListOpenReturnsRequest, context: Context) -> pb.ListOpenReturnsResponse:
        """Returns each of which must have a running workflow."""
        before = given_instant(request.requested_before_micros, "requested_before_micros")
        after, limit = optional_text(request.cursor, "cursor"), page_size(request.limit)
        with self.database.reading() as session:
            page = lost.open_returns(session, requested_before=before, after=after, limit=limit)
        return pb.ListOpenReturnsResponse(
            returns=[pb.OpenReturn(return_id=return_id, number=number) for return_id, number in page],
            next_cursor=page[-1][0] if len(page) == limit else "",
        )

    def RecordLostReturns(self, request: pb.RecordLostReturnsRequest, context: Context) -> pb.RecordLostReturnsResponse:
        """Tell of returns that nobody carries on; a repeat changes nothing."""
        opened, resolved = lost.record(self.database, return_wire.lost(request), self.clock())
        log.info("lost_returns.recorded", opened=opened, resolved=resolved)
        return pb.RecordLostReturnsResponse(opened_count=opened, resolved_count=resolved)

    def GetReturn(self, request: pb.GetReturnRequest, context: Context) -> pb.GetReturnResponse:
        """A return as a document."""
        with self.database.reading() as session:
            found = reading.one(session, text(request.return_id, "return_id"))
        return pb.GetReturnResponse(document=return_wire.document(found))

    def GetReturnLabel(self, request: pb.GetReturnLabelRequest, context: Context) -> pb.GetReturnLabelResponse:
        """What the label of a return says."""
        with self.database.reading() as session:
            return return_wire.label(labels.read(session, text(request.return_id, "return_id")))

    def AdvanceReturn(self, request: pb.AdvanceReturnRequest, context: Context) -> pb.AdvanceReturnResponse:
        """Record what was done for a return, and say what comes next; a repeat changes nothing."""
        return_id, done = text(request.return_id, "return_id"), return_wire.done(request)
        with self.database.transaction() as session:
            found, following = exchange.advance(session, return_id, done, self.contacts, self.clock())
        log.info("return.advanced", return_id=return_id, done=done.what, next=following.action, state=found.state)
        return return_wire.following(found, following)

    def Audit(self, request: pb.AuditRequest, context: Context) -> pb.AuditResponse:
        """Check every invariant of this service."""
        with self.database.reading() as session:
            found = audit.findings(session)
        if self.photos is not None:
            found.append(photos.files_finding(self.database, self.photos))
        return pb.AuditResponse(invariants=invariant_messages(found))

    def _document(self, order: Order, lines: dict[str, LineQuantities]) -> pb.Order:
        """The order as a document, with the name and the billing address of who is billed, and the customer's tier."""
        with self.database.reading() as session:
            customer = customers.find_customer(session, order.customer_id)
            payer = customers.find_customer(session, order.bill_to_id) if order.bill_to_id else customer
        return wire.order_message(order, lines, payer, customer.tier if customer else "")
