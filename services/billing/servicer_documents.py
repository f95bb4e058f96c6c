"""The part of BillingService that renders documents."""

from collections.abc import Callable
from functools import partial

import grpc
import structlog
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.billing import order_paper_wire
from services.billing.documents import rendering
from services.billing.documents.cii import cii
from services.billing.documents.content import invoice_content
from services.billing.documents.credit_content import credit_content
from services.billing.documents.credit_einvoice import credit_einvoice_of
from services.billing.documents.einvoice import EInvoice, einvoice_of
from services.billing.documents.order_content import confirmation_content, pro_forma_content
from services.billing.domain.credit_notes import CreditNote
from services.billing.domain.invoices import Invoice
from services.billing.servicer_credit_notes import known_note
from services.billing.servicer_part import ServicerPart
from services.billing.store import deposits, invoice_pages, invoices
from services.kernel.errors import Conflict, NotFound, Refused
from services.kernel.text import optional_text, text
from services.runtime.grpc_client import Unreachable
from services.runtime.sessions import business_day

log = structlog.get_logger()


class DocumentServicer(ServicerPart):
    """Documents as customers get them."""

    def RenderInvoice(
        self, request: pb.RenderInvoiceRequest, context: grpc.ServicerContext
    ) -> pb.RenderInvoiceResponse:
        """An invoice as a PDF, as it stands now."""
        found = self._invoice(request.invoice, request.customer_id)
        content = invoice_content(found, self.seller) | {"xml": xml_within(partial(einvoice_of, found, self.seller))}
        return pb.RenderInvoiceResponse(number=found.number, pdf=rendering.pdf(content))

    def RenderEInvoice(
        self, request: pb.RenderEInvoiceRequest, context: grpc.ServicerContext
    ) -> pb.RenderEInvoiceResponse:
        """An invoice as XML by EN 16931, as it stands now."""
        found = self._invoice(request.invoice, request.customer_id)
        return pb.RenderEInvoiceResponse(number=found.number, xml=cii(einvoice_of(found, self.seller)))

    def RenderCreditNote(
        self, request: pb.RenderCreditNoteRequest, context: grpc.ServicerContext
    ) -> pb.RenderCreditNoteResponse:
        """A credit note as a PDF."""
        note, invoice = self._credit_note(request.credit_note, request.customer_id)
        xml = xml_within(partial(credit_einvoice_of, note, invoice, self.seller))
        content = credit_content(note, invoice, self.seller) | {"xml": xml}
        return pb.RenderCreditNoteResponse(number=note.number, pdf=rendering.pdf(content))

    def RenderECreditNote(
        self, request: pb.RenderECreditNoteRequest, context: grpc.ServicerContext
    ) -> pb.RenderECreditNoteResponse:
        """A credit note as XML by EN 16931."""
        note, invoice = self._credit_note(request.credit_note, request.customer_id)
        made = cii(credit_einvoice_of(note, invoice, self.seller))
        return pb.RenderECreditNoteResponse(number=note.number, xml=made)

    def RenderOrder(self, request: pb.RenderOrderRequest, context: grpc.ServicerContext) -> pb.RenderOrderResponse:
        """A document of an order as a PDF, as orders and its cash stand now."""
        wanted = order_paper_wire.document(request.document)
        order = self._order_on_paper(text(request.order_id, "order_id"))
        order_paper_wire.check_phase(order, wanted)
        with self.database.reading() as session:
            cash = deposits.cash_of(session, order.order_id, order.currency)
            today = business_day(session, self.clock())
        paper = order_paper_wire.paper(order, cash.held + cash.paid, self.database.time_zone)
        if wanted == order_paper_wire.CONFIRMATION:
            name, content = "confirmation", confirmation_content(paper, self.seller)
        else:
            name, content = "pro-forma", pro_forma_content(paper, self.seller, today)
        return pb.RenderOrderResponse(name=f"{order.number}-{name}.pdf", pdf=rendering.pdf(content))

    def _order_on_paper(self, order_id: str) -> orders_pb2.Order:
        try:
            return self.read_order(order_id)
        except Unreachable as away:
            log.warning("documents.orders_away", error=str(away))
            raise Conflict("ORDERS_AWAY", "the order cannot be read just now: ask again in a few seconds") from away

    def _invoice(self, invoice: str, customer_id: str) -> Invoice:
        """The invoice of this number or identity, when it is the customer's where one is named."""
        wanted, customer_id = text(invoice, "invoice"), optional_text(customer_id, "customer_id")
        with self.database.reading() as session:
            found = _known(session, wanted)
        if found is None or customer_id not in ("", found.customer_id):
            raise NotFound("INVOICE_NOT_FOUND", "there is no such invoice: look it up in the list")
        return found

    def _credit_note(self, credit_note: str, customer_id: str) -> tuple[CreditNote, Invoice]:
        """The credit note of this number or identity, when it is the customer's where one is named, and its invoice."""
        with self.database.reading() as session:
            note = known_note(session, credit_note, customer_id)
            invoice = invoices.by_id(session, note.invoice_id)
        assert invoice is not None, "invoices are never deleted"
        return note, invoice


def _known(session: Session, wanted: str) -> Invoice | None:
    """What a customer was sent under a number or an identity; that of a share is that of its consolidated invoice."""
    found = invoice_pages.by_number(session, wanted.upper())
    named = found or invoice_pages.by_any_ids(session, [wanted]).get(wanted)
    return invoice_pages.on_paper(session, named) if named else None


def xml_within(said: Callable[[], EInvoice]) -> str:
    """The e-invoice that goes into a PDF; empty where the document cannot be one."""
    try:
        return cii(said()).decode()
    except Refused as missing:
        log.debug("documents.no_einvoice", reason=missing.reason, why=missing.message)
        return ""
