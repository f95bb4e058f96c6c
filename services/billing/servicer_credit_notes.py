"""The part of BillingService that corrects posted invoices by credit notes, and gives up what nobody will pay."""

from dataclasses import dataclass

import grpc
import structlog
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from services.billing import answers, correction_wire, credit_wire, crediting, previewing, second_person
from services.billing.credit_wire import Request
from services.billing.crediting import WriteOffAsked
from services.billing.domain.corrections import APPROVED, Correction, needs_second_person
from services.billing.domain.credit_notes import CreditNote
from services.billing.domain.invoices import Invoice
from services.billing.servicer_part import ServicerPart
from services.billing.store import credit_notes, invoices
from services.kernel.errors import InvalidArgument, NotFound
from services.kernel.text import optional_text, text
from services.runtime.wire import number_cursor, page_size

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Made:
    """What became of an invoice: its credit note, if it got one, and the correction that waits, if it does."""

    invoice: Invoice
    note: CreditNote | None = None
    waiting: Correction | None = None


@dataclass(frozen=True, slots=True)
class _Previewed:
    """What would become of an invoice."""

    before: Invoice
    made: _Made
    released: tuple[str, ...]


class CreditNoteServicer(ServicerPart):
    """Invoices credited and given up."""

    def CreditInvoice(
        self, request: pb.CreditInvoiceRequest, context: grpc.ServicerContext
    ) -> pb.CreditInvoiceResponse:
        """Post a credit note, unless it must wait for a second person."""

        def act(session: Session) -> pb.CreditInvoiceResponse:
            made = self._asked_of_invoice(session, request)
            return pb.CreditInvoiceResponse(
                credit_note=_note(made), invoice=answers.invoice(made.invoice), waiting=_waiting(made)
            )

        credit_wire.check(request)
        return self.database.once(request.request_id, request, pb.CreditInvoiceResponse, act)

    def WriteOffInvoice(
        self, request: pb.WriteOffInvoiceRequest, context: grpc.ServicerContext
    ) -> pb.WriteOffInvoiceResponse:
        """Give up what is open, unless that must wait for a second person."""

        def act(session: Session) -> pb.WriteOffInvoiceResponse:
            made = self._asked_of_invoice(session, request)
            return pb.WriteOffInvoiceResponse(invoice=answers.invoice(made.invoice), waiting=_waiting(made))

        credit_wire.check(request)
        return self.database.once(request.request_id, request, pb.WriteOffInvoiceResponse, act)

    def PreviewCreditNote(
        self, request: pb.PreviewCreditNoteRequest, context: grpc.ServicerContext
    ) -> pb.PreviewCreditNoteResponse:
        """What a credit note or a write-off would do now; nothing changes."""
        asked = self._previewed_request(request)
        credit_wire.check(asked)
        found = previewing.tried(self.database, lambda session: self._try(session, asked))
        before, after = found.before, found.made.invoice
        beyond = after.written_off if isinstance(asked, pb.WriteOffInvoiceRequest) else after.credited
        note = _note(found.made)
        if note is not None:  # it has no number before it is posted
            note.credit_note_id = note.number = ""
        return pb.PreviewCreditNoteResponse(
            credit_note=note,
            before=answers.invoice(before),
            after=answers.invoice(after),
            released_order_ids=found.released,
            needs_second_person=needs_second_person(beyond, self.limits),
        )

    def ListCreditNotes(
        self, request: pb.ListCreditNotesRequest, context: grpc.ServicerContext
    ) -> pb.ListCreditNotesResponse:
        """Credit notes by number."""
        limit, after = page_size(request.limit), number_cursor(request.cursor)
        with self.database.reading() as session:
            page, next_after = credit_notes.page(
                session,
                invoice=optional_text(request.invoice_id, "invoice_id"),
                order_id=optional_text(request.order_id, "order_id"),
                customer_id=optional_text(request.customer_id, "customer_id"),
                after=after,
                limit=limit,
            )
        return pb.ListCreditNotesResponse(
            credit_notes=map(credit_wire.note_message, page), next_cursor=str(next_after or "")
        )

    def GetCreditNote(
        self, request: pb.GetCreditNoteRequest, context: grpc.ServicerContext
    ) -> pb.GetCreditNoteResponse:
        """One credit note."""
        with self.database.reading() as session:
            found = known_note(session, request.credit_note, request.customer_id)
        return pb.GetCreditNoteResponse(credit_note=credit_wire.note_message(found))

    def decided_of_invoice(self, session: Session, decided: Correction) -> pb.DecidePaymentCorrectionResponse:
        """What a second person decided of an invoice; approved, it is made now."""
        invoice = crediting.taken(session, decided.invoice_id)
        made = _Made(invoice)
        if decided.state == APPROVED:
            made = self._make_of_invoice(session, invoice, credit_wire.request_of(decided), decided.decided_by)
        return pb.DecidePaymentCorrectionResponse(
            correction=correction_wire.message(decided),
            invoice=answers.invoice(made.invoice),
            credit_note=_note(made),
        )

    def _asked_of_invoice(self, session: Session, request: Request) -> _Made:
        """An invoice after its correction, or as it is while that waits for a second person."""
        invoice = crediting.taken(session, credit_wire.invoice_of(request))
        waiting = second_person.wait_for_invoice(session, invoice, request, self.limits, self.clock())
        if waiting is None:
            return self._make_of_invoice(session, invoice, request, "")
        log.info("correction.waits", invoice_id=invoice.invoice_id, kind=waiting.kind)
        return _Made(invoice, waiting=waiting)

    def _make_of_invoice(self, session: Session, invoice: Invoice, request: Request, approved_by: str) -> _Made:
        """An invoice after its correction; its account is taken."""
        asked, note = credit_wire.asked(request, invoice.total.currency), None
        if isinstance(asked, WriteOffAsked):
            crediting.write_off(session, invoice, asked, approved_by, self.clock())
        else:
            note = crediting.post(session, invoice, asked, approved_by, self.clock())
            crediting.give_back(session, note, self.clock())
        log.info("invoice.corrected", invoice_id=invoice.invoice_id, kind=credit_wire.kind_of(asked))
        after = invoices.by_id(session, invoice.invoice_id)
        assert after is not None, "invoices are never deleted"
        return _Made(after, note)

    def _previewed_request(self, request: pb.PreviewCreditNoteRequest) -> Request:
        """What is previewed: the request itself, or what a correction that waits was asked for with."""
        act = request.WhichOneof("act")
        if act is None:
            raise InvalidArgument("FIELD_MISSING", "act is missing: send the call that is to be previewed")
        if act != "correction_id":
            return request.credit if act == "credit" else request.write_off
        with self.database.reading() as session:
            found = second_person.undecided(session, text(request.correction_id, "correction_id"), of_invoice=True)
        return credit_wire.request_of(found)

    def _try(self, session: Session, request: Request) -> _Previewed:
        before = crediting.taken(session, credit_wire.invoice_of(request))
        account = ({before.customer_id}, before.total.currency)
        waited = previewing.waiting_orders(session, *account)
        made = self._make_of_invoice(session, before, request, "")
        still = previewing.waiting_orders(session, *account)
        return _Previewed(before, made, tuple(one for one in waited if one not in still))


def known_note(session: Session, credit_note: str, customer_id: str) -> CreditNote:
    """The credit note of this number or identity, when it is the customer's where one is named."""
    wanted, customer_id = text(credit_note, "credit_note"), optional_text(customer_id, "customer_id")
    found = credit_notes.known(session, wanted.upper()) or credit_notes.known(session, wanted)
    if found is None or customer_id not in ("", found.customer_id):
        raise NotFound("CREDIT_NOTE_NOT_FOUND", "there is no such credit note: look it up in the list")
    return found


def _note(made: _Made) -> pb.CreditNote | None:
    return credit_wire.note_message(made.note) if made.note is not None else None


def _waiting(made: _Made) -> pb.PaymentCorrection | None:
    return correction_wire.message(made.waiting) if made.waiting is not None else None
