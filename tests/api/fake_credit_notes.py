"""The part of the small billing service that credits invoices: what is named, at a dollar a unit, and without tax."""

from __future__ import annotations

from oms.billing.v1 import billing_pb2 as billing
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import NotFound, Refused
from services.runtime.grpc_client import DEADLINE_S
from tests.api.neighbor import Neighbor


class FakeCreditNotes(Neighbor):
    """Invoices that are credited and given up."""

    def __init__(self) -> None:
        super().__init__()
        self.invoices: dict[str, billing.Invoice] = {}
        self.notes: list[billing.CreditNote] = []
        self.einvoice_fault = ""
        self.left_over: dict[str, list[billing.LeftOverCash]] = {}

    def CreditInvoice(self, request: billing.CreditInvoiceRequest) -> billing.CreditInvoiceResponse:
        def act() -> billing.CreditInvoiceResponse:
            invoice = self._named(request.invoice)
            note = _note(invoice, request)
            note.credit_note_id, note.number = f"cn_{len(self.notes) + 1}", f"CN-{1001 + len(self.notes)}"
            _credit(invoice, note)
            self.notes.append(note)
            return billing.CreditInvoiceResponse(credit_note=note, invoice=invoice)

        return self.once(request, act)

    def RefundReturn(self, request: billing.RefundReturnRequest) -> billing.RefundReturnResponse:
        """What a return left goes back once."""
        return self.once(
            request, lambda: billing.RefundReturnResponse(refunded=self.left_over.pop(request.return_id, []))
        )

    def PreviewCreditNote(self, request: billing.PreviewCreditNoteRequest) -> billing.PreviewCreditNoteResponse:
        self.here()
        invoice = self._named(request.credit.invoice)
        note, after = _note(invoice, request.credit), billing.Invoice()
        after.CopyFrom(invoice)
        _credit(after, note)
        return billing.PreviewCreditNoteResponse(
            credit_note=note, before=invoice, after=after, released_order_ids=["ord_9"], needs_second_person=True
        )

    def WriteOffInvoice(self, request: billing.WriteOffInvoiceRequest) -> billing.WriteOffInvoiceResponse:
        def act() -> billing.WriteOffInvoiceResponse:
            invoice = self._named(request.invoice)
            amount = request.amount if request.HasField("amount") else invoice.open
            if amount.minor_units > invoice.open.minor_units:
                raise Refused("WRITE_OFF_EXCEEDS_OPEN", "write off at most what is open")
            invoice.written_off.CopyFrom(amount)
            invoice.open.minor_units -= amount.minor_units
            return billing.WriteOffInvoiceResponse(invoice=invoice)

        return self.once(request, act)

    def ListCreditNotes(
        self, request: billing.ListCreditNotesRequest, timeout: float = DEADLINE_S
    ) -> billing.ListCreditNotesResponse:
        self.here(timeout)
        rows = [
            note
            for note in self.notes
            if request.customer_id in ("", note.customer_id)
            and request.order_id in ("", note.order_id)
            and request.invoice_id in ("", note.invoice_id, note.invoice_number)
        ]
        return billing.ListCreditNotesResponse(credit_notes=rows)

    def GetCreditNote(self, request: billing.GetCreditNoteRequest) -> billing.GetCreditNoteResponse:
        self.here()
        for note in self.notes:
            is_named = request.credit_note in (note.credit_note_id, note.number)
            if is_named and request.customer_id in ("", note.customer_id):
                return billing.GetCreditNoteResponse(credit_note=note)
        raise NotFound("CREDIT_NOTE_NOT_FOUND", "there is no such credit note: look it up in the list")

    def RenderCreditNote(
        self, request: billing.RenderCreditNoteRequest, timeout: float = DEADLINE_S
    ) -> billing.RenderCreditNoteResponse:
        self.here(timeout)
        asked = billing.GetCreditNoteRequest(credit_note=request.credit_note, customer_id=request.customer_id)
        number = self.GetCreditNote(asked).credit_note.number
        return billing.RenderCreditNoteResponse(number=number, pdf=b"%PDF-1.7 of " + number.encode())

    def RenderECreditNote(self, request: billing.RenderECreditNoteRequest) -> billing.RenderECreditNoteResponse:
        if self.einvoice_fault:
            raise Refused("E_INVOICE_NOT_CONFIGURED", self.einvoice_fault)
        asked = billing.RenderCreditNoteRequest(credit_note=request.credit_note, customer_id=request.customer_id)
        xml = b"<?xml version='1.0'?><note/>"
        return billing.RenderECreditNoteResponse(number=self.RenderCreditNote(asked).number, xml=xml)

    def _named(self, name: str) -> billing.Invoice:
        for row in self.invoices.values():
            if name in (row.invoice_id, row.number):
                return row
        raise NotFound("INVOICE_NOT_FOUND", "there is no such invoice")


def _note(invoice: billing.Invoice, request: billing.CreditInvoiceRequest) -> billing.CreditNote:
    zero = types.Money(currency="USD")
    minor = 100 * sum(line.quantity for line in request.lines)
    minor += request.freight.minor_units + request.allowance.minor_units
    total = types.Money(minor_units=invoice.open.minor_units if request.is_all else minor, currency="USD")
    if total.minor_units > invoice.open.minor_units:
        raise Refused("UNITS_CREDITED", "units are credited already")
    return billing.CreditNote(
        invoice_id=invoice.invoice_id, invoice_number=invoice.number, order_id=invoice.order_id, order_number="SO-1001",
        customer_id=invoice.customer_id, credited_on="2026-12-01", reason_code=request.reason_code, reason=request.reason,
        merchandise=zero, discount=zero, allowance=total, freight=zero, tax=zero, total=total, off_open=total, recovered=zero,
        discount_lost=zero, cash=zero, claw_back=zero, issued_at_micros=1, asked_by=request.asked_by, approved_by="ben",
    )  # fmt: skip


def _credit(invoice: billing.Invoice, note: billing.CreditNote) -> None:
    credited = invoice.credited.minor_units + note.total.minor_units
    invoice.credited.CopyFrom(types.Money(minor_units=credited, currency="USD"))
    invoice.open.minor_units -= note.total.minor_units
