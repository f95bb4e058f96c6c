"""A mail server that delivers nothing: it keeps every mail, in memory and as files, for people and tests to read."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import re
import signal
import socket
import sys
import threading
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

_MAX_SIZE = 20 * 1024 * 1024
_DOT = b".\r\n"
_PLAIN_ADDRESS = re.compile(r"<([\w!#$%&'*+/=?^`{|}~.-]+@[\w.-]+)>( .*)?", re.ASCII)
_HEAD = re.compile(rb"\r?\n\r?\n")
_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


class MailSink:
    """An SMTP server on one address; port 0 chooses a free one.

    `messages` holds each mail once, in the order of arrival. A mail that comes again under a Message-ID already kept (its sender
    died before it noted the answer) is accepted and only counted in `repeats`, as mailboxes with duplicate suppression do.
    With a `mail_dir` each mail is a file there, <UTC timestamp>-<sequence>.eml, complete from the moment it can be seen.
    `connections` counts who came with mail. `replies` answers a recipient with a refusal: mail address → reply line such as "550 no such mailbox".
    """

    def __init__(self, mail_dir: Path | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self._kept: list[bytes] = []  # only without a folder: a system that runs for months keeps its mails on disk
        self._parsed: list[EmailMessage] = []
        self.repeats = 0
        self.connections = 0
        self.replies: dict[str, str] = {}
        self._mail_dir = mail_dir
        self._known: set[str] = set()
        kept = self._remember() if mail_dir else 0
        self._sequence = itertools.count(kept + 1)
        self.port = port or _free_port(host)
        self._controller = _Controller(_Hooks(self), hostname=host, port=self.port, data_size_limit=_MAX_SIZE)

    def start(self) -> None:
        """Take mail from now on; raises OSError when the port is taken."""
        self._controller.start()

    def stop(self) -> None:
        """Take no more mail."""
        self._controller.stop()

    def keep(self, content: bytes) -> str:
        """Keep a mail and give the answer for its sender; only then is it accepted."""
        message_id = _message_id(content)
        if message_id in self._known:
            self.repeats += 1
            return "250 OK, kept already"
        if self._mail_dir:
            try:
                self._write(self._mail_dir, content)
            except OSError:  # a full disk: the sender keeps it and tries again
                return "452 there is no room for it now, try again later"
        else:
            self._kept.append(content)
        if message_id:
            self._known.add(message_id)
        return "250 OK, kept"

    @property
    def messages(self) -> list[EmailMessage]:
        """Each mail once, in the order of arrival."""
        if self._mail_dir is not None:
            return [_parse(file.read_bytes()) for file in sorted(self._mail_dir.glob("*.eml"))]
        self._parsed.extend(_parse(content) for content in self._kept[len(self._parsed) :])
        return list(self._parsed)

    def _write(self, folder: Path, content: bytes) -> None:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{next(self._sequence):06d}"
        draft = folder / f".{name}.part"
        draft.write_bytes(content)
        draft.replace(folder / f"{name}.eml")

    def _remember(self) -> int:
        """Know the Message-IDs of the mails kept in an earlier life; how many mails there are."""
        assert self._mail_dir is not None
        self._mail_dir.mkdir(parents=True, exist_ok=True)
        files = sorted(self._mail_dir.glob("*.eml"))
        for file in files:
            self._known.add(_message_id(file.read_bytes()))
        self._known.discard("")
        return len(files)


class _Controller(Controller):
    """Runs our kind of server."""

    def factory(self) -> SMTP:
        """What talks to one client."""
        return _Server(self.handler, **self.SMTP_kwargs)


class _Server(SMTP):
    """Takes a mail in one piece instead of line by line, and a plain address without the grammar of all addresses."""

    # also what is read ahead: with the limit of the RFC, reading stops several times in a mail
    line_length_limit = 1024 * 1024

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        plain = _PLAIN_ADDRESS.fullmatch(arg)
        if plain is None:
            return super()._getaddr(arg)
        return plain[1], plain[2] or ""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # aiosmtpd finds its commands by these names
        """Take the mail for the recipients named before."""
        assert self.envelope is not None
        if arg or not self.envelope.rcpt_tos:
            await super().smtp_DATA(arg)  # knows how to refuse
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content = await self._content()
        if content is None:
            answer = "552 Error: Too much mail data"
        else:
            self.envelope.content = content
            answer = await self._call_handler_hook("DATA")
        self._set_post_data_state()  # type: ignore[no-untyped-call]  # aiosmtpd gives it no types
        await self.push(answer)

    async def _content(self) -> bytes | None:
        """What comes before the lonely dot, doubled dots made one again; None, and nothing kept, when it is too large."""
        mail, end, size = bytearray(), b"", 0
        while end != _DOT and not end.endswith(b"\r\n" + _DOT):
            try:
                piece = await self._reader.readuntil(_DOT)
            except asyncio.LimitOverrunError as ahead:
                piece = await self._reader.read(ahead.consumed)
            end = (end + piece)[-len(_DOT) - 2 :]
            size += len(piece)
            if size <= _MAX_SIZE:
                mail += piece
        if size > _MAX_SIZE:
            return None
        return (b"\r\n" + mail.removesuffix(_DOT)).replace(b"\r\n.", b"\r\n")[2:]


class _Hooks:
    """What aiosmtpd calls; apart from the sink, because it reads every attribute of its handler at every connection."""

    def __init__(self, sink: MailSink) -> None:
        self._sink = sink

    async def handle_EHLO(  # noqa: N802  # aiosmtpd finds its hooks by these names
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Count the clients that introduce themselves."""
        session.host_name = hostname
        self._sink.connections += 1
        return responses

    async def handle_RCPT(  # noqa: N802  # see handle_EHLO
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Accept the recipient, or answer what `replies` says of it."""
        if address in self._sink.replies:
            return self._sink.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # see handle_EHLO
        """Keep the mail."""
        return self._sink.keep(envelope.content)


def _message_id(content: bytes) -> str:
    """Read without parsing the mail; empty when its head names none."""
    head = _HEAD.split(content, 1)[0]
    found = _MESSAGE_ID.search(head)
    return found[1].decode(errors="replace") if found else ""


def _parse(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=default)


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])


def main(arguments: list[str]) -> int:
    """Run the sink until a signal stops it."""
    parser = argparse.ArgumentParser(prog="python -m services.notifications.sink", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("OMS_SMTP_PORT", "7325")), help="port to listen on"
    )
    parser.add_argument("--mail-dir", type=Path, default=Path("var/mail"), help="folder the mails are kept in")
    chosen = parser.parse_args(arguments)
    sink = MailSink(chosen.mail_dir, chosen.host, chosen.port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        sink.start()
    except OSError as taken:
        sys.stderr.write(
            f"mail sink: cannot listen on {chosen.host}:{chosen.port} ({taken.strerror}): stop what has the port\n"
        )
        return 78
    stop.wait()
    sink.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
