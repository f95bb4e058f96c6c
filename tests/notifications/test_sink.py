"""The sink keeps every mail once, as a file that is complete when it can be seen."""

from __future__ import annotations

import re
import smtplib
import socket
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from services.notifications.sink import MailSink, main

MAIL = "From: a@b.example\r\nTo: c@d.example\r\nSubject: {0}\r\nMessage-ID: <{0}@b.example>\r\n\r\nhello\r\n"


def send(sink: MailSink, *names: str) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=5) as smtp:
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


def test_taking_a_mail_parses_none_of_those_already_kept() -> None:
    sink = MailSink()
    sink.start()
    for name in ("one", "two", "three"):
        send(sink, name)
    sink.stop()

    assert sink._parsed == []
    assert len(sink.messages) == 3


def test_a_taken_port_is_a_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]

        assert main(["--port", str(port), "--mail-dir", str(tmp_path)]) == 78

    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
