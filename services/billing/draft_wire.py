"""Invoices by hand and their drafts: protobuf to domain and back."""

from collections.abc import Mapping

from oms.billing.v1 import billing_pb2 as pb
from services.billing import answers, billable_wire
from services.billing.by_hand import PreviewByHand, Wanted
from services.billing.domain.corrections import needs_second_person
from services.billing.domain.drafts import Draft
from services.billing.wire import quantities
from services.kernel.bounds import MAX_LINES
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.kernel.text import text
from services.runtime.wire import money

VERBS = ("approve", "post", "discard")


def wanted(of: pb.InvoiceByHand) -> tuple[str, Wanted]:
    """The order, and what of it is invoiced: lines named twice are summed."""
    if len(of.lines) > MAX_LINES:
        raise InvalidArgument("LINES_OUT_OF_RANGE", f"name at most {MAX_LINES} lines at once")
    order_id, shipment_ids = _shipments(of)
    return order_id, Wanted(shipment_ids, quantities(of.lines))


def chosen(of: pb.InvoiceByHand) -> tuple[str, tuple[str, ...]]:
    """The order, and its shipments that are named, each once; InvalidArgument for units of lines, which no draft holds."""
    if of.lines:
        raise InvalidArgument(
            "DRAFT_TAKES_NO_LINES", "a draft holds whole shipments: invoice units of lines at once, or leave them out"
        )
    return _shipments(of)


def _shipments(of: pb.InvoiceByHand) -> tuple[str, tuple[str, ...]]:
    if len(of.shipment_ids) > MAX_LINES:
        raise InvalidArgument("SHIPMENTS_TOO_MANY", f"name at most {MAX_LINES} shipments at once")
    return text(of.order_id, "order_id"), tuple(dict.fromkeys(text(one, "shipment_id") for one in of.shipment_ids))


def verb(request: pb.MoveInvoiceDraftRequest) -> str:
    """What is done with a draft."""
    if request.verb not in VERBS:
        raise InvalidArgument(
            "VERB_UNKNOWN", f"{request.verb[:40]!r} is nothing to do with a draft: {', '.join(VERBS)}"
        )
    return request.verb


def preview_message(seen: PreviewByHand, limits: Mapping[str, Money]) -> pb.PreviewInvoiceResponse:
    """What an invoice would be."""
    return pb.PreviewInvoiceResponse(
        invoice=answers.invoice(seen.invoice),
        needs_second_person=needs_second_person(seen.invoice.total, limits),
        shipments=map(billable_wire.message, seen.shipments),
    )


def message(draft: Draft, limits: Mapping[str, Money]) -> pb.InvoiceDraft:
    """A draft as it stands."""
    return pb.InvoiceDraft(
        draft_id=draft.draft_id,
        order_id=draft.order_id,
        order_number=draft.order_number,
        customer_id=draft.customer_id,
        shipment_ids=draft.shipment_ids,
        amount=money(draft.amount),
        state=draft.state,
        made_by=draft.made_by,
        made_at_micros=micros(draft.made_at),
        approved_by=draft.approved_by,
        approved_at_micros=micros(draft.approved_at) if draft.approved_at else 0,
        ended_by=draft.ended_by,
        ended_at_micros=micros(draft.ended_at) if draft.ended_at else 0,
        invoice_id=draft.invoice_id,
        needs_second_person=needs_second_person(draft.amount, limits),
    )
