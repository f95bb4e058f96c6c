"""The part of BillingService that invoices what has left: at once, or by policy later; and orders before they ship."""

from collections.abc import Callable

import grpc
import structlog
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.billing import (
    answers,
    at_order,
    billable_wire,
    charging_fees,
    exchanging,
    invoicing,
    list_wire,
    previewing,
    reversing,
    wire,
)
from services.billing.domain.billable import OrderToBill
from services.billing.domain.invoices import Invoice
from services.billing.servicer_part import ServicerPart
from services.billing.store import at_order as at_order_store
from services.billing.store import billable, credit_notes, exchanges, invoices
from services.kernel.invoicing import AT_ORDER, EXCHANGE, OF_SHIPMENTS
from services.kernel.text import optional_text, text
from services.runtime import sessions
from services.runtime.wire import named_orders, page_size

log = structlog.get_logger()


class InvoicingServicer(ServicerPart):
    """Invoices, and the shipments that wait for theirs."""

    wake_invoicing: Callable[[], None] = staticmethod(lambda: None)
    """Called when an invoice may have become due."""

    def IssueInvoice(self, request: pb.IssueInvoiceRequest, context: grpc.ServicerContext) -> pb.IssueInvoiceResponse:
        """Post the invoice of a shipment, keep the shipment for later, or make it revenue that was invoiced at order; a repeat under any request id gives what became of it."""
        shipped = wire.shipped(request, self.database.time_zone)

        def act(session: Session) -> pb.IssueInvoiceResponse:
            if shipped.policy == AT_ORDER:
                known = at_order.leave(session, shipped, self.clock())
                log.info("shipment.recognized", order_id=shipped.of.order.order_id, shipment_id=shipped.shipment_id)
                return billable_wire.issued(known)
            if shipped.policy == EXCHANGE:
                log.info("shipment.exchanged", order_id=shipped.of.order.order_id, shipment_id=shipped.shipment_id)
                return billable_wire.issued(exchanging.leave(session, shipped, self.clock()))
            outcome = invoicing.issue(session, shipped, self.clock())
            if isinstance(outcome, Invoice):
                log.info(
                    "invoice.issued", order_id=outcome.order_id, invoice_id=outcome.invoice_id, number=outcome.number
                )
            else:
                log.info("shipment.kept", order_id=shipped.of.order.order_id, shipment_id=shipped.shipment_id)
            return billable_wire.issued(outcome)

        answer = self.database.once(request.request_id, wire.identity(request), pb.IssueInvoiceResponse, act)
        if answer.HasField("waiting"):
            self.wake_invoicing()
        return answer

    def ReverseShipmentBilling(
        self, request: pb.ReverseShipmentBillingRequest, context: grpc.ServicerContext
    ) -> pb.ReverseShipmentBillingResponse:
        """Take back what a ship confirm did here; a repeat under any request id gives what became of it, a preview leaves no trace."""
        asked = billable_wire.reversal(request)
        of = self._exchange(asked.order_id)

        def act(session: Session) -> pb.ReverseShipmentBillingResponse:
            done = reversing.reverse(session, asked, self.clock())
            if of is not None:  # what it was charged for may be charged of others that left
                today = sessions.business_day(session, self.clock())
                exchanging.charge(session, of, today, f"reversed/{asked.shipment_id}", self.clock())
            invoice = invoices.by_id(session, done.invoice_id) if done.invoice_id else None
            note = credit_notes.known(session, done.credit_note_id) if done.credit_note_id else None
            return billable_wire.reversal_message(
                done, invoice.number if invoice else "", note.number if note and not request.is_preview else ""
            )

        if request.is_preview:
            return previewing.tried(self.database, act)
        return self.database.once(request.request_id, request, pb.ReverseShipmentBillingResponse, act)

    def _exchange(self, order_id: str) -> OrderToBill | None:
        """The order as it stands, where it replaces goods of which some are charged; None for any other."""
        with self.database.reading() as session:
            is_charged = bool(exchanges.charges(session, order_id))
        return wire.order_to_bill(self.read_order(order_id), self.database.time_zone) if is_charged else None

    def InvoiceOrder(self, request: pb.InvoiceOrderRequest, context: grpc.ServicerContext) -> pb.InvoiceOrderResponse:
        """Have an order invoiced whole that is invoiced at order; its invoice is made in a moment."""
        wanted = billable_wire.invoiced_at_order(request, self.database.time_zone)
        with self.database.transaction() as session:
            at_order.keep(session, wanted, self.clock())
        log.info("order.to_invoice", order_id=wanted.order.order_id, version=wanted.version)
        self.wake_invoicing()
        return pb.InvoiceOrderResponse()

    def ChargeFee(self, request: pb.ChargeFeeRequest, context: grpc.ServicerContext) -> pb.ChargeFeeResponse:
        """Post the invoice of a fee; a repeat gives the invoice as it stands."""
        fee_id, of = text(request.fee_id, "fee_id"), wire.order_to_bill(request.order, self.database.time_zone)
        token = wire.card_token(request.card_token)
        with self.database.transaction() as session:
            invoice = charging_fees.charge(session, fee_id, of, self.clock(), token)
            answer = pb.ChargeFeeResponse(invoice=answers.invoice(invoice))
        self.desk.wake()
        log.info("fee.charged", order_id=invoice.order_id, invoice_id=invoice.invoice_id, number=invoice.number)
        return answer

    def BlockInvoicing(
        self, request: pb.BlockInvoicingRequest, context: grpc.ServicerContext
    ) -> pb.BlockInvoicingResponse:
        """Keep an order from being invoiced by an older version than the one that is being made."""
        asked = billable_wire.block(request)
        with self.database.transaction() as session:
            invoiced = invoicing.block(session, asked, self.clock())
        lines = [types_pb2.LineQuantity(line_id=line_id, quantity=units) for line_id, units in invoiced.items()]
        return pb.BlockInvoicingResponse(invoiced=lines)

    def ListBillable(self, request: pb.ListBillableRequest, context: grpc.ServicerContext) -> pb.ListBillableResponse:
        """Shipments that have left and wait for their invoice, the longest first."""
        limit, after = page_size(request.limit), list_wire.waiting_cursor(request.cursor)
        if orders := named_orders(request.order_ids):
            with self.database.reading() as session:
                found = billable.waiting_of_orders(session, orders)
                invoiced = [
                    pb.InvoicedShipment(order_id=order_id, shipment_id=shipment_id)
                    for order_id, shipment_id in (
                        *at_order_store.shipments_of_orders(session, orders),
                        *exchanges.shipments_of_orders(session, orders),
                    )
                ]
            return pb.ListBillableResponse(shipments=map(billable_wire.message, found), invoiced_at_order=invoiced)
        customer_id = optional_text(request.customer_id, "customer_id")
        policy = wire.one_of(request.policy, OF_SHIPMENTS, "invoicing policy")
        with self.database.reading() as session:
            page = billable.page(session, customer_id=customer_id, policy=policy, after=after, limit=limit + 1)
            count = billable.count(session, customer_id=customer_id, policy=policy)
        cursor = billable_wire.cursor_after(page[limit - 1]) if len(page) > limit else ""
        rows = [billable_wire.message(one) for one in page[:limit]]
        return pb.ListBillableResponse(shipments=rows, next_cursor=cursor, count=count)
