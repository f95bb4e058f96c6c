"""The gate before everything: bodies that are too large, too deep, not JSON or hold what no reader keeps faithfully."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.plumbing import problems
from gateway.http.plumbing.problems import ApiError
from services.kernel.text import MAX_DEPTH, is_printable, is_storable

MAX_BYTES = 1 << 20
_DRAIN_BYTES = 4 * MAX_BYTES
_MAX_INTEGER = 2**63 - 1
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_FILES = re.compile(r"/v1/returns/[^/]+/photos")
"""Where a body is a file: its operation reads and bounds it, chunk by chunk."""


class BodyGate:
    """ASGI middleware: reads the body once, checks it, and hands it on unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            check_target(scope)
            if scope["method"] in _WITH_BODY and not _FILES.fullmatch(scope["path"]):
                receive = _again(await _checked_body(scope, receive), receive)
        except ApiError as error:
            refusal = problems.answer(
                error.status, error.code, error.detail, errors=error.errors, headers=error.headers
            )
            await refusal(scope, receive, send)
            return
        except ClientDisconnect:
            return  # half a body is none, and nobody waits for an answer
        await self.app(scope, receive, send)


def check_target(scope: Scope) -> None:
    """Refuse a path or query with bytes that no database keeps: they would fail deep inside."""
    query = scope["query_string"]
    for part in (scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass"), query):
        try:
            decoded = unquote_to_bytes(part).decode("utf-8")
        except UnicodeDecodeError as bad:
            raise ApiError(400, "MALFORMED_TARGET", "the address is not UTF-8: encode it with percent signs") from bad
        if not is_storable(decoded) or (part is not query and not is_printable(decoded)):
            raise ApiError(400, "MALFORMED_TARGET", "the address holds control characters: remove them")


async def _checked_body(scope: Scope, receive: Receive) -> bytes:
    body = await _read(receive)
    if body:
        if not _is_json(scope):
            raise ApiError(415, "NOT_JSON", "send the body as JSON with Content-Type: application/json")
        check_document(body)
    return body


async def _read(receive: Receive) -> bytes:
    """The whole body. A larger one is read on for a while, so that the sender gets to hear the refusal."""
    chunks: list[bytes] = []
    size, is_open = 0, True
    while is_open and size <= _DRAIN_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BYTES:
            chunks.append(chunk)
        is_open = message.get("more_body", False)
    if size > MAX_BYTES:
        raise ApiError(413, "BODY_TOO_LARGE", f"a body has at most {MAX_BYTES} bytes: send less at once")
    return b"".join(chunks)


def _is_json(scope: Scope) -> bool:
    kinds = [value for name, value in scope["headers"] if name == b"content-type"]
    media = kinds[0].decode("latin-1").partition(";")[0].strip().lower() if kinds else ""
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def _again(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the body once and then what the connection says."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return pending.pop() if pending else await receive()

    return give


def check_document(body: bytes) -> None:
    """Raise ApiError 400 for what is no JSON, 422 for JSON with values that cannot be kept."""
    try:
        document = json.loads(
            body.decode("utf-8"),
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_no_number,
            object_pairs_hook=_members,
        )
    except RecursionError as deep:
        raise _too_deep() from deep
    except ValueError as bad:
        raise ApiError(400, "MALFORMED_JSON", "the body is not JSON in UTF-8: check quotes, commas, brackets") from bad
    for pointer, text in _strings(document):
        if not is_storable(text):
            sentence = f"{pointer} holds control characters: remove them"
            raise ApiError(422, "UNPRINTABLE_TEXT", sentence, pointer=pointer)


def _integer(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > _MAX_INTEGER:
        raise ApiError(422, "NUMBER_TOO_LARGE", "a number is larger than any field takes: write a smaller one")
    return int(digits)


def _number(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ApiError(422, "NUMBER_TOO_LARGE", "a number is larger than any field takes: write a smaller one")
    return number


def _no_number(name: str) -> Any:
    raise ApiError(400, "MALFORMED_JSON", f"{name} is no JSON number: leave it out")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ApiError(400, "DUPLICATE_MEMBER", "an object names a member twice: nobody can tell which one is meant")
    return members


def _strings(document: Any) -> Iterator[tuple[str, str]]:
    """Every text and member name with the pointer to it, found without recursion; too many levels raise ApiError."""
    level: list[tuple[str, Any]] = [("", document)]
    for depth in range(MAX_DEPTH + 2):
        if not level:
            return
        if depth > MAX_DEPTH:
            raise _too_deep()
        yield from ((pointer or "/", value) for pointer, value in level if isinstance(value, str))
        for pointer, value in level:
            yield from ((pointer or "/", name) for name in (value if isinstance(value, dict) else ()))
        level = [below for pointer, value in level for below in _within(pointer, value)]


def _within(pointer: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"{pointer}/{name}", below) for name, below in value.items())
    elif isinstance(value, list):
        yield from ((f"{pointer}/{place}", below) for place, below in enumerate(value))


def _too_deep() -> ApiError:
    return ApiError(400, "TOO_DEEP", f"the body nests more than {MAX_DEPTH} levels: no document of this API does")
