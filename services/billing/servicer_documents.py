"""The part of BillingService that renders documents."""

import grpc
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from services.billing.documents import rendering
from services.billing.documents.content import Seller, invoice_content
from services.billing.domain.invoices import Invoice
from services.billing.servicer_checkouts import CheckoutServicer
from services.billing.store import invoices
from services.kernel.errors import NotFound
from services.kernel.text import optional_text, text


class DocumentServicer(CheckoutServicer):
    """Invoices as customers get them."""

    seller: Seller

    def RenderInvoice(
        self, request: pb.RenderInvoiceRequest, context: grpc.ServicerContext
    ) -> pb.RenderInvoiceResponse:
        """An invoice as a PDF, as it stands now."""
        wanted, customer_id = text(request.invoice, "invoice"), optional_text(request.customer_id, "customer_id")
        with self.database.reading() as session:
            found = _find(session, wanted)
        if found is None or customer_id not in ("", found.customer_id):
            raise NotFound("INVOICE_NOT_FOUND", "there is no such invoice: look it up in the list")
        return pb.RenderInvoiceResponse(number=found.number, pdf=rendering.pdf(invoice_content(found, self.seller)))


def _find(session: Session, wanted: str) -> Invoice | None:
    """The invoice of this number, or of this identity."""
    return invoices.by_number(session, wanted.upper()) or invoices.by_id(session, wanted)
