"""Answers for notifications: translate, decide, record, translate back."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from oms.notifications.v1 import notifications_pb2 as pb
from oms.notifications.v1 import notifications_pb2_grpc as rpc
from services.kernel.clock import Clock, utc_now
from services.kernel.ids import new_id
from services.kernel.text import optional_text, text
from services.notifications import domain, samples, store, wire
from services.notifications.domain import Notice
from services.notifications.writer import MailWriter
from services.runtime.audit import invariant_messages
from services.runtime.db import Database


class NotificationsServicer(rpc.NotificationsServiceServicer):
    """Stores notifications as deliveries; the sender in the same process sends them."""

    def __init__(self, database: Database, writer: MailWriter, clock: Clock = utc_now) -> None:
        self._database = database
        self._writer = writer
        self._clock = clock

    def Notify(self, request: pb.NotifyRequest, context: grpc.ServicerContext) -> pb.NotifyResponse:
        """Store one delivery per recipient; a repeated event returns the ids of the first time."""
        return wire.notify_response(self._keep([wire.notice(request)]))

    def NotifyAll(self, request: pb.NotifyAllRequest, context: grpc.ServicerContext) -> pb.NotifyAllResponse:
        """Store the deliveries of several events in one transaction; if one is refused, none is stored."""
        notices = wire.notices(request)
        self._keep(notices)
        return wire.notify_all_response(notices)

    def _keep(self, notices: Sequence[Notice]) -> list[str]:
        """The ids of the deliveries, one per recipient, in the order of the request."""
        with self._database.transaction() as session:
            for notice in notices:
                if notice.kind in domain.VERDICTS:
                    verdict = store.record_verdict(session, notice.order_id, notice.kind)
                    domain.check_verdict(notice.order_number, verdict, notice.kind)
            deliveries = [
                domain.new_delivery(notice, recipient, new_id("dlv"))
                for notice in notices
                for recipient in notice.recipients
            ]
            return store.add(session, deliveries, self._clock())

    def ListDeliveries(
        self, request: pb.ListDeliveriesRequest, context: grpc.ServicerContext
    ) -> pb.ListDeliveriesResponse:
        """A page of deliveries, oldest first."""
        after, limit = wire.page(request)
        order_id = optional_text(request.order_id, "order_id")
        with self._database.reading() as session:
            # one row more than the limit shows whether there is a next page
            found = store.listing(session, order_id=order_id, state=request.state, after=after, limit=limit + 1)
        return wire.list_deliveries_response(found[:limit], has_more=len(found) > limit)

    def RetryDelivery(
        self, request: pb.RetryDeliveryRequest, context: grpc.ServicerContext
    ) -> pb.RetryDeliveryResponse:
        """Queue a dead delivery again."""
        delivery_id = text(request.delivery_id, "delivery_id")
        with self._database.transaction() as session:
            dead = store.get(session, delivery_id)
            is_acceptance_sent = store.is_acceptance_sent(session, dead.order_id, dead.recipient.email)
            domain.check_revival(dead, is_acceptance_sent=is_acceptance_sent)
            revived = store.revive(session, dead.delivery_id, self._clock())
        return pb.RetryDeliveryResponse(delivery=wire.delivery(revived))

    def ListTemplates(
        self, request: pb.ListTemplatesRequest, context: grpc.ServicerContext
    ) -> pb.ListTemplatesResponse:
        """Every kind with the roles that have a text of it."""
        return wire.list_templates_response({kind: domain.audience(kind) for kind in domain.KINDS})

    def PreviewTemplate(
        self, request: pb.PreviewTemplateRequest, context: grpc.ServicerContext
    ) -> pb.PreviewTemplateResponse:
        """A mail as its reader would see it, rendered from the samples."""
        domain.check_template(request.kind, request.role)
        specimen = samples.specimen(request.kind, request.role)
        attached = specimen.attachment.name if specimen.attachment else ""
        text, page = self._writer.bodies(specimen, attached)
        return pb.PreviewTemplateResponse(subject=specimen.subject, text=text, html=page)

    def Audit(self, request: pb.AuditRequest, context: grpc.ServicerContext) -> pb.AuditResponse:
        """Every invariant, the clean ones too."""
        with self._database.reading() as session:
            findings = store.audit(session)
        return pb.AuditResponse(invariants=invariant_messages(findings))
