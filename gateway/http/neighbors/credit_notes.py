"""Invoices corrected: credit notes, which alone change what a posted invoice comes to, and what nobody will pay written off."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, model_validator

from gateway.http.neighbors.invoices import (
    NO_EINVOICE,
    Invoice,
    InvoiceLine,
    customer_within,
    invoice_line,
    invoice_shape,
)
from gateway.http.neighbors.payment_corrections import PaymentCorrection, correction_shape
from gateway.http.neighbors.payments import money_of
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.files import DEADLINE_S, PdfResponse, XmlResponse, as_file, described
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Identity, Input, MoneyInput, Name, Quantity, Switch, example
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfCustomer, OfOrder, path_id
from gateway.http.plumbing.shapes import MoneyShape, TaxShape, instant, proto_money
from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.kernel.bounds import MAX_LINES
from services.runtime.wire import read_tax_part

router = APIRouter(tags=["credit notes"])

InvoiceReference = Annotated[str, path_id("The invoice's id or its number.", "INV-000001")]
NoteReference = Annotated[str, path_id("The credit note's id or its number.", "CN-1001")]
ReasonCode = Literal["billing_error", "price", "shortage", "damaged", "returned", "goodwill", "other"]


class CreditLine(Input):
    """Units of an invoice's line."""

    line_id: Identity = Field(examples=["1"])
    quantity: Quantity = Field(description="Each unit is credited once, ever.")


class CreditNoteInput(Input):
    """What of an invoice is credited."""

    lines: Annotated[list[CreditLine], Field(max_length=MAX_LINES)] = Field(
        default=[], description="Units, with their share of the discount and the tax."
    )
    freight: MoneyInput | None = Field(default=None, description="Freight is credited only when it is named.")
    allowance: MoneyInput | None = Field(default=None, description="Given on the price of the goods, before tax.")
    everything: Switch = Field(
        default=False, description="All that is left of the invoice; then nothing else is named but the reason."
    )
    reason_code: ReasonCode
    reason: Name = Field(description="The customer reads it on the credit note.")

    model_config = example(
        lines=[{"line_id": "1", "quantity": 2}], reason_code="damaged", reason="two pumps arrived damaged"
    )

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        is_part = bool(self.lines or self.freight or self.allowance)
        if is_part == self.everything:
            raise ValueError("name units, freight or an allowance, or everything: one of both")
        return self


class WriteOffInput(Input):
    """What of an invoice is given up."""

    amount: MoneyInput | None = Field(default=None, description="All that is open without one.")
    reason: Name = Field(description="People of the company alone read it.")

    model_config = example(reason="insolvent, no assets")


class LeftOverCash(BaseModel):
    """Cash of a payment that a credit note left on account."""

    payment_id: str = Field(description="It can be refunded, or applied anew.")
    amount: MoneyShape


class CreditNoteFigures(BaseModel):
    """What a credit note credits, and where that goes."""

    invoice_id: str
    invoice_number: str
    order_id: str
    order_number: str
    customer_id: str
    reason_code: str
    reason: str
    lines: list[InvoiceLine]
    merchandise: MoneyShape
    discount: MoneyShape = Field(description="Their share of the invoice's discount.")
    allowance: MoneyShape = Field(
        description="Given on the price of the goods; negative where units are credited whose price was lowered before, and where a "
        "discount is taken back."
    )
    claw_back: MoneyShape = Field(
        description="What of the order's discount is taken back, for what is kept is below its minimum; the allowance is lower by it. "
        "Negative where it is given back with goods that had lost it."
    )
    freight: MoneyShape
    tax: MoneyShape
    taxes: list[TaxShape] = Field(description="How it is taxed; what is given on the price counts with the goods.")
    total: MoneyShape = Field(description="merchandise - discount + allowance + freight + tax.")
    off_open: MoneyShape = Field(description="What of the total went off what was open on the invoice.")
    recovered: MoneyShape = Field(description="What of it had been written off before.")
    discount_lost: MoneyShape = Field(description="What of it a discount for paying early had taken.")
    cash: MoneyShape = Field(
        description="What of it was paid: that cash is the customer's again, on account, or held for its order where the goods had not left."
    )


class CreditNote(CreditNoteFigures):
    """A posted credit note; it never changes."""

    credit_note_id: str
    number: str
    credited_on: str
    left_over: list[LeftOverCash] = Field(description="The cash, by payment.")
    issued_at: str | None
    asked_by: str | None = Field(description="Who credited it; null for a customer.")
    approved_by: str | None = Field(
        description="The second person; null for a customer, and where nobody else was needed."
    )


class CreditedInvoice(BaseModel):
    """An invoice after it was credited, or as it is while that waits for a second person."""

    credit_note: CreditNote | None = Field(description="Null while it waits.")
    invoice: Invoice
    waiting: PaymentCorrection | None = Field(
        description="Set when all that is credited of the invoice is over the limit (OMS_SECOND_PERSON_OVER): somebody else in accounting decides."
    )


class CreditNotePreview(BaseModel):
    """What crediting an invoice would do now."""

    credit_note: CreditNoteFigures
    before: Invoice
    after: Invoice
    released_order_ids: list[str] = Field(description="Orders that wait for credit now and would not any more.")
    needs_second_person: bool


class WrittenOffInvoice(BaseModel):
    """An invoice of which something was given up, or as it is while that waits for a second person."""

    invoice: Invoice
    waiting: PaymentCorrection | None = Field(description="As with a credit note.")


@router.post("/v1/invoices/{invoice}/credit-notes", status_code=201, response_model=CreditedInvoice)
def credit_invoice(
    deps: DepsOf, who: CallerOf, invoice: InvoiceReference, body: CreditNoteInput, once: OnceWithKey
) -> Response:
    """Correct a posted invoice by a credit note: what is open falls by it, and what was paid beyond that is left on account.

    Of an invoice of several orders name a share by its id; for the whole it is refused: `INVOICE_OF_SEVERAL_ORDERS`.
    """

    def act(request_id: str) -> CreditedInvoice:
        answer = deps.billing.CreditInvoice(credit_of(invoice, body, who.principal.sub, request_id))
        note = answer.credit_note if answer.HasField("credit_note") else None
        return CreditedInvoice(
            credit_note=note_shape(note, is_ours=True) if note else None,
            invoice=invoice_shape(answer.invoice),
            waiting=_waiting(answer.waiting),
        )

    return once.answer(body, act, 201)


@router.post("/v1/invoices/{invoice}/credit-notes/preview")
def preview_credit_note(
    deps: DepsOf, who: CallerOf, invoice: InvoiceReference, body: CreditNoteInput
) -> CreditNotePreview:
    """Say what a credit note would come to and what follows from it; nothing changes."""
    asked = credit_of(invoice, body, who.principal.sub, "")
    found = deps.billing.PreviewCreditNote(pb.PreviewCreditNoteRequest(credit=asked))
    return CreditNotePreview(
        credit_note=CreditNoteFigures.model_validate(_figures(found.credit_note)),
        before=invoice_shape(found.before),
        after=invoice_shape(found.after),
        released_order_ids=list(found.released_order_ids),
        needs_second_person=found.needs_second_person,
    )


@router.get("/v1/credit-notes")
def list_credit_notes(
    deps: DepsOf,
    who: CallerOf,
    paging: PagingOf,
    invoice: Annotated[Identity | None, Query(description="Only of the invoice with this id or number.")] = None,
    order_id: OfOrder = None,
    customer_id: OfCustomer = None,
) -> Page[CreditNote]:
    """Credit notes by number; a customer sees its own."""
    found = deps.billing.ListCreditNotes(
        pb.ListCreditNotesRequest(
            invoice_id=invoice or "",
            order_id=order_id or "",
            customer_id=customer_within(who, customer_id),
            limit=paging.limit,
            cursor=paging.cursor,
        )
    )
    is_ours = who.company is None
    return Page(
        rows=[note_shape(row, is_ours=is_ours) for row in found.credit_notes], next_cursor=found.next_cursor or None
    )


# before the credit note itself, whose path would take it for an id
@router.get("/v1/credit-notes/{note}.pdf", response_class=PdfResponse, responses=described(PdfResponse))
def get_credit_note_document(deps: DepsOf, who: CallerOf, note: NoteReference) -> Response:
    """One credit note as a PDF."""
    return credit_note_document(deps, note, who.company)


@router.get("/v1/credit-notes/{note}.xml", response_class=XmlResponse, responses=described(XmlResponse, NO_EINVOICE))
def get_credit_note_einvoice(deps: DepsOf, who: CallerOf, note: NoteReference) -> Response:
    """One credit note as an e-invoice of type 381 by EN 16931, which names its invoice: Cross Industry Invoice XML, as it is in its PDF too."""
    made = deps.billing.RenderECreditNote(pb.RenderECreditNoteRequest(credit_note=note, customer_id=who.company or ""))
    return as_file(XmlResponse, made.xml, f"{made.number}.xml")


@router.get("/v1/credit-notes/{note}")
def get_credit_note(deps: DepsOf, who: CallerOf, note: NoteReference) -> CreditNote:
    """One credit note."""
    wanted = pb.GetCreditNoteRequest(credit_note=note, customer_id=who.company or "")
    return note_shape(deps.billing.GetCreditNote(wanted).credit_note, is_ours=who.company is None)


@router.post("/v1/invoices/{invoice}/write-off", response_model=WrittenOffInvoice)
def write_off_invoice(
    deps: DepsOf, who: CallerOf, invoice: InvoiceReference, body: WriteOffInput, once: OnceWithKey
) -> Response:
    """Give up what is open of an invoice: bad debt. Of one of several orders name a share by its id."""

    def act(request_id: str) -> WrittenOffInvoice:
        wanted = pb.WriteOffInvoiceRequest(
            request_id=request_id,
            invoice=invoice,
            amount=proto_money(money_of(body.amount)) if body.amount else None,
            reason=body.reason,
            asked_by=who.principal.sub,
        )
        answer = deps.billing.WriteOffInvoice(wanted)
        return WrittenOffInvoice(invoice=invoice_shape(answer.invoice), waiting=_waiting(answer.waiting))

    return once.answer(body, act, 200)


def credit_note_document(deps: Deps, note: str, company: str | None) -> Response:
    """The PDF of a credit note, by id or number, as a file of its number; NotFound for one that is not the company's, where one is named."""
    wanted = pb.RenderCreditNoteRequest(credit_note=note, customer_id=company or "")
    rendered = deps.billing.RenderCreditNote(wanted, timeout=DEADLINE_S)
    return as_file(PdfResponse, rendered.pdf, f"{rendered.number}.pdf")


def credit_of(invoice: str, body: CreditNoteInput, asked_by: str, request_id: str) -> pb.CreditInvoiceRequest:
    """What billing is asked."""
    return pb.CreditInvoiceRequest(
        request_id=request_id,
        invoice=invoice,
        lines=[types_pb2.LineQuantity(line_id=line.line_id, quantity=line.quantity) for line in body.lines],
        freight=proto_money(money_of(body.freight)) if body.freight else None,
        allowance=proto_money(money_of(body.allowance)) if body.allowance else None,
        is_all=body.everything,
        reason_code=body.reason_code,
        reason=body.reason,
        asked_by=asked_by,
    )


def note_shape(row: pb.CreditNote, *, is_ours: bool) -> CreditNote:
    """A credit note as the API gives it; a customer does not read who of ours made it."""
    return CreditNote.model_validate(
        {
            **_figures(row),
            "credit_note_id": row.credit_note_id,
            "number": row.number,
            "credited_on": row.credited_on,
            "left_over": [LeftOverCash(payment_id=one.payment_id, amount=_money(one.amount)) for one in row.left_over],
            "issued_at": instant(row.issued_at_micros),
            "asked_by": (row.asked_by or None) if is_ours else None,
            "approved_by": (row.approved_by or None) if is_ours else None,
        }
    )


def _figures(row: pb.CreditNote) -> dict[str, object]:
    texts = (
        "invoice_id", "invoice_number", "order_id", "order_number", "customer_id", "reason_code", "reason"
    )  # fmt: skip
    amounts = (
        "merchandise", "discount", "allowance", "claw_back", "freight", "tax", "total", "off_open", "recovered", "discount_lost", "cash"
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in texts},
        **{name: _money(getattr(row, name)) for name in amounts},
        "lines": [invoice_line(line) for line in row.lines],
        "taxes": TaxShape.rows(read_tax_part(part, row.total.currency) for part in row.tax_parts),
    }


def _money(amount: types_pb2.Money) -> MoneyShape:
    return MoneyShape.of_minor(amount.minor_units, amount.currency)


def _waiting(waiting: pb.PaymentCorrection) -> PaymentCorrection | None:
    return correction_shape(waiting) if waiting.correction_id else None
