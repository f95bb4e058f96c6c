"""Where documents that go with mails come from: billing makes each when its mail is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import structlog

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.bounds import MAX_DOCUMENT
from services.kernel.clock import Clock, utc_now
from services.kernel.errors import Conflict, DomainError
from services.notifications.domain import (
    CREDIT_NOTE,
    DEPOSIT_INVOICE,
    INVOICE,
    ORDER_CONFIRMATION,
    PRO_FORMA,
    RETURN_LABEL,
    Attachment,
)
from services.runtime.grpc_client import RemoteBug, Unreachable

log = structlog.get_logger()

ABSENCE = timedelta(seconds=15)
"""How long billing is not asked after it did not answer, so that it holds up no mail but those with documents."""
DEADLINE_S = 30.0
"""A long document takes seconds, and billing says within 25 that it is busy."""


class DocumentAway(Exception):
    """The document cannot be made now, and will be; `is_unanswered` when it was asked for and no answer came."""

    def __init__(self, message: str, *, is_unanswered: bool = False) -> None:
        super().__init__(message)
        self.is_unanswered = is_unanswered


class DocumentFailed(Exception):
    """It could not be made, and nobody knows why; the try counts."""


class NoDocument(Exception):
    """There is no such document, or none that a mail may carry; the message says why."""


class Billing(Protocol):
    """The part of billing that makes documents."""

    def RenderOrder(  # noqa: N802  # the name of the RPC
        self, request: pb.RenderOrderRequest, *, timeout: float
    ) -> pb.RenderOrderResponse:
        """An order's confirmation or pro forma invoice as a PDF."""

    def RenderInvoice(  # noqa: N802  # the name of the RPC
        self, request: pb.RenderInvoiceRequest, *, timeout: float
    ) -> pb.RenderInvoiceResponse:
        """An invoice as a PDF."""

    def RenderCreditNote(  # noqa: N802  # the name of the RPC
        self, request: pb.RenderCreditNoteRequest, *, timeout: float
    ) -> pb.RenderCreditNoteResponse:
        """A credit note as a PDF."""

    def RenderDepositInvoice(  # noqa: N802  # the name of the RPC
        self, request: pb.RenderDepositInvoiceRequest, *, timeout: float
    ) -> pb.RenderDepositInvoiceResponse:
        """A deposit invoice or a credit note of one as a PDF."""

    def RenderReturnLabel(  # noqa: N802  # the name of the RPC
        self, request: pb.RenderReturnLabelRequest, *, timeout: float
    ) -> pb.RenderReturnLabelResponse:
        """The label of a return as a PDF."""


class Documents:
    """Asks billing for documents. One thread uses it."""

    def __init__(self, billing: Billing, clock: Clock = utc_now) -> None:
        self._billing = billing
        self._clock = clock
        self._away_until: datetime | None = None

    def fetch(self, attachment: Attachment) -> bytes:
        """The document as things stand now. Raises DocumentAway, DocumentFailed or NoDocument."""
        if self._away_until is not None and self._clock() < self._away_until:
            raise DocumentAway("billing, which makes documents, did not answer")
        try:
            made = self._render(attachment)
        except Unreachable as absence:
            self._away_until = self._clock() + ABSENCE
            why = f"billing, which makes documents, does not answer: {absence}"
            raise DocumentAway(why, is_unanswered=True) from absence
        except Conflict as busy:
            raise DocumentAway(busy.message) from busy
        except RemoteBug as bug:
            raise DocumentFailed(f"{attachment.name} cannot be made: {bug}") from bug
        except DomainError as refusal:
            raise NoDocument(refusal.message) from refusal
        self._away_until = None
        if len(made) > MAX_DOCUMENT:
            raise NoDocument(f"{attachment.name} is larger than {MAX_DOCUMENT >> 20} MiB")
        return made

    def _render(self, attachment: Attachment) -> bytes:
        if attachment.document == INVOICE:
            wanted = pb.RenderInvoiceRequest(invoice=attachment.reference)
            return self._billing.RenderInvoice(wanted, timeout=DEADLINE_S).pdf
        if attachment.document == CREDIT_NOTE:
            note = pb.RenderCreditNoteRequest(credit_note=attachment.reference)
            return self._billing.RenderCreditNote(note, timeout=DEADLINE_S).pdf
        if attachment.document == DEPOSIT_INVOICE:
            deposit = pb.RenderDepositInvoiceRequest(deposit_invoice=attachment.reference)
            return self._billing.RenderDepositInvoice(deposit, timeout=DEADLINE_S).pdf
        if attachment.document in (PRO_FORMA, ORDER_CONFIRMATION):
            asked = pb.RenderOrderRequest(order_id=attachment.reference, document=attachment.document)
            return self._billing.RenderOrder(asked, timeout=DEADLINE_S).pdf
        if attachment.document == RETURN_LABEL:
            label = pb.RenderReturnLabelRequest(return_id=attachment.reference)
            return self._billing.RenderReturnLabel(label, timeout=DEADLINE_S).pdf
        raise NoDocument(f"nobody makes a document of the kind {attachment.document}")
