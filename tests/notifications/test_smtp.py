"""A mail reaches the server as it was written, and what the server refuses is a NotTaken or a ServerAway."""

from __future__ import annotations

import pytest

from services.notifications.settings import NotificationsSettings
from services.notifications.sink import MailSink
from services.notifications.smtp import NotTaken, ServerAway, SmtpClient

MAIL = b"Subject: one\r\n\r\n.a dot\r\n..two\r\nno dot.\r\n.\r\nend\r\n"


def handed_over(port: int, email: str = "c@d.example") -> None:
    smtp = SmtpClient(NotificationsSettings(smtp_port=port, smtp_timeout_s=5.0, mail_from="a@b.example"))
    smtp.connect()
    try:
        smtp.hand_over(MAIL, email)
    finally:
        smtp.close()


def test_a_mail_with_lines_that_begin_with_dots_arrives_as_it_was_written(sink: MailSink) -> None:
    handed_over(sink.port)

    assert [message.as_bytes(policy=message.policy.clone(linesep="\r\n")) for message in sink.messages] == [MAIL]


def test_a_recipient_who_is_refused_is_refused_for_good(sink: MailSink) -> None:
    sink.replies["nobody@d.example"] = "550 no such mailbox"

    with pytest.raises(NotTaken, match="550 no such mailbox") as refusal:
        handed_over(sink.port, "nobody@d.example")

    assert refusal.value.is_permanent
    assert sink.messages == []


def test_an_absent_server_is_away() -> None:
    with pytest.raises(ServerAway, match="cannot be used"):
        handed_over(1)
