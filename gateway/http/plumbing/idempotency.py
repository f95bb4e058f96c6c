"""Idempotency-Key: the first answer is stored and replayed; another request under the same key is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from google.protobuf.wrappers_pb2 import BytesValue
from pydantic import BaseModel
from sqlmodel import Session

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, deps_of
from services.kernel.errors import AlreadyExists
from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.runtime import idempotency

Shape = TypeVar("Shape", bound=BaseModel)

REPLAYED = "Idempotent-Replayed"
KEY_PATTERN = r"^[!-~]{1,128}$"

OptionalKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", pattern=KEY_PATTERN, description="A new key for each new request, the same on a retry."
    ),
]
RequiredKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=KEY_PATTERN,
        description="A new key for each new request, the same on a retry. Required: this moves money or stock.",
    ),
]


@dataclass(frozen=True, slots=True)
class Once:
    """One POST of one caller. Without a key nothing is stored and every request is a new one."""

    deps: Deps
    operation: str
    request_id: str
    is_keyed: bool

    def answer(
        self, body: BaseModel | None, act: Callable[[str], Shape], status: int | Callable[[Shape], int] = 200
    ) -> Response:
        """The stored answer of this key, or that of `act(request_id)`, which is then stored; a refusal is not stored.

        `act` runs outside any transaction. A repeat after a crash between the action and its record runs it again with the
        same request id, so the service behind gives its own first answer. Raises AlreadyExists for another body.
        """
        request = self._request(body)
        with _reused_key():
            earlier = self._earlier(request)
            if earlier is not None:
                return earlier
            shape = act(self.request_id)
            code = status if isinstance(status, int) else status(shape)
            document = shape.model_dump(mode="json")
            self._store(request, _kept(code, document))
        return JSONResponse(document, code)

    def answer_here(self, body: BaseModel | None, do: Callable[[Session], BaseModel], status: int = 200) -> Response:
        """The same for what this service does by itself: action and answer are one transaction, so no crash comes between them."""
        is_first = False

        def act(session: Session) -> BytesValue:
            nonlocal is_first
            is_first = True
            return _kept(status, do(session).model_dump(mode="json"))

        database = self.deps.database
        if self.is_keyed:
            with _reused_key():
                kept = database.once(self.request_id, self._request(body), BytesValue, act)
        else:
            with database.transaction() as session:
                kept = act(session)
        return _response(kept, is_replayed=not is_first)

    def perform(self, body: BaseModel, do: Callable[[Session], tuple[str, ...]]) -> tuple[str, ...]:
        """Do something of this service in one transaction that remembers what it gave; part of the `act` of an answer().

        A repeat after a crash between the action and the answer is given the same words, and nothing is done twice. Without it
        whoever asks again would be told that it is too late for what they did themselves.
        """
        database = self.deps.database
        if not self.is_keyed:
            with database.transaction() as session:
                return do(session)

        def act(session: Session) -> BytesValue:
            return BytesValue(value=json.dumps(do(session), ensure_ascii=False).encode())

        with _reused_key():
            done = database.once(f"{self.request_id}/action", self._request(body), BytesValue, act)
        return tuple(json.loads(done.value))

    def _request(self, body: BaseModel | None) -> BytesValue:
        return BytesValue(value=f"{self.operation}\n{body.model_dump_json() if body else ''}".encode())

    def _earlier(self, request: BytesValue) -> Response | None:
        if not self.is_keyed:
            return None
        database = self.deps.database
        with database.reading() as session:
            stored = idempotency.earlier(session, database.metadata, self.request_id, request)
        if stored is None:
            return None
        return _response(BytesValue.FromString(stored), is_replayed=True)

    def _store(self, request: BytesValue, kept: BytesValue) -> None:
        if not self.is_keyed:
            return
        database = self.deps.database
        with database.transaction() as session:
            # a twin that ran at the same moment may have stored the same answer first
            idempotency.keep(session, database.metadata, self.request_id, request, kept)


@contextmanager
def _reused_key() -> Iterator[None]:
    """Say of the caller's key what a service says of the request id that we made of it."""
    try:
        yield
    except AlreadyExists as reused:
        if reused.reason != idempotency.REUSED:
            raise
        raise AlreadyExists(
            "IDEMPOTENCY_KEY_REUSED",
            "this Idempotency-Key was used for another request: send a new key for a new request, "
            "or the first request again as it was",
        ) from reused


def _kept(status: int, document: dict[str, Any]) -> BytesValue:
    return BytesValue(value=json.dumps({"status": status, "document": document}, ensure_ascii=False).encode())


def _response(kept: BytesValue, *, is_replayed: bool) -> Response:
    answer = json.loads(kept.value)
    return JSONResponse(answer["document"], answer["status"], headers={REPLAYED: "true"} if is_replayed else None)


def request_id_of(who: Caller, key: str) -> str:
    """The business key of a caller's key: nobody meets another caller's keys."""
    scope = f"{who.principal.issuer}\n{who.principal.sub}\n{who.principal.company or ''}\n{key}"
    return f"api/{hashlib.sha256(scope.encode()).hexdigest()}"


def _once(request: Request, who: Caller, key: str | None) -> Once:
    request_id = request_id_of(who, key) if key else new_id("req")
    return Once(deps_of(request), f"{request.method} {request.url.path}", request_id, is_keyed=key is not None)


async def _optional(request: Request, who: CallerOf, key: OptionalKey = None) -> Once:
    return _once(request, who, key)


async def _required(request: Request, who: CallerOf, key: RequiredKey) -> Once:
    return _once(request, who, key)


OnceOf = Annotated[Once, Depends(_optional)]
OnceWithKey = Annotated[Once, Depends(_required)]
