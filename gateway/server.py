"""The HTTP server of the orders process: its thread, and what a connection may take of it.

uvicorn waits for ever for the head and the body of a request, and for a reader of its answer; here each has a deadline, and
connections are counted, altogether and by address.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.http.plumbing import problems
from services.runtime.grpc_server import AddressTaken

log = structlog.get_logger()

MAX_HEAD_BYTES = 64 << 10
_FLUSHED_WITHIN_S = 5.0
_TOO_SLOW = "REQUEST_TOO_SLOW"
_WITH_FILES = re.compile(rb"(/v1|/my)?/returns/[^/]+/photos|(/my)?/orders/[^/]+/return")
"""Where photos are sent: ten of them take a phone minutes."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long each part of a request may take, in seconds, and how many connections are kept.

    `idle_s` is longer than clients keep theirs (httpx 5 s, a load balancer 60 s): who gives up first is never surprised, and a
    request that meets the server's closing is lost.
    """

    head_s: float = 10.0
    body_s: float = 30.0
    files_s: float = 180.0
    read_s: float = 60.0
    idle_s: int = 75
    connections: int = 1000
    per_address: int = 200


class Connections:
    """Those that are open, by address. One event loop uses it."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._open: Counter[str] = Counter()

    def admit(self, address: str) -> bool:
        """Count one more, unless there are too many."""
        if self._open.total() >= self._bounds.connections or self._open[address] >= self._bounds.per_address:
            return False
        self._open[address] += 1
        return True

    def release(self, address: str) -> None:
        """One less."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed, with a sentence, when it takes too long or is one too many."""

    def __init__(self, *args: Any, bounds: Bounds, connections: Connections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bounds = bounds
        self._connections = connections
        self._address = ""
        self._is_admitted = False
        self._deadline: asyncio.TimerHandle | None = None
        self._reader: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Admit it, and wait for its first request."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._is_admitted = self._connections.admit(self._address)
        if not self._is_admitted:
            log.warning("connection.refused")
            self._refuse(503, "TOO_MANY_CONNECTIONS", "there are too many connections: close some, or try again later")
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._set_deadline(None)
        self._set_reader(None)
        if self._is_admitted:
            self._is_admitted = False
            self._connections.release(self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Whatever comes, even an empty line, begins a request that must then be sent in time."""
        if self.transport.is_closing():
            return
        if self._deadline is None and self._unanswered() is None:
            self._await_head()
        self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(431, "HEAD_TOO_LARGE", f"address and headers have at most {MAX_HEAD_BYTES} bytes: send less")

    def send_400_response(self, _msg: str) -> None:
        """What came is no HTTP."""
        self._refuse(400, "MALFORMED_REQUEST", "the request could not be read: send valid HTTP")

    def on_message_begin(self) -> None:
        """A request begins, perhaps behind another one."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """The head is there: wait for the body."""
        self._is_in_head = False
        self._set_deadline(self._body_s())
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All is there: how long the answer takes is ours."""
        self._set_deadline(None)
        self._head_bytes = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Whoever asked does not read the answer."""
        super().pause_writing()
        self._set_reader(self._bounds.read_s)

    def resume_writing(self) -> None:
        """They do."""
        super().resume_writing()
        self._set_reader(None)

    def _await_head(self) -> None:
        self._is_in_head = True
        self._set_deadline(self._bounds.head_s)

    def _set_deadline(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._expire) if seconds is not None else None

    def _set_reader(self, seconds: float | None) -> None:
        if self._reader is not None:
            self._reader.cancel()
        self._reader = self.loop.call_later(seconds, self.transport.abort) if seconds is not None else None

    def _expire(self) -> None:
        self._deadline = None
        seconds = self._bounds.head_s if self._is_in_head else self._body_s()
        part = "the head" if self._is_in_head else "the body"
        self._refuse(408, _TOO_SLOW, f"{part} of the request did not come within {seconds:g} s: send it again at once")

    def _body_s(self) -> float:
        has_files = _WITH_FILES.fullmatch(self.url.partition(b"?")[0])
        return self._bounds.files_s if has_files else self._bounds.body_s

    def _unanswered(self) -> RequestResponseCycle | None:
        """The newest request that is not answered, others may wait before it; uvicorn has none at first, whatever its types say."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle if cycle is not None and not cycle.response_complete else None

    def _is_answering(self) -> bool:
        """Whether an answer to a request before the one that comes now, or to this one, is under way or owed."""
        newest = self._unanswered()
        return newest is not None and (self._is_in_head or bool(self.pipeline) or newest.response_started)

    def _refuse(self, status: int, code: str, sentence: str) -> None:
        """Say why and close; where an answer is owed only close, for what is said would be part of that, or be taken for it."""
        self._set_deadline(None)
        is_answering, newest = self._is_answering(), self._unanswered()
        if newest is not None:
            newest.disconnected = True
            newest.message_event.set()
        if is_answering or self.transport.is_closing():
            self.transport.abort()
            return
        self.transport.write(_response(status, code, sentence))
        self.transport.close()
        self.loop.call_later(_FLUSHED_WITHIN_S, self.transport.abort)


def _response(status: int, code: str, sentence: str) -> bytes:
    body = bytes(problems.answer(status, code, sentence).body)
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"content-type: {problems.MEDIA_TYPE}",
        f"content-length: {len(body)}",
        f"retry-after: {problems.RETRY_AFTER_S}",
        "connection: close",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class HttpServer:
    """The public API in a thread beside gRPC; the address is taken when it is made, so a taken port is said at once."""

    def __init__(self, app: FastAPI, listen: str, bounds: Bounds | None = None) -> None:
        host, _, port = listen.rpartition(":")
        bounds = bounds or Bounds()
        protocol = partial(BoundedProtocol, bounds=bounds, connections=Connections(bounds))
        config = uvicorn.Config(app, host=host, port=int(port), log_config=None, access_log=False, lifespan="off")
        config.http = protocol  # type: ignore[assignment]  # it is called, as a class is
        config.timeout_graceful_shutdown = 5
        config.timeout_keep_alive = bounds.idle_s
        self._server = uvicorn.Server(config)
        try:
            self._socket = config.bind_socket()
            self._socket.listen(config.backlog)  # two may bind it, one listens; who connects now waits for start()
        except (SystemExit, OSError) as taken:
            sentence = f"cannot listen on {listen}: another process has the port; stop it or set OMS_HTTP_LISTEN"
            raise AddressTaken(sentence) from taken
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True, name="http")

    @property
    def port(self) -> int:
        """The port in use; 0 in the setting chooses a free one."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def stop(self) -> None:
        """Let running requests finish, then end."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=8)
        self._socket.close()
