"""Sends waiting mail: a thread that wakes on new mail and keeps the sequence per order and mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from services.kernel.clock import Clock, utc_now
from services.notifications import domain, store
from services.notifications.documents import DocumentAway, DocumentFailed, Documents, NoDocument
from services.notifications.domain import Aftermath, Delivery
from services.notifications.envelope import File
from services.notifications.settings import NotificationsSettings
from services.notifications.smtp import NotTaken, ServerAway, SmtpClient
from services.notifications.writer import MailWriter, Unwritable
from services.runtime.background import BackgroundThread
from services.runtime.db import Database

log = structlog.get_logger()

POLL = timedelta(seconds=1)
LONGEST_REST = timedelta(seconds=15)


class Sender(BackgroundThread):
    """Delivers by SMTP beside the server. A mail is marked as sending before it leaves and as sent once the server has it.

    After a crash in between it is sent again under the same Message-ID. While the mail server is away, all mail waits and no try
    counts; so does a mail whose document cannot be made yet.
    """

    def __init__(
        self,
        database: Database,
        settings: NotificationsSettings,
        writer: MailWriter,
        documents: Documents,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__("mail-sender")
        self.ends_within_s = settings.smtp_timeout_s + 5.0
        self._database = database
        self._settings = settings
        self._writer = writer
        self._documents = documents
        self._clock = clock
        self._smtp = SmtpClient(settings)
        database.on_emit(self._wake.call)

    def stop(self) -> None:
        """Finish the mail in hand and stop."""
        super().stop()
        self._smtp.close()

    def _run(self) -> None:
        rest = POLL
        while not self._wake.is_stopped():
            self._await_mail(rest)
            try:
                self.send_waiting()
                rest = POLL
            except ServerAway as away:
                rest = min(rest * 2, LONGEST_REST)
                log.warning("mail.server_away", error=str(away), pause_s=rest.total_seconds())
                self._wake.rest(rest.total_seconds())
            except SQLAlchemyError as away:
                log.warning("mail.database_unavailable", error=type(away).__name__)
                self._wake.rest(LONGEST_REST.total_seconds())

    def _await_mail(self, rest: timedelta) -> None:
        """Until there is new mail, or it is time to look for mail that is due again."""
        if not self._wake.wait(rest.total_seconds()):
            self._smtp.close()  # idle: do not hold a connection of the server

    def send_waiting(self) -> int:
        """Send everything that may leave now; how many mails were tried. Raises ServerAway when the mail server is away."""
        with self._database.reading() as session:
            if not store.has_work(session, self._settings.sender_name, self._clock()):
                return 0
        try:
            self._smtp.connect()
        except ServerAway as away:
            with self._database.transaction() as session:
                store.record_absence(session, str(away), self._clock())
            raise
        return self._send_batches()

    def _send_batches(self) -> int:
        """Claim a batch, send it, record the outcomes and claim the next batch in the same transaction."""
        with self._database.transaction() as session:
            store.take_back(session, self._settings.sender_name, self._clock())
            batch = self._claim(session)
        tried = 0
        while batch:
            outcomes = self._deliver(batch)
            tried += sum(each.is_tried for each in outcomes.values())
            with self._database.transaction() as session:
                store.record(session, self._settings.sender_name, outcomes)
                batch = self._claim(session)
        return tried

    def _claim(self, session: Session) -> list[Delivery]:
        if self._wake.is_stopped() or not self._smtp.is_connected:
            return []
        return store.claim(session, self._settings.sender_name, self._clock())

    def _deliver(self, batch: Sequence[Delivery]) -> dict[str, Aftermath]:
        """Delivery id → outcome. When the connection, the time or the process ends, the rest is put back untried."""
        outcomes = {each.delivery_id: domain.put_back() for each in batch}
        latest = self._clock() + domain.PATIENCE
        for delivery in batch:
            if not self._smtp.is_connected or self._wake.is_stopped() or self._clock() > latest:
                break
            outcomes[delivery.delivery_id] = self._try(delivery)
        return outcomes

    def _try(self, delivery: Delivery) -> Aftermath:
        if delivery.attempts > domain.MAX_TRIES:
            return self._failed(delivery, "its sender died each time", is_permanent=False)
        try:
            file, missing = self._document(delivery)
            self._smtp.hand_over(self._writer.write(delivery, self._clock(), file), delivery.recipient.email)
        except DocumentAway as away:
            return self._put_off(delivery, away)
        except DocumentFailed as bug:
            return self._failed(delivery, str(bug), is_permanent=False)
        except Unwritable as fault:
            return self._failed(delivery, str(fault), is_permanent=True)
        except NotTaken as refusal:
            return self._failed(delivery, str(refusal), is_permanent=refusal.is_permanent)
        log.info("mail.sent", delivery_id=delivery.delivery_id, kind=delivery.kind, order_id=delivery.order_id)
        return domain.after_success(self._clock(), missing)

    def _document(self, delivery: Delivery) -> tuple[File | None, str]:
        """The file that goes with a mail, or why the one that it should have does not."""
        if delivery.attachment is None:
            return None, ""
        try:
            return File(delivery.attachment.name, self._documents.fetch(delivery.attachment)), ""
        except NoDocument as fault:
            log.warning(
                "mail.without_document", delivery_id=delivery.delivery_id, document=delivery.attachment.document
            )
            return None, f"sent without {delivery.attachment.name}: {fault}"

    def _put_off(self, delivery: Delivery, away: DocumentAway) -> Aftermath:
        log.warning("mail.waits_for_document", delivery_id=delivery.delivery_id, kind=delivery.kind)
        return domain.put_off(str(away), self._clock(), is_unanswered=away.is_unanswered)

    def _failed(self, delivery: Delivery, error: str, *, is_permanent: bool) -> Aftermath:
        outcome = domain.after_failure(delivery.attempts, error, is_permanent=is_permanent, now=self._clock())
        log.warning(
            "mail.failed",
            delivery_id=delivery.delivery_id,
            kind=delivery.kind,
            order_id=delivery.order_id,
            attempts=delivery.attempts,
            state=outcome.state,
        )
        return outcome
