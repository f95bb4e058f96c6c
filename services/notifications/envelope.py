"""Puts a text and an HTML page into one mail: the headers around them, and the bytes that a mail server takes.

Written out here, because the header objects of `email.message` cost ten times what rendering a mail and inlining its styles do.
"""

from __future__ import annotations

from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.header import Header
from email.utils import formataddr

_EOL = "\r\n"
_LONGEST = 500
"""RFC 5322 allows a line 998 characters; a header that is longer than this is folded."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Whom a mail is from or for; the name may be empty."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class File:
    """A PDF beside the text; its name is a plain word."""

    name: str
    content: bytes


def seal(
    sender: Mailbox,
    recipient: Mailbox,
    headers: Mapping[str, str],
    *,
    text: str,
    page: str,
    boundary: str,
    file: File | None = None,
) -> bytes:
    """The mail with both readings, and a file beside them. Raises ValueError for a header that would begin another one.

    `boundary` is any word: a line that begins with "--=_" cannot be in a body, because quoted-printable writes its "=" as "=3D", and
    base64 has no "-".
    """
    head = [
        _header("From", sender.name, _address(sender)),
        _header("To", recipient.name, _address(recipient)),
        *(_header(name, value, _worded(value, name)) for name, value in headers.items()),
        "MIME-Version: 1.0",
    ]
    body = _multipart("alternative", f"=_{boundary}", [_part("plain", text), _part("html", page)])
    if file is not None:
        body = _multipart("mixed", f"=_with_{boundary}", [body, _attached(file)])
    return f"{_EOL.join(head)}{_EOL}{body}".encode()


def _multipart(subtype: str, boundary: str, parts: Sequence[str]) -> str:
    fence = f"--{boundary}"
    inside = f"{_EOL}{fence}{_EOL}".join(["", *parts])
    return f'Content-Type: multipart/{subtype}; boundary="{boundary}"{_EOL}{inside}{_EOL}{fence}--{_EOL}'


def _attached(file: File) -> str:
    head = [
        f'Content-Type: application/pdf; name="{file.name}"',
        f'Content-Disposition: attachment; filename="{file.name}"',
        "Content-Transfer-Encoding: base64",
    ]
    return f"{_EOL.join(head)}{_EOL}{_EOL}{encodebytes(file.content).decode('ascii').replace(chr(10), _EOL)}"


def _header(name: str, raw: str, value: str) -> str:
    if "\r" in raw or "\n" in raw:
        raise ValueError(f"{name} would be more than one header")
    return f"{name}: {value}"


def _address(mailbox: Mailbox) -> str:
    """An address beyond ASCII stays as it is, for servers that take it so."""
    if not mailbox.name:
        return mailbox.email
    if mailbox.name.isascii():
        return f"{formataddr((mailbox.name, '')).removesuffix('<>')}<{mailbox.email}>"
    return f"{_worded(mailbox.name)} <{mailbox.email}>"


def _worded(value: str, name: str | None = None) -> str:
    """In encoded words, folded, where it is long or beyond ASCII."""
    if value.isascii() and len(value) <= _LONGEST:
        return value
    return Header(value, "utf-8", header_name=name).encode(linesep=_EOL)


def _part(subtype: str, content: str) -> str:
    lines = [*content.encode().splitlines(), b""]
    body = b2a_qp(b"\r\n".join(lines), istext=True).decode("ascii")
    return f'Content-Type: text/{subtype}; charset="utf-8"{_EOL}Content-Transfer-Encoding: quoted-printable{_EOL}{_EOL}{body}'
