"""The part of BillingService that corrects payments, and has a second person decide where much of anything is corrected."""

import grpc
import structlog
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from services.billing import answers, correction_wire, freeing, second_person, wire
from services.billing.cards import refunding
from services.billing.correction_wire import Request
from services.billing.domain.corrections import APPROVED, REFUND, STATES, Correction
from services.billing.domain.payments import Payment
from services.billing.servicer_credit_notes import CreditNoteServicer
from services.billing.store import corrections, payments
from services.kernel.text import optional_text, text
from services.runtime.wire import money, page_size

log = structlog.get_logger()


class CorrectionServicer(CreditNoteServicer):
    """Payments reversed, reapplied and refunded, and decisions of a second person."""

    def ReversePayment(
        self, request: pb.ReversePaymentRequest, context: grpc.ServicerContext
    ) -> pb.ReversePaymentResponse:
        """Reverse a payment: what it paid is open again."""

        def act(session: Session) -> pb.ReversePaymentResponse:
            payment, waiting = self._correct(session, request)
            return pb.ReversePaymentResponse(payment=answers.payment(payment), waiting=_message(waiting))

        correction_wire.act_of(request, self.clock(), self.database.time_zone)
        return self.database.once(request.request_id, request, pb.ReversePaymentResponse, act)

    def ReapplyPayment(
        self, request: pb.ReapplyPaymentRequest, context: grpc.ServicerContext
    ) -> pb.ReapplyPaymentResponse:
        """Put all of a payment to another use."""

        def act(session: Session) -> pb.ReapplyPaymentResponse:
            payment, waiting = self._correct(session, request)
            return pb.ReapplyPaymentResponse(payment=answers.payment(payment), waiting=_message(waiting))

        correction_wire.act_of(request, self.clock(), self.database.time_zone)
        return self.database.once(request.request_id, request, pb.ReapplyPaymentResponse, act)

    def RefundPayment(
        self, request: pb.RefundPaymentRequest, context: grpc.ServicerContext
    ) -> pb.RefundPaymentResponse:
        """Give cash that pays nothing back to its payer."""

        def act(session: Session) -> pb.RefundPaymentResponse:
            payment, waiting = self._correct(session, request)
            return pb.RefundPaymentResponse(payment=answers.payment(payment), waiting=_message(waiting))

        correction_wire.act_of(request, self.clock(), self.database.time_zone)
        answer = self.database.once(request.request_id, request, pb.RefundPaymentResponse, act)
        self._pursue(request, is_made=not answer.HasField("waiting"), is_by_card=answer.payment.is_by_card)
        return answer

    def FreeOrderMoney(
        self, request: pb.FreeOrderMoneyRequest, context: grpc.ServicerContext
    ) -> pb.FreeOrderMoneyResponse:
        """Give back what an order no longer needs: to its card, and cash on account; what is free already stays so."""
        order_id, total = text(request.order_id, "order_id"), wire.money(request, "amount")

        def act(session: Session) -> pb.FreeOrderMoneyResponse:
            freed = freeing.free(
                session, order_id, total, request.request_id, self.clock(), keeps_cash=request.keeps_cash
            )
            return pb.FreeOrderMoneyResponse(freed=money(freed))

        answer = self.database.once(request.request_id, request, pb.FreeOrderMoneyResponse, act)
        self.desk.wake()
        return answer

    def DecidePaymentCorrection(
        self, request: pb.DecidePaymentCorrectionRequest, context: grpc.ServicerContext
    ) -> pb.DecidePaymentCorrectionResponse:
        """Approve or decline what somebody else asked for; approved, it is made now."""
        correction_id, who = text(request.correction_id, "correction_id"), correction_wire.decided_by(request)
        note = correction_wire.note(request)

        def act(session: Session) -> pb.DecidePaymentCorrectionResponse:
            decided = second_person.decide(
                session,
                correction_id,
                decided_by=who,
                is_approved=request.is_approved,
                note=note,
                now=self.clock(),
            )
            log.info("correction.decided", correction_id=decided.correction_id, kind=decided.kind, state=decided.state)
            if decided.invoice_id:
                return self.decided_of_invoice(session, decided)
            if decided.state == APPROVED:
                payment = self._make(session, correction_wire.request_of(decided, request.request_id))
            else:
                payment = payments.by_ids(session, [decided.payment_id])[0]
            return pb.DecidePaymentCorrectionResponse(
                payment=answers.payment(payment), correction=correction_wire.message(decided)
            )

        answer = self.database.once(request.request_id, request, pb.DecidePaymentCorrectionResponse, act)
        if answer.correction.kind == REFUND:
            refund = pb.RefundPaymentRequest(request_id=request.request_id)
            self._pursue(refund, is_made=request.is_approved, is_by_card=answer.payment.is_by_card)
        return answer

    def ListPaymentCorrections(
        self, request: pb.ListPaymentCorrectionsRequest, context: grpc.ServicerContext
    ) -> pb.ListPaymentCorrectionsResponse:
        """Corrections that wait for a second person, and those that were decided, oldest first."""
        limit, after = page_size(request.limit), optional_text(request.cursor, "cursor")
        state = wire.one_of(request.state, STATES, "state of a correction")
        payment_id = optional_text(request.payment_id, "payment_id")
        invoice_id = optional_text(request.invoice_id, "invoice_id")
        if correction_id := optional_text(request.correction_id, "correction_id"):
            with self.database.reading() as session:
                found = corrections.by_id(session, correction_id)
            return pb.ListPaymentCorrectionsResponse(corrections=[correction_wire.message(found)] if found else [])
        with self.database.reading() as session:
            page = corrections.page(
                session, state=state, payment_id=payment_id, invoice_id=invoice_id, after=after, limit=limit + 1
            )
        cursor = page[limit - 1].correction_id if len(page) > limit else ""
        return pb.ListPaymentCorrectionsResponse(
            corrections=map(correction_wire.message, page[:limit]), next_cursor=cursor
        )

    def _asked(self, request: pb.PreviewPaymentRequest) -> pb.PreviewPaymentRequest:
        """What is previewed: the request itself, or what a correction that waits was asked for with."""
        if request.WhichOneof("act") != "correction_id":
            return request
        with self.database.reading() as session:
            found = second_person.undecided(session, text(request.correction_id, "correction_id"), of_invoice=False)
        return correction_wire.preview_of(correction_wire.request_of(found, ""))

    def _correct(self, session: Session, request: Request) -> tuple[Payment, Correction | None]:
        """The payment after its correction, or as it is while that waits for a second person."""
        waiting = second_person.wait(session, request, self.limits, self.clock())
        if waiting is None:
            return self._make(session, request), None
        log.info("correction.waits", payment_id=waiting.payment_id, kind=waiting.kind)
        return payments.by_ids(session, [waiting.payment_id])[0], waiting

    def _make(self, session: Session, request: Request) -> Payment:
        """The payment after its correction."""
        payment = correction_wire.act_of(request, self.clock(), self.database.time_zone).act(session)
        if isinstance(request, pb.RefundPaymentRequest):
            amount = wire.money(request, "amount", least=1)
            refunding.ask(session, payment, amount, request.request_id, self.clock())
        log.info("payment.corrected", payment_id=payment.payment_id, kind=correction_wire.kind_of(request))
        return payment

    def _pursue(self, request: pb.RefundPaymentRequest, *, is_made: bool, is_by_card: bool) -> None:
        """Have the provider asked at once for a refund that goes back to its card."""
        if is_made and is_by_card:
            self.desk.pursue(refunding.key(request.request_id))


def _message(waiting: Correction | None) -> pb.PaymentCorrection | None:
    return correction_wire.message(waiting) if waiting is not None else None
