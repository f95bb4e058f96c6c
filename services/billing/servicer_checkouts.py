"""The part of BillingService that has the payment provider show pages on which people enter cards."""

import grpc
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from services.billing import answers
from services.billing.cards import checkout, covering
from services.billing.servicer_part import ServicerPart
from services.kernel.errors import InvalidArgument
from services.kernel.text import optional_text, text

LONGEST_URL = 500


class CheckoutServicer(ServicerPart):
    """Pages opened and read."""

    def OpenCheckout(self, request: pb.OpenCheckoutRequest, context: grpc.ServicerContext) -> pb.OpenCheckoutResponse:
        """Have a page shown; the answer says whether the provider has done so."""
        covering.check_taken(self.desk)
        order_id = optional_text(request.order_id, "order_id")
        invoice_id = optional_text(request.invoice_id, "invoice_id")
        if bool(order_id) == bool(invoice_id):
            raise InvalidArgument("CHECKOUT_SUBJECT", "name either the order or the invoice that is paid")
        return_url = text(request.return_url, "return_url", longest=LONGEST_URL)

        def act(session: Session) -> pb.OpenCheckoutResponse:
            begin, subject = (checkout.begin_setup, order_id) if order_id else (checkout.begin_payment, invoice_id)
            return pb.OpenCheckoutResponse(checkout=answers.checkout(begin(session, subject, self.clock())))

        begun = self.database.once(request.request_id, request, pb.OpenCheckoutResponse, act)
        shown = checkout.show(self.desk, begun.checkout.checkout_id, return_url)
        return pb.OpenCheckoutResponse(checkout=answers.checkout(shown))

    def ReadCheckout(self, request: pb.ReadCheckoutRequest, context: grpc.ServicerContext) -> pb.ReadCheckoutResponse:
        """Read at the provider what became of a page."""
        checkout_id, subject_id = text(request.checkout_id, "checkout_id"), text(request.subject_id, "subject_id")
        found = checkout.read_of(self.desk, checkout_id, subject_id)
        return pb.ReadCheckoutResponse(
            checkout=answers.checkout(found.checkout), card_token=found.token, is_away=found.is_unknown
        )
