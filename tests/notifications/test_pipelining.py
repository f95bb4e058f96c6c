"""A mail goes with two waits for the server; whatever the server refuses is told as smtplib tells it."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller

from services.notifications import pipelining
from services.notifications.postman import NotTaken, Postman
from services.notifications.settings import NotificationsSettings
from services.notifications.sink import MailSink

MAIL = b"Subject: one\r\n\r\n.a dot\r\n..two\r\nno dot.\r\n.\r\nend\r\n"
TOGETHER = b"MAIL FROM:<a@b.example> SIZE=48\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"


class Server:
    """The client's view of a server that answers what it was told to answer, and offers SIZE."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.heard: list[bytes] = []
        self.is_open = True
        self.resets = 0

    def has_extn(self, name: str) -> bool:
        return name == "size"

    def send(self, said: bytes) -> None:
        assert self.is_open
        self.heard.append(said)

    def getreply(self) -> tuple[int, bytes]:
        return self.answers.pop(0), b"so be it"

    def rset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.is_open = False


def send(server: Server) -> None:
    pipelining.sendmail(cast("smtplib.SMTP", server), "a@b.example", "c@d.example", MAIL, ())


def test_the_commands_go_together_and_the_mail_follows_with_its_dots_doubled() -> None:
    server = Server(250, 250, 354, 250)

    send(server)

    assert server.heard == [
        TOGETHER,
        b"Subject: one\r\n\r\n..a dot\r\n...two\r\nno dot.\r\n..\r\nend\r\n.\r\n",
    ]
    assert (server.answers, server.resets) == ([], 0)


@pytest.mark.parametrize(
    ("answers", "refusal", "heard"),
    [
        ((550, 503, 503), smtplib.SMTPSenderRefused, [TOGETHER]),
        ((250, 550, 503), smtplib.SMTPRecipientsRefused, [TOGETHER]),
        ((250, 550, 354, 554), smtplib.SMTPRecipientsRefused, [TOGETHER, b".\r\n"]),
        ((250, 550, 354, 250), smtplib.SMTPRecipientsRefused, [TOGETHER, b".\r\n"]),
        ((250, 250, 451), smtplib.SMTPDataError, [TOGETHER]),
        ((250, 250, 354, 552), smtplib.SMTPDataError, None),
    ],
)
def test_every_answer_is_read_the_first_refusal_is_told_and_the_server_is_ready_for_the_next_mail(
    answers: tuple[int, ...], refusal: type[Exception], heard: list[bytes] | None
) -> None:
    server = Server(*answers)

    with pytest.raises(refusal):
        send(server)

    assert (server.answers, server.resets, server.is_open) == ([], 1, True)
    assert heard is None or server.heard == heard


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        ((421,), smtplib.SMTPSenderRefused),
        ((250, 421), smtplib.SMTPRecipientsRefused),
        ((250, 250, 421), smtplib.SMTPDataError),
        ((250, 250, 354, 421), smtplib.SMTPDataError),
    ],
)
def test_after_its_last_answer_a_server_is_asked_nothing_more(
    answers: tuple[int, ...], refusal: type[Exception]
) -> None:
    server = Server(*answers)

    with pytest.raises(refusal):
        send(server)

    assert (server.answers, server.resets, server.is_open) == ([], 0, False)


def handed_over(port: int, email: str = "c@d.example") -> None:
    postman = Postman(NotificationsSettings(smtp_port=port, smtp_timeout_s=5.0, mail_from="a@b.example"))
    postman.connect()
    try:
        postman.hand_over(MAIL, email)
    finally:
        postman.close()


def test_a_mail_with_lines_that_begin_with_dots_arrives_as_it_was_written(sink: MailSink) -> None:
    handed_over(sink.port)

    assert [message.as_bytes(policy=message.policy.clone(linesep="\r\n")) for message in sink.messages] == [MAIL]


class Plain:
    """A server that knows no pipelining; keeps what comes and answers a recipient as told."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:  # aiosmtpd finds its hooks by these names
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # see handle_RCPT
        self.mails.append(envelope.content)
        return "250 OK"


def with_a_plain_server(act: Callable[[int], None]) -> list[bytes]:
    handler = Plain()
    server = Controller(handler, hostname="127.0.0.1", port=MailSink().port)
    server.start()
    try:
        act(server.port)
    finally:
        server.stop()
    return handler.mails


def test_a_server_that_does_not_offer_it_is_asked_one_thing_at_a_time() -> None:
    assert with_a_plain_server(handed_over) == [MAIL]


def test_a_plain_server_refuses_as_any_other() -> None:
    def refused(port: int) -> None:
        with pytest.raises(NotTaken, match="550 no such mailbox") as refusal:
            handed_over(port, "nobody@d.example")
        assert refusal.value.is_permanent

    assert with_a_plain_server(refused) == []
