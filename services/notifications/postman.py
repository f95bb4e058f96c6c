"""The way out: one connection to the mail server, and what its answers mean."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from types import TracebackType
from typing import Self

from services.notifications.settings import NotificationsSettings

_PERMANENT = 500


class ServerAway(Exception):
    """The mail server does not answer or does not let us in: no mail was tried."""


class NotTaken(Exception):
    """The mail server did not take this mail; `is_permanent` when it never will, `is_gone` when the connection went with it."""

    def __init__(self, message: str, *, is_permanent: bool, is_gone: bool = False) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent
        self.is_gone = is_gone


class Postman:
    """A connection to the mail server, open inside its `with` block."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self._settings = settings
        self._smtp = smtplib.SMTP(timeout=settings.smtp_timeout_s)

    def __enter__(self) -> Self:
        """Connect, encrypt and log in as the settings say; raises ServerAway."""
        settings = self._settings
        try:
            self._smtp.connect(settings.smtp_host, settings.smtp_port)
            if settings.smtp_starttls:
                # starttls() checks the certificate against this name
                self._smtp._host = settings.smtp_host  # type: ignore[attr-defined]  # noqa: SLF001  # set by the constructor only
                self._smtp.starttls(context=ssl.create_default_context())
            if settings.smtp_username:
                self._smtp.login(settings.smtp_username, settings.smtp_password.get_secret_value())
        except (OSError, smtplib.SMTPException) as away:
            self._smtp.close()
            raise ServerAway(
                f"the mail server {settings.smtp_host}:{settings.smtp_port} cannot be used: {_sentence(away)}"
            ) from away
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say good-bye when there is still somebody to hear it."""
        try:
            self._smtp.quit()
        except (OSError, smtplib.SMTPException):
            self._smtp.close()

    def hand_over(self, message: EmailMessage, email: str) -> None:
        """Give one mail to the server; raises NotTaken."""
        try:
            self._smtp.send_message(message, from_addr=self._settings.mail_from, to_addrs=[email])
        except smtplib.SMTPRecipientsRefused as refusal:
            code, _ = refusal.recipients[email]
            raise NotTaken(_sentence(refusal), is_permanent=code >= _PERMANENT) from refusal
        except smtplib.SMTPDataError as refusal:
            raise NotTaken(_sentence(refusal), is_permanent=refusal.smtp_code >= _PERMANENT) from refusal
        except smtplib.SMTPNotSupportedError as refusal:
            raise NotTaken(_sentence(refusal), is_permanent=True) from refusal
        except smtplib.SMTPSenderRefused as refusal:
            # our own address is a matter of settings: somebody will mend it
            raise NotTaken(_sentence(refusal), is_permanent=False) from refusal
        except (OSError, smtplib.SMTPException) as lost:
            raise NotTaken(_sentence(lost), is_permanent=False, is_gone=True) from lost


def _sentence(error: Exception) -> str:
    """What the server said, without the address it said it of."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
        return f"the mail server refused the recipient: {code} {_text(reply)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__}: {error}"


def _text(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply
