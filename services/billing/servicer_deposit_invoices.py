"""The part of BillingService that shows deposit invoices and credit notes of them; they are made as cash comes and goes."""

import grpc

from oms.billing.v1 import billing_pb2 as pb
from services.billing import deposit_wire
from services.billing.documents import rendering
from services.billing.documents.cii import cii
from services.billing.documents.deposit_content import deposit_content
from services.billing.documents.deposit_einvoice import deposit_einvoice_of
from services.billing.domain.deposit_invoices import DepositInvoice
from services.billing.servicer_documents import xml_within
from services.billing.servicer_part import ServicerPart
from services.billing.store import deposit_invoices
from services.kernel.errors import NotFound
from services.kernel.text import optional_text, text
from services.runtime.wire import page_size


class DepositInvoiceServicer(ServicerPart):
    """Deposit invoices."""

    def ListDepositInvoices(
        self, request: pb.ListDepositInvoicesRequest, context: grpc.ServicerContext
    ) -> pb.ListDepositInvoicesResponse:
        """The oldest first."""
        limit = page_size(request.limit)
        with self.database.reading() as session:
            page = deposit_invoices.page(
                session,
                order_id=optional_text(request.order_id, "order_id"),
                customer_id=optional_text(request.customer_id, "customer_id"),
                after=optional_text(request.cursor, "cursor"),
                limit=limit + 1,
            )
            found = deposit_invoices.deductions_of(session, [one.deposit_invoice_id for one in page[:limit]])
        return pb.ListDepositInvoicesResponse(
            deposit_invoices=[deposit_wire.message(one, found[one.deposit_invoice_id]) for one in page[:limit]],
            next_cursor=page[limit - 1].deposit_invoice_id if len(page) > limit else "",
        )

    def GetDepositInvoice(
        self, request: pb.GetDepositInvoiceRequest, context: grpc.ServicerContext
    ) -> pb.GetDepositInvoiceResponse:
        """As it stands."""
        posted = self._known(request.deposit_invoice, request.customer_id)
        with self.database.reading() as session:
            found = deposit_invoices.deductions_of(session, [posted.deposit_invoice_id])
        return pb.GetDepositInvoiceResponse(
            deposit_invoice=deposit_wire.message(posted, found[posted.deposit_invoice_id])
        )

    def RenderDepositInvoice(
        self, request: pb.RenderDepositInvoiceRequest, context: grpc.ServicerContext
    ) -> pb.RenderDepositInvoiceResponse:
        """As a PDF."""
        posted = self._known(request.deposit_invoice, request.customer_id)
        xml = xml_within(lambda: deposit_einvoice_of(posted, self.seller))
        made = rendering.pdf(deposit_content(posted, self.seller) | {"xml": xml})
        return pb.RenderDepositInvoiceResponse(number=posted.number, pdf=made)

    def RenderEDepositInvoice(
        self, request: pb.RenderEDepositInvoiceRequest, context: grpc.ServicerContext
    ) -> pb.RenderEDepositInvoiceResponse:
        """As XML by EN 16931."""
        posted = self._known(request.deposit_invoice, request.customer_id)
        made = cii(deposit_einvoice_of(posted, self.seller))
        return pb.RenderEDepositInvoiceResponse(number=posted.number, xml=made)

    def _known(self, deposit_invoice: str, customer_id: str) -> DepositInvoice:
        """The one of this number or identity, when it is the customer's where one is named."""
        wanted, customer_id = text(deposit_invoice, "deposit_invoice"), optional_text(customer_id, "customer_id")
        with self.database.reading() as session:
            found = deposit_invoices.known(session, wanted.upper()) or deposit_invoices.known(session, wanted)
        if found is None or customer_id not in ("", found.customer_id):
            raise NotFound("DEPOSIT_INVOICE_NOT_FOUND", "there is no such deposit invoice: look it up in the list")
        return found
