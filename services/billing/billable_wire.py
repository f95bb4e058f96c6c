"""Shipments that wait for their invoice: what is asked of them, and how billing answers."""

from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.billing import answers, wire
from services.billing.domain.billable import Billable, Block, OrderToBill
from services.billing.domain.invoices import Invoice
from services.billing.domain.reversals import NONE, ReversalAsked, Reversed
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument
from services.kernel.invoicing import AT_ORDER, policy_of
from services.kernel.text import optional_text, text
from services.runtime.wire import money


def block(request: pb.BlockInvoicingRequest) -> Block:
    """The order that is about to have another version."""
    return Block(
        text(request.order_id, "order_id"),
        text(request.customer_id, "customer_id"),
        wire.currency_of(request.currency),
        request.least_version,
    )


def invoiced_at_order(request: pb.InvoiceOrderRequest, time_zone: str) -> OrderToBill:
    """The order that is to be invoiced whole; InvalidArgument for one that is not invoiced at order."""
    if not request.HasField("order"):
        raise InvalidArgument("FIELD_MISSING", "order is missing: send the order as it stands")
    if policy_of(request.order.invoicing, request.order.payment_method) != AT_ORDER:
        raise InvalidArgument("NOT_INVOICED_AT_ORDER", f"order {request.order.number} is invoiced as it ships")
    return wire.order_to_bill(request.order, time_zone)


def issued(outcome: Invoice | Billable | None) -> pb.IssueInvoiceResponse:
    """What became of a shipment that left; neither for one that never did."""
    if outcome is None:
        return pb.IssueInvoiceResponse()
    if isinstance(outcome, Invoice):
        return pb.IssueInvoiceResponse(invoice=answers.invoice(outcome))
    return pb.IssueInvoiceResponse(waiting=message(outcome))


def reversal(request: pb.ReverseShipmentBillingRequest) -> ReversalAsked:
    """A shipment that never left."""
    return ReversalAsked(
        text(request.order_id, "order_id"),
        text(request.customer_id, "customer_id"),
        wire.currency_of(request.currency),
        text(request.shipment_id, "shipment_id"),
        text(request.shipment_number, "shipment_number"),
        wire.reason(request.reason),
        optional_text(request.reversed_by, "reversed_by"),
    )


def reversal_message(done: Reversed, invoice: str, note: str) -> pb.ReverseShipmentBillingResponse:
    """What became of it, with the numbers of its invoice and credit note."""
    return pb.ReverseShipmentBillingResponse(
        outcome=done.outcome,
        invoice_number=invoice,
        credit_note_number=note,
        amount=money(done.amount) if done.outcome != NONE else None,
        held=money(done.held) if done.held.minor else None,
    )


def cursor_after(shipment: Billable) -> str:
    """Where a page ends, as list_wire.waiting_cursor() reads it."""
    return f"{micros(shipment.recorded_at)}/{shipment.shipment_id}"


def message(shipment: Billable) -> pb.BillableShipment:
    """A shipment that waits."""
    return pb.BillableShipment(
        shipment_id=shipment.shipment_id,
        order_id=shipment.order_id,
        order_number=shipment.order_number,
        customer_id=shipment.customer_id,
        policy=shipment.policy,
        shipped_on=shipment.shipped_on.isoformat(),
        invoice_on=shipment.invoice_on.isoformat() if shipment.invoice_on else "",
        amount=money(shipment.amount),
        lines=[
            types_pb2.LineQuantity(line_id=line_id, quantity=units) for line_id, units in shipment.quantities.items()
        ],
        sequence=shipment.position,
        draft_id=shipment.draft_id,
        recorded_at_micros=micros(shipment.recorded_at),
    )
