from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.http.plumbing.body import MAX_BYTES, BodyGate, check_document
from gateway.http.plumbing.problems import ApiError
from services.kernel.text import MAX_DEPTH

GOOD = b'{"text": "Gr\xc3\xbc\xc3\x9fe \xf0\x9f\x9a\x9a", "deep": [[[1, 2.5, null, true]]]}'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b'"\xed\xa0\x80"', 400),
        ('{"a": 1}'.encode("utf-16"), 400),
        (b'\xef\xbb\xbf{"a": 1}', 400),
        (b'{"a": NaN}', 400),
        (b'{"a": Infinity}', 400),
        (b'{"a": -Infinity}', 400),
        (b'{"a": 1e400}', 422),
        (b'{"a": -1e400}', 422),
        (b'{"a": 9223372036854775808}', 422),
        (b'{"a": -9223372036854775808}', 422),
        (b'{"a": ' + b"9" * 5000 + b"}", 422),
        (b'{"a": 1, "a": 2}', 400),
        (b'{"a": "x\\u0000y"}', 422),
        (b'{"a\\u0000": 1}', 422),
        (b'{"a": "\\ud800"}', 422),
        (b'{"a": "\\udfff\\ud800"}', 422),
        (b'{"a": "es\\u001bcape"}', 422),
        (b"[" * 200_000 + b"]" * 200_000, 400),
        (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, 400),
        (b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2), 400),
    ],
)
def test_a_document_that_cannot_be_kept_is_refused(body: bytes, status: int) -> None:
    with pytest.raises(ApiError) as refused:
        check_document(body)

    assert refused.value.status == status


@pytest.mark.parametrize("honest", [GOOD, b'{"a": 9223372036854775807, "pair": "\\ud83d\\ude9a"}'])
async def test_an_honest_body_reaches_the_application_unchanged(honest: bytes) -> None:
    heard: list[bytes] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append((await receive())["body"])

    await _serve(application, [honest[:10], honest[10:]])

    assert heard == [honest]


@pytest.mark.parametrize(("size", "status"), [(MAX_BYTES, 0), (MAX_BYTES + 1, 413)])
async def test_a_body_has_at_most_one_mebibyte(size: int, status: int) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 0, "headers": []})

    sent = await _serve(application, [b'"' + b"a" * (size - 2) + b'"'])

    assert sent[0]["status"] == status


async def test_a_body_that_is_not_json_is_unsupported() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("the application was asked")

    sent = await _serve(application, [b"a=1"], content_type=b"application/x-www-form-urlencoded")

    assert sent[0]["status"] == 415
    assert json.loads(sent[1]["body"])["code"] == "NOT_JSON"


@pytest.mark.parametrize("path", [b"/v1/orders/a%00b", b"/v1/orders/%ff", b"/v1/orders/%e2%80%ae", b"/v1/orders/%0a"])
async def test_an_address_with_control_characters_is_refused(path: bytes) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("the application was asked")

    sent = await _serve(application, [], method="GET", path=path)

    assert sent[0]["status"] == 400


async def _serve(
    application: Any,
    chunks: list[bytes],
    *,
    method: str = "POST",
    path: bytes = b"/",
    content_type: bytes = b"application/json; charset=utf-8",
) -> list[Message]:
    sent: list[Message] = []
    pending = list(chunks)

    async def receive() -> Message:
        body = pending.pop(0) if pending else b""
        return {"type": "http.request", "body": body, "more_body": bool(pending)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path.decode("latin-1"),
        "raw_path": path,
        "query_string": b"",
        "headers": [(b"content-type", content_type)],
    }
    await BodyGate(application)(scope, receive, send)
    return sent
