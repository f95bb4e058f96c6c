"""A notifications service in the test's own hands: its clock stands still until it is moved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import grpc
from jinja2 import StrictUndefined

from oms.billing.v1 import billing_pb2 as billing
from oms.notifications.v1 import notifications_pb2 as pb
from services.notifications import samples
from services.notifications.documents import Documents
from services.notifications.sender import Sender
from services.notifications.servicer import NotificationsServicer
from services.notifications.settings import NotificationsSettings
from services.notifications.writer import MailWriter
from services.runtime.db import Database
from services.runtime.grpc_client import Unreachable

VARIABLES = samples.variables()

NO_CONTEXT = cast("grpc.ServicerContext", None)


def notice(
    kind: str,
    event: str,
    *emails: str,
    order: str = "ord_1",
    variables: object = None,
    raw: str | None = None,
    role: str = "customer",
) -> pb.NotifyRequest:
    """An event to tell; each e-mail address is a recipient of the same role."""
    chosen = VARIABLES[kind] if variables is None else variables
    return pb.NotifyRequest(
        event_id=event,
        kind=kind,
        order_id=order,
        order_number=order.replace("ord_", "SO-100"),
        recipients=[pb.Recipient(email=each, name="ACME <Ltd>", role=role) for each in emails or ("ann@acme.example",)],
        variables_json=json.dumps(chosen) if raw is None else raw,
    )


class FakeDocuments:
    """Billing as far as it makes documents: `fault` is raised while there is one, `asked` names what was asked for.

    What it `dies_of` is an invoice that gets no answer, however often it is asked for.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fault: Exception | None = None
        self.dies_of = ""
        self.content = b"%PDF-1.7 " + bytes(range(256)) * 9

    def RenderInvoice(self, request: billing.RenderInvoiceRequest, *, timeout: float) -> billing.RenderInvoiceResponse:
        self.asked.append(request.invoice)
        if request.invoice == self.dies_of:
            raise Unreachable("RenderInvoice: UNAVAILABLE: Socket closed")
        if self.fault is not None:
            raise self.fault
        return billing.RenderInvoiceResponse(number="INV-000001", pdf=self.content)

    def RenderCreditNote(
        self, request: billing.RenderCreditNoteRequest, *, timeout: float
    ) -> billing.RenderCreditNoteResponse:
        self.asked.append(request.credit_note)
        if self.fault is not None:
            raise self.fault
        return billing.RenderCreditNoteResponse(number="CN-1001", pdf=self.content)

    def RenderDepositInvoice(
        self, request: billing.RenderDepositInvoiceRequest, *, timeout: float
    ) -> billing.RenderDepositInvoiceResponse:
        self.asked.append(request.deposit_invoice)
        if self.fault is not None:
            raise self.fault
        return billing.RenderDepositInvoiceResponse(number="DI-1001", pdf=self.content)

    def RenderReturnLabel(
        self, request: billing.RenderReturnLabelRequest, *, timeout: float
    ) -> billing.RenderReturnLabelResponse:
        self.asked.append(request.return_id)
        if self.fault is not None:
            raise self.fault
        return billing.RenderReturnLabelResponse(name="RMA-1001-label.pdf", pdf=self.content)

    def RenderOrder(self, request: billing.RenderOrderRequest, *, timeout: float) -> billing.RenderOrderResponse:
        self.asked.append(f"{request.document} of {request.order_id}")
        if self.fault is not None:
            raise self.fault
        return billing.RenderOrderResponse(name="SO-1001.pdf", pdf=self.content)


class MailDesk:
    """Servicer and sender over one database; `now` moves only by `later`."""

    def __init__(self, database: Database, smtp_port: int, sender_name: str = "here") -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.database = database
        self.settings = NotificationsSettings(smtp_port=smtp_port, smtp_timeout_s=2.0, sender_name=sender_name)
        self.writer = MailWriter(self.settings, StrictUndefined)
        self.servicer = NotificationsServicer(database, self.writer, self.clock)
        self.billing = FakeDocuments()
        self.sender = self.new_sender()

    def clock(self) -> datetime:
        return self.now

    def later(self, span: timedelta) -> None:
        self.now += span

    def new_sender(self, name: str = "here") -> Sender:
        settings = self.settings.model_copy(update={"sender_name": name})
        return Sender(self.database, settings, self.writer, Documents(self.billing, self.clock), self.clock)

    def notify(
        self,
        kind: str,
        event: str,
        *emails: str,
        order: str = "ord_1",
        variables: object = None,
        raw: str | None = None,
        role: str = "customer",
    ) -> Sequence[str]:
        """Notify; each e-mail address is a recipient of the same role."""
        asked = notice(kind, event, *emails, order=order, variables=variables, raw=raw, role=role)
        return self.servicer.Notify(asked, NO_CONTEXT).delivery_ids

    def notify_all(self, *notices: pb.NotifyRequest) -> Sequence[str]:
        """The events that are kept."""
        return self.servicer.NotifyAll(pb.NotifyAllRequest(notices=notices), NO_CONTEXT).event_ids

    def deliveries(self, order: str = "", state: str = "") -> list[pb.Delivery]:
        request = pb.ListDeliveriesRequest(order_id=order, state=state)
        return list(self.servicer.ListDeliveries(request, NO_CONTEXT).deliveries)

    def retry(self, delivery_id: str) -> pb.Delivery:
        return self.servicer.RetryDelivery(pb.RetryDeliveryRequest(delivery_id=delivery_id), NO_CONTEXT).delivery

    def offences(self) -> dict[str, list[str]]:
        """Broken invariants only: name → offenders."""
        found = self.servicer.Audit(pb.AuditRequest(), NO_CONTEXT).invariants
        assert len(found) == 4
        return {each.name: list(each.offenders) for each in found if each.violations}
