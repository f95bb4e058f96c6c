"""Credit notes and write-offs: protobuf to domain and back, and as text while one waits for a second person."""

from typing import Literal, TypeAlias

from google.protobuf import json_format

from oms.billing.v1 import billing_pb2 as pb
from services.billing import answers, wire
from services.billing.crediting import WriteOffAsked
from services.billing.domain.corrections import CREDIT_NOTE, WRITE_OFF, Correction
from services.billing.domain.credit_notes import REASONS, CreditAsked, CreditNote
from services.billing.domain.invoices import Invoice
from services.kernel.bounds import MAX_LINES
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.kernel.text import optional_text, text
from services.runtime.wire import money, tax_part

Request: TypeAlias = pb.CreditInvoiceRequest | pb.WriteOffInvoiceRequest
Asked: TypeAlias = CreditAsked | WriteOffAsked

_REQUESTS: dict[str, type[Request]] = {CREDIT_NOTE: pb.CreditInvoiceRequest, WRITE_OFF: pb.WriteOffInvoiceRequest}
KINDS = frozenset(_REQUESTS)
"""Kinds of correction that are of an invoice."""


def kind_of(asked: Asked) -> str:
    """Which correction it is."""
    return CREDIT_NOTE if isinstance(asked, CreditAsked) else WRITE_OFF


def invoice_of(request: Request) -> str:
    """The invoice that is named, by identity or number."""
    return text(request.invoice, "invoice")


def check(request: Request) -> None:
    """Refuse a request of the wrong shape before anything is looked for; amounts are checked in whatever currency they name."""
    invoice_of(request)
    currency = request.freight.currency if isinstance(request, pb.CreditInvoiceRequest) else ""
    asked(request, currency or "USD")


def asked(request: Request, currency: str) -> Asked:
    """What is asked of an invoice in this currency."""
    reason, who = wire.reason(request.reason), optional_text(request.asked_by, "asked_by")
    if isinstance(request, pb.WriteOffInvoiceRequest):
        return WriteOffAsked(
            wire.money(request, "amount", least=1) if request.HasField("amount") else None, reason, who
        )
    if len(request.lines) > MAX_LINES:
        raise InvalidArgument("LINES_OUT_OF_RANGE", f"credit at most {MAX_LINES} lines")
    if request.is_all and (request.lines or request.HasField("freight") or request.HasField("allowance")):
        raise InvalidArgument(
            "ALL_AND_PARTS", "credit all that is left, or name units, freight and an amount: not both"
        )
    return CreditAsked(
        wire.quantities(request.lines),
        _amount(request, "freight", currency),
        _amount(request, "allowance", currency),
        request.is_all,
        _reason_code(request.reason_code),
        reason,
        who,
    )


def _amount(request: pb.CreditInvoiceRequest, field: Literal["freight", "allowance"], currency: str) -> Money:
    return wire.money(request, field, least=1) if request.HasField(field) else Money.zero(currency)


def _reason_code(given: str) -> str:
    if given not in REASONS:
        raise InvalidArgument(
            "REASON_CODE_UNKNOWN", f"{given[:40]!r} is no reason for a credit note: use one of {', '.join(REASONS)}"
        )
    return given


def kept(request: Request, invoice: Invoice) -> str:
    """A request as text, while it waits."""
    request.invoice = invoice.invoice_id
    return json_format.MessageToJson(request, indent=None)


def request_of(correction: Correction) -> Request:
    """What was asked."""
    return json_format.Parse(correction.request, _REQUESTS[correction.kind]())


def note_message(note: CreditNote) -> pb.CreditNote:
    """A credit note."""
    parts, landing = note.parts, note.landing
    return pb.CreditNote(
        credit_note_id=note.credit_note_id,
        number=note.number,
        invoice_id=note.invoice_id,
        invoice_number=note.invoice_number,
        order_id=note.order_id,
        order_number=note.order_number,
        customer_id=note.customer_id,
        credited_on=note.credited_on.isoformat(),
        reason_code=note.reason_code,
        reason=note.reason,
        lines=map(answers.invoice_line, note.lines),
        merchandise=money(parts.merchandise),
        discount=money(parts.discount),
        allowance=money(parts.allowance),
        freight=money(parts.freight),
        tax=money(parts.tax),
        total=money(parts.total),
        off_open=money(landing.open),
        recovered=money(landing.recovered),
        discount_lost=money(landing.discount),
        cash=money(landing.cash),
        left_over=[pb.LeftOverCash(payment_id=one.payment_id, amount=money(one.amount)) for one in note.left_over],
        issued_at_micros=micros(note.issued_at),
        asked_by=note.asked_by,
        approved_by=note.approved_by,
        tax_parts=[tax_part(one.tax_part) for one in note.by_tax],
        is_held=note.is_held,
        fee=money(note.fee or Money.zero(parts.total.currency)),
        return_id=note.return_id,
        claw_back=money(parts.claw_back),
    )
