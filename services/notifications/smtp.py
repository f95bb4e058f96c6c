"""SMTP: a connection to the mail server that stays open between mails, and what the server's answers mean."""

from __future__ import annotations

import select
import smtplib
import ssl

from services.notifications.settings import NotificationsSettings

_PERMANENT = 500


class ServerAway(Exception):
    """The mail server does not answer or refuses the login; no mail was tried."""


class NotTaken(Exception):
    """The mail server refused this mail; `is_permanent` when a retry is useless."""

    def __init__(self, message: str, *, is_permanent: bool) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent


class SmtpClient:
    """Hands mails to the mail server of the settings; used by one thread at a time."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None

    def connect(self) -> None:
        """Connect, or reuse the open connection; raises ServerAway."""
        if not self._is_hung_up():
            return
        self.close()
        settings = self._settings
        try:
            self._smtp = _opened(settings)
        except (OSError, smtplib.SMTPException) as away:
            raise ServerAway(
                f"the mail server {settings.smtp_host}:{settings.smtp_port} cannot be used: {_sentence(away)}"
            ) from away

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open, as far as we know."""
        return self._smtp is not None and self._smtp.sock is not None

    def _is_hung_up(self) -> bool:
        """A server that sends data unasked has closed the session."""
        if self._smtp is None or self._smtp.sock is None:
            return True
        ear = select.poll()
        ear.register(self._smtp.sock, select.POLLIN)
        return bool(ear.poll(0))

    def close(self) -> None:
        """Quit the session if the connection is open."""
        smtp, self._smtp = self._smtp, None
        if smtp is None or smtp.sock is None:
            return
        try:
            smtp.quit()
        except (OSError, smtplib.SMTPException):
            smtp.close()

    def hand_over(self, mail: bytes, email: str) -> None:
        """Give one mail to the server; raises NotTaken, and is no longer connected when the connection went with it."""
        assert self._smtp is not None
        try:
            self._smtp.sendmail(self._settings.mail_from, [email], mail, self._options(self._smtp, email))
        except smtplib.SMTPRecipientsRefused as refusal:
            code, _ = refusal.recipients[email]
            raise NotTaken(_sentence(refusal), is_permanent=code >= _PERMANENT) from refusal
        except smtplib.SMTPDataError as refusal:
            raise NotTaken(_sentence(refusal), is_permanent=refusal.smtp_code >= _PERMANENT) from refusal
        except smtplib.SMTPNotSupportedError as refusal:
            raise NotTaken(_sentence(refusal), is_permanent=True) from refusal
        except smtplib.SMTPSenderRefused as refusal:
            # our own address comes from the settings, which can be corrected
            raise NotTaken(_sentence(refusal), is_permanent=False) from refusal
        except (OSError, smtplib.SMTPException) as lost:
            self._smtp.close()
            raise NotTaken(_sentence(lost), is_permanent=False) from lost

    @staticmethod
    def _options(smtp: smtplib.SMTP, email: str) -> tuple[str, ...]:
        """SMTP options for an address beyond ASCII; none otherwise."""
        if email.isascii():
            return ()
        smtp.ehlo_or_helo_if_needed()
        if not smtp.has_extn("smtputf8"):
            raise smtplib.SMTPNotSupportedError("the mail server takes no address beyond ASCII")
        return ("SMTPUTF8", "BODY=8BITMIME")


def _opened(settings: NotificationsSettings) -> smtplib.SMTP:
    """A logged-in connection; raises OSError or SMTPException and then leaves nothing open."""
    smtp = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=settings.smtp_timeout_s)
    try:
        if settings.smtp_starttls:
            smtp.starttls(context=ssl.create_default_context())
        if settings.smtp_username:
            smtp.login(settings.smtp_username, settings.smtp_password.get_secret_value())
    except (OSError, smtplib.SMTPException):
        smtp.close()
        raise
    return smtp


def _sentence(error: Exception) -> str:
    """The server's answer, without the address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
        return f"the mail server refused the recipient: {code} {_text(reply)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__}: {error}"


def _text(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply
