"""Hands a mail to a server that takes several commands at once (RFC 2920): two waits for its answers instead of four."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Sequence
from contextlib import suppress

_CLOSING = 421
_END = b".\r\n"


def is_offered(smtp: smtplib.SMTP) -> bool:
    """Whether the server takes them so."""
    smtp.ehlo_or_helo_if_needed()
    return smtp.has_extn("pipelining")


def sendmail(smtp: smtplib.SMTP, sender: str, recipient: str, mail: bytes, options: Sequence[str]) -> None:
    """What `smtp.sendmail` does for one recipient, with the same exceptions; `mail` ends its lines with CRLF, the last too."""
    size = [f"SIZE={len(mail)}"] if smtp.has_extn("size") else []
    terms = "".join(f" {each}" for each in (*size, *options))
    smtp.send(f"MAIL FROM:<{sender}>{terms}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode())
    refused = _refusal(smtp, (250,), lambda code, reply: smtplib.SMTPSenderRefused(code, reply, sender))
    unknown = _refusal(smtp, (250, 251), lambda code, reply: smtplib.SMTPRecipientsRefused({recipient: (code, reply)}))
    closed = _refusal(smtp, (354,), smtplib.SMTPDataError)
    refusal = refused or unknown or closed
    if closed is None:
        # a server may ask for the mail of a recipient it has refused: it gets none
        smtp.send(_END if refusal else _dotted(mail) + _END)
        untaken = _refusal(smtp, (250,), smtplib.SMTPDataError)
        refusal = refusal or untaken
    if refusal is not None:
        with suppress(smtplib.SMTPServerDisconnected):
            smtp.rset()
        raise refusal


def _refusal(
    smtp: smtplib.SMTP, welcome: Sequence[int], refusal: Callable[[int, bytes], smtplib.SMTPException]
) -> smtplib.SMTPException | None:
    """The next answer, where it is none of the welcome ones; raised when it is the server's last."""
    code, reply = smtp.getreply()
    if code in welcome:
        return None
    fault = refusal(code, reply)
    if code == _CLOSING:
        smtp.close()
        raise fault
    return fault


def _dotted(mail: bytes) -> bytes:
    """A line that begins with a dot begins with two, so that it does not end the mail."""
    doubled = mail.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if mail.startswith(b".") else doubled
