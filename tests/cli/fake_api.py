"""A fake of the public API over real HTTP: prepared answers, and a list of what was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class FakeApi:
    """`answers` holds, by "METHOD /path", a list of (status, document); the last one stays. `headers` are sent beside them."""

    answers: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def on(self, request: str, document: Any, status: int = 200) -> None:
        """Answer a request; called again for the same one, the answers follow one another."""
        self.answers.setdefault(request, []).append((status, document))

    def page(self, request: str, *rows: Any, next_cursor: str | None = None) -> None:
        """Answer with one page of a list."""
        self.on(request, {"rows": list(rows), "next_cursor": next_cursor})

    def take(self, request: str) -> tuple[int, Any]:
        """The next answer to a request."""
        prepared = self.answers.get(request)
        if not prepared:
            return 404, {"code": "UNKNOWN_PATH", "detail": f"nothing is prepared for {request}"}
        return prepared.pop(0) if len(prepared) > 1 else prepared[0]


@contextmanager
def serving() -> Iterator[FakeApi]:
    """A fake API on a free port for the time of a test."""
    api = FakeApi()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server finds its methods by these names
            self._answer("GET")

        def do_POST(self) -> None:  # see above
            self._answer("POST")

        def do_PUT(self) -> None:  # see above
            self._answer("PUT")

        def do_DELETE(self) -> None:  # see above
            self._answer("DELETE")

        def _answer(self, method: str) -> None:
            target = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            is_file = self.headers.get("Content-Type") == "application/octet-stream"
            sent = self.rfile.read(length)
            body = sent if is_file else json.loads(sent) if length else None
            query = {name: values[0] for name, values in parse_qs(target.query).items()}
            api.asked.append(Asked(method, target.path, query, dict(self.headers), body))
            status, document = api.take(f"{method} {target.path}")
            is_stream = isinstance(document, str)
            payload = document.encode() if is_stream else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream" if is_stream else "application/json")
            self.send_header("Content-Length", str(len(payload)))
            for name, value in api.headers.get(f"{method} {target.path}", {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
