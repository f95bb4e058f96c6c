"""The stand-in as an HTTP server: AvaTax's path, its basic authentication and its error bodies; and switches for tests."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from services.orders.fake_avatax.calculation import RATES, Fault, Rates, transaction

PATH = "/api/v2/transactions/create"
_LARGEST = 8 << 20
_SLOW_S = 10.0


class FakeAvaTax:
    """The server on one address; port 0 chooses a free one. `asked` are the documents that it was asked for.

    `wrong` says what goes wrong with each request until it is cleared: "away" ends the connection before an answer, "error" is a
    500, "slow" waits until `released` is set, at most ten seconds, "drip" sends its answer byte by byte, and "garbage" answers with
    the bytes of `garbage`.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, key: str = "", rates: Rates = RATES) -> None:
        self.key = key
        self.rates = rates
        self.wrong = ""
        self.garbage = b""
        self.released = threading.Event()
        self.asked: list[dict[str, Any]] = []
        self._server = _Server((host, port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True, name="avatax")

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self.released.set()
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()

    def handle(self, path: str, authorization: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and document of an answer."""
        try:
            self._check_key(authorization)
            if path != PATH:
                raise Fault(404, "EntityNotFoundError", "There is no such resource.")
            asked = json.loads(body)
            self.asked.append(asked)
            return 201, transaction(asked, self.rates)
        except Fault as fault:
            return fault.status, fault.body
        except (ValueError, KeyError, ArithmeticError):
            return 400, Fault(400, "JsonConversionError", "The JSON that was posted cannot be converted.").body

    def _check_key(self, authorization: str) -> None:
        expected = base64.b64encode(self.key.encode()).decode()
        if self.key and authorization != f"Basic {expected}":
            raise Fault(401, "AuthenticationException", "Authentication failed.")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


def _handler(fake: FakeAvaTax) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """A connection to this stand-in."""

        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self) -> None:  # the library's name
            """Calculate."""
            body = self.rfile.read(min(int(self.headers.get("Content-Length", 0) or 0), _LARGEST))
            wrong = fake.wrong
            self.close_connection = bool(wrong)
            if wrong == "away":
                return
            if wrong == "slow":
                fake.released.wait(_SLOW_S)
            if wrong == "error":
                self._send(500, b'{"error": {"code": "ServerConfiguration", "message": "Something went wrong."}}')
                return
            if wrong == "garbage":
                self._send(200, fake.garbage)
                return
            status, answer = fake.handle(self.path, self.headers.get("Authorization", ""), body)
            self._send(status, json.dumps(answer).encode(), drips=wrong == "drip")

        def _send(self, status: int, content: bytes, *, drips: bool = False) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for part in (content[at : at + 1] for at in range(len(content))) if drips else (content,):
                try:
                    self.wfile.write(part)
                except OSError:  # who asked has gone
                    return
                if drips and fake.released.wait(0.1):
                    return

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Say nothing: a line a request is no news."""

    return Handler
