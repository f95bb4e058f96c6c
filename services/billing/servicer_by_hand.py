"""The part of BillingService that invoices by hand: at once, or by a draft that is approved and posted."""

import grpc
import structlog
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from services.billing import answers, by_hand, draft_wire, wire
from services.billing.by_hand import Wanted
from services.billing.domain.billable import OrderToBill
from services.billing.domain.drafts import STATES, Draft
from services.billing.domain.invoices import Invoice
from services.billing.servicer_part import ServicerPart
from services.billing.store import drafts
from services.kernel.errors import NotFound
from services.kernel.text import optional_text, text
from services.runtime.wire import page_size

log = structlog.get_logger()


class ByHandServicer(ServicerPart):
    """What accounting invoices itself. The order is read as it stands before each transaction."""

    def PreviewInvoice(
        self, request: pb.PreviewInvoiceRequest, context: grpc.ServicerContext
    ) -> pb.PreviewInvoiceResponse:
        """What an invoice by hand would be now; nothing changes."""
        if draft_id := optional_text(request.draft_id, "draft_id"):
            draft = self._draft(draft_id)
            order, wanted = self._order(draft.order_id), Wanted(draft.shipment_ids)
        else:
            order_id, wanted = draft_wire.wanted(request.of)
            order = self._order(order_id)
        seen = by_hand.preview(self.database, order, wanted, self.clock(), draft_id)
        return draft_wire.preview_message(seen, self.limits)

    def CreateInvoice(
        self, request: pb.CreateInvoiceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInvoiceResponse:
        """Invoice shipments of one order that wait, or units of them, before their policy does."""
        order_id, wanted = draft_wire.wanted(request.of)
        order = self._order(order_id)

        def act(session: Session) -> pb.CreateInvoiceResponse:
            invoice = by_hand.create(session, order, wanted, self.limits, self.clock())
            log.info("invoice.issued_by_hand", order_id=order_id, invoice_id=invoice.invoice_id, number=invoice.number)
            return pb.CreateInvoiceResponse(invoice=answers.invoice(invoice))

        return self.database.once(request.request_id, request, pb.CreateInvoiceResponse, act)

    def MakeInvoiceDraft(
        self, request: pb.MakeInvoiceDraftRequest, context: grpc.ServicerContext
    ) -> pb.MakeInvoiceDraftResponse:
        """Prepare an invoice, which holds its shipments."""
        order_id, shipment_ids = draft_wire.chosen(request.of)
        who, order = text(request.made_by, "made_by"), self._order(order_id)

        def act(session: Session) -> pb.MakeInvoiceDraftResponse:
            draft = by_hand.make_draft(session, order, shipment_ids, who, self.clock())
            log.info("draft.made", order_id=order_id, draft_id=draft.draft_id)
            return pb.MakeInvoiceDraftResponse(draft=draft_wire.message(draft, self.limits))

        return self.database.once(request.request_id, request, pb.MakeInvoiceDraftResponse, act)

    def MoveInvoiceDraft(
        self, request: pb.MoveInvoiceDraftRequest, context: grpc.ServicerContext
    ) -> pb.MoveInvoiceDraftResponse:
        """Approve, post or discard a draft."""
        draft_id, who, verb = text(request.draft_id, "draft_id"), text(request.who, "who"), draft_wire.verb(request)
        # what is discarded needs no order: neither one that is wrong nor orders that is away keeps its shipments
        order = None if verb == "discard" else self._order(self._draft(draft_id).order_id)

        def act(session: Session) -> pb.MoveInvoiceDraftResponse:
            moved, invoice = self._moved(session, draft_id, verb, who, order)
            log.info("draft.moved", order_id=moved.order_id, draft_id=draft_id, state=moved.state)
            shown = answers.invoice(invoice) if invoice else None
            return pb.MoveInvoiceDraftResponse(draft=draft_wire.message(moved, self.limits), invoice=shown)

        return self.database.once(request.request_id, request, pb.MoveInvoiceDraftResponse, act)

    def ListInvoiceDrafts(
        self, request: pb.ListInvoiceDraftsRequest, context: grpc.ServicerContext
    ) -> pb.ListInvoiceDraftsResponse:
        """Drafts by state, oldest first."""
        limit, after = page_size(request.limit), optional_text(request.cursor, "cursor")
        state = wire.one_of(request.state, {*STATES, drafts.OPEN}, "state of a draft")
        draft_id = optional_text(request.draft_id, "draft_id")
        with self.database.reading() as session:
            page = drafts.page(session, state=state, draft_id=draft_id, after=after, limit=limit + 1)
        cursor = page[limit - 1].draft_id if len(page) > limit else ""
        rows = [draft_wire.message(one, self.limits) for one in page[:limit]]
        return pb.ListInvoiceDraftsResponse(drafts=rows, next_cursor=cursor)

    def _moved(
        self, session: Session, draft_id: str, verb: str, who: str, order: OrderToBill | None
    ) -> tuple[Draft, Invoice | None]:
        draft, now = _known(session, draft_id), self.clock()
        if order is None:
            return by_hand.discard(session, draft, who, now), None
        if verb == "approve":
            return by_hand.approve(session, order, draft, who, self.limits, now), None
        return by_hand.post(session, order, draft, who, now)

    def _draft(self, draft_id: str) -> Draft:
        with self.database.reading() as session:
            return _known(session, draft_id)

    def _order(self, order_id: str) -> OrderToBill:
        """The order as it stands; Unreachable while the orders service does not answer."""
        return wire.order_to_bill(self.read_order(order_id), self.database.time_zone)


def _known(session: Session, draft_id: str) -> Draft:
    found = drafts.find(session, draft_id)
    if found is None:
        raise NotFound("DRAFT_NOT_FOUND", f"there is no draft {draft_id}: look at those that are open")
    return found
