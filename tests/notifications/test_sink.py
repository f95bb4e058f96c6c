"""The sink keeps every mail once, as a file that is complete when it can be seen."""

from __future__ import annotations

import re
import smtplib
import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from services.notifications.sink import MailSink, main

MAIL = "From: a@b.example\r\nTo: c@d.example\r\nSubject: {0}\r\nMessage-ID: <{0}@b.example>\r\n\r\nhello\r\n"


def send(sink: MailSink, *names: str) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=60) as smtp:
        for name in names:
            smtp.sendmail("a@b.example", ["c@d.example"], MAIL.format(name))


def test_each_mail_is_a_file_named_by_time_and_sequence(tmp_path: Path) -> None:
    sink = MailSink(tmp_path)
    sink.start()

    send(sink, "one", "two")
    sink.stop()

    files = sorted(tmp_path.iterdir())
    assert [bool(re.fullmatch(r"\d{8}T\d{6}\.\d{6}Z-00000\d\.eml", file.name)) for file in files] == [True, True]
    assert [message_from_bytes(file.read_bytes(), policy=default)["Subject"] for file in files] == ["one", "two"]


def test_a_repeat_is_known_even_after_a_restart(tmp_path: Path) -> None:
    sink = MailSink(tmp_path)
    sink.start()
    send(sink, "one", "one")
    sink.stop()
    assert (len(sink.messages), sink.repeats) == (1, 1)

    again = MailSink(tmp_path)
    again.start()
    send(again, "one", "two")
    again.stop()

    assert (len(again.messages), again.repeats) == (2, 1)
    assert len(list(tmp_path.glob("*.eml"))) == 2


def test_a_mail_that_a_full_disk_does_not_take_is_sent_again(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    sink = MailSink(folder)
    sink.start()
    folder.rmdir()

    with smtplib.SMTP("127.0.0.1", sink.port, timeout=60) as smtp:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            smtp.sendmail("a@b.example", ["c@d.example"], MAIL.format("one"))
        folder.mkdir()
        smtp.sendmail("a@b.example", ["c@d.example"], MAIL.format("one"))
    sink.stop()

    assert refused.value.smtp_code == 452
    assert len(list(folder.glob("*.eml"))) == 1


def test_taking_a_mail_parses_none_of_those_already_kept() -> None:
    sink = MailSink()
    sink.start()
    for name in ("one", "two", "three"):
        send(sink, name)
    sink.stop()

    assert sink._parsed == []
    assert len(sink.messages) == 3


class Talk:
    """A client that says what it is told to say, in the pieces it is told."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")
        self.answer()
        self.ask(b"EHLO here")

    def ask(self, command: bytes) -> bytes:
        self._socket.sendall(command + b"\r\n")
        return self.answer()

    def answer(self) -> bytes:
        line = self._answers.readline()
        while line[3:4] == b"-":
            line = self._answers.readline()
        return line[:3]

    def say(self, piece: bytes) -> None:
        self._socket.sendall(piece)

    def begin(self) -> None:
        asked = (b"MAIL FROM:<a@b.example>", b"RCPT TO:<c@d.example>", b"DATA")
        assert [self.ask(each) for each in asked] == [b"250", b"250", b"354"]

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


@pytest.fixture
def talk(sink: MailSink) -> Iterator[Talk]:
    talk = Talk(sink.port)
    yield talk
    talk.close()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"Subject: x\r\n\r\nends with a dot.\r\nand goes on\r\n.\r\n", b"ends with a dot.\r\nand goes on\r\n"),
        (b"Subject: x\r\n\r\n..\r\n...\r\n..a\r\n.\r\n", b".\r\n..\r\n.a\r\n"),
        (b"Subject: x\r\n\r\nlone \n.\n line feeds\r\n.\r\n", b"lone \n.\n line feeds\r\n"),
        (b"..Subject: x\r\n\r\nhello\r\n.\r\n", b"hello\r\n"),
    ],
)
def test_a_mail_ends_at_the_lonely_dot_however_it_comes(sink: MailSink, talk: Talk, sent: bytes, kept: bytes) -> None:
    talk.begin()
    for at in range(len(sent)):
        talk.say(sent[at : at + 1])
    assert talk.answer() == b"250"
    talk.begin()
    talk.say(sent)
    assert talk.answer() == b"250"

    assert [mail.partition(b"\r\n\r\n")[2] for mail in sink._kept] == [kept, kept]
    assert sink._kept[0] == sink._kept[1]


def test_a_mail_of_nothing_is_kept(sink: MailSink, talk: Talk) -> None:
    talk.begin()
    talk.say(b".\r\n")

    assert talk.answer() == b"250"
    assert sink._kept == [b""]


def test_a_mail_that_is_too_large_is_refused_and_the_next_one_taken(sink: MailSink, talk: Talk) -> None:
    talk.begin()
    for _ in range(21):
        talk.say(b"\r\n" + b"x" * 1024 * 1024)
    talk.say(b"\r\n.\r\n")
    assert talk.answer() == b"552"

    talk.begin()
    talk.say(b"Subject: small\r\n\r\n.\r\n")

    assert talk.answer() == b"250"
    assert sink._kept == [b"Subject: small\r\n\r\n"]


def test_a_mail_for_nobody_is_not_taken(talk: Talk) -> None:
    assert talk.ask(b"MAIL FROM:<a@b.example>") == b"250"
    assert talk.ask(b"DATA") == b"503"
    assert talk.ask(b"RCPT TO:<c@d.example>") == b"250"
    assert talk.ask(b"DATA now") == b"501"


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        (b"<c+d@e.example>", b"250"),
        (b'<"c d"@e.example>', b"250"),
        (b"c@d.example", b"250"),
        (b"<c@>", b"553"),
        (b"<c@d.example> SIZE", b"555"),
    ],
)
def test_addresses_are_read_as_before_whether_plain_or_not(talk: Talk, address: bytes, answer: bytes) -> None:
    assert talk.ask(b"MAIL FROM:<a@b.example>") == b"250"

    assert talk.ask(b"RCPT TO:" + address) == answer


def test_a_taken_port_is_a_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]

        assert main(["--port", str(port), "--mail-dir", str(tmp_path)]) == 78

    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
