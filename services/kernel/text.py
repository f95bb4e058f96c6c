"""Texts that can be stored, sorted and shown, and JSON that can be written again as it was read."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from services.kernel.errors import InvalidArgument

UNPRINTABLE = r"\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff"
"""Characters no field takes, for a regular expression's class: C0 and C1 controls, bidi controls, invisible spaces."""
MAX_DEPTH = 32
"""Levels that a JSON document may nest: no document here has more."""
MAX_TEXT = 200
"""Characters of a text that nothing else bounds: an id, a name, a reference."""

_HYPHENS = re.compile("[\u02d7\u058a\u1806\u2010-\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d]")
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_DIRECTIONS = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_BREAKS = re.compile(r"[^\S\n]*[\t\n\v\f\r\u0085\u2028\u2029]+\s*")
_CONTROLS = re.compile("[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\ud800-\udfff]")
_REFUSED = re.compile(f"[{UNPRINTABLE}\ud800-\udfff]")


def is_printable(value: str) -> bool:
    """Whether it holds nothing that no field takes, nor half of a surrogate pair."""
    return _REFUSED.search(value) is None


def clean_key(value: str) -> str:
    """A key that people type, as it is kept and shown: one Unicode form, one kind of hyphen, single blanks, nothing invisible."""
    composed = unicodedata.normalize("NFKC", _INVISIBLE.sub("", value))
    return " ".join(_HYPHENS.sub("-", composed).split())


def fold_key(value: str) -> str:
    """What a key that people type is compared by: " po\u20111 " and "PO-1" are the same; empty without one.

    Purchase order numbers, references of channels and banks, and SKUs; every column of such a key holds this.
    """
    return unicodedata.normalize("NFKC", clean_key(value).casefold())


def one_line(value: str) -> str:
    """A text as it is kept: line breaks and tabs are a blank, direction marks and invisible characters are left out."""
    return _BREAKS.sub(" ", _DIRECTIONS.sub("", value)).strip()


def split_lines(setting: str) -> tuple[str, ...]:
    """The lines of a setting that separates them by "|"; blank lines are left out."""
    return tuple(line.strip() for line in setting.split("|") if line.strip())


def mailbox(address: str) -> str:
    """The address itself; ValueError where its domain, which may be of any script, could not be written for a mail server."""
    ascii_mailbox(address)
    return address


def ascii_mailbox(address: str) -> str:
    """The address as mail servers take it: the labels of its domain in ASCII; ValueError for a domain that has no such form."""
    local, at, domain = address.rpartition("@")
    if not at:
        return address
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError as unwritable:
        raise ValueError("must be an e-mail address, such as ann@acme.example") from unwritable


def is_storable(value: str) -> bool:
    """Whether it holds no control character and no half of a surrogate pair; what people type by accident can be made plain."""
    return _CONTROLS.search(value) is None


def text(value: str, what: str, longest: int = MAX_TEXT) -> str:
    """`value` itself when it says something in at most `longest` printable characters; `what` names it in the refusal."""
    if not value.strip():
        raise InvalidArgument("FIELD_MISSING", f"{what} is missing: send 1 to {longest} characters")
    return optional_text(value, what, longest)


def optional_text(value: str, what: str, longest: int = MAX_TEXT) -> str:
    """`value` itself when it is empty, or short enough and printable."""
    if len(value) > longest:
        raise InvalidArgument("TEXT_TOO_LONG", f"{what} has {len(value)} characters: send at most {longest}")
    if not is_printable(value):
        raise InvalidArgument("TEXT_NOT_PRINTABLE", f"{what} has a control or invisible character: send printable text")
    return value


def json_object(document: str, longest: int) -> dict[str, Any]:
    """The members of a JSON object; ValueError with a sentence for what is none, too long, or could not be written again."""
    if len(document) > longest:
        raise ValueError(f"it has more than {longest} characters")
    try:
        members = json.loads(document, parse_float=_number, parse_constant=_no_number)
    except RecursionError as deep:
        raise ValueError("it nests too deeply") from deep
    if not isinstance(members, dict):
        raise ValueError("it is JSON but no object")  # noqa: TRY004  # what is wrong is the text
    # both are looked for only where the document may have them: facts are read for every order
    if document.count("{") + document.count("[") > MAX_DEPTH and _is_deep(members):
        raise ValueError("it nests too deeply")
    if "\\u" in document:
        json.dumps(members, ensure_ascii=False).encode()
    return members


def levels(document: Any) -> Iterator[list[Any]]:
    """The values of a JSON document by how deep they lie, found without recursion: itself, then what is in it, and so on."""
    level = [document]
    while level:
        yield level
        level = [below for value in level for below in _within(value)]


def _is_deep(document: Any) -> bool:
    return any(depth > MAX_DEPTH for depth, _ in enumerate(levels(document)))


def _within(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _number(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError(f"{digits} is larger than any number here")
    return number


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
