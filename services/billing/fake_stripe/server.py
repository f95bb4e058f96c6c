"""The stand-in as an HTTP server: Stripe's paths, form bodies, idempotency keys and error bodies; and switches for tests."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from services.billing.fake_stripe.events import Sender
from services.billing.fake_stripe.faults import Fault, invalid, missing, public
from services.billing.fake_stripe.intents import Intents
from services.billing.fake_stripe.page import render
from services.billing.fake_stripe.sessions import Sessions
from services.billing.fake_stripe.state import Document, State
from services.kernel.clock import Clock, utc_now

_LARGEST = 64 * 1024
_PAGE = re.compile(r"/c/pay/(\w+)")
_PART = re.compile(r"\[([^\]]*)\]")


@dataclass(slots=True)
class Switches:
    """What goes wrong with the next requests, for tests: `times` is how many of them.

    away: the connection ends before anything is done. drop: all is done and the answer is lost. error: a 500 before anything is
    done. refuse: a 400 before anything is done. slow: the answer waits until `released` is set, at most ten seconds.
    """

    kind: str = ""
    times: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def turn(self, kind: str, times: int = 1) -> None:
        """Let the next requests go wrong."""
        self.kind, self.times = kind, times

    def next(self) -> str:
        """What goes wrong with this request."""
        if self.times <= 0:
            return ""
        self.times -= 1
        return self.kind


class FakeStripe:
    """The server on one address; port 0 chooses a free one. `requests` counts what it was asked, by method and path.

    What is asked of `refused_paths` (beginnings of method and path) is refused, for tests.
    """

    def __init__(
        self,
        file: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        key: str = "",
        webhook_url: str = "",
        webhook_secret: str = "",
        clock: Clock = utc_now,
    ) -> None:
        self.state = State(file)
        self.intents = Intents(self.state)
        self.sessions = Sessions(self.state, self.intents)
        self.clock = clock
        self.key = key
        self.switches = Switches()
        self.requests: list[str] = []
        self.refused_paths: set[str] = set()
        self.events = Sender(self.state, webhook_url, webhook_secret, clock)
        self._server = _Server((host, port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True, name="stripe")

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
        self.events.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join(timeout=10)
        self.events.stop()
        self._server.server_close()
        self.state.close()

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: str) -> tuple[int, Document]:
        """Status and body of an answer; what it does is on the disk with the answer that its key gets again."""
        url = urlsplit(target)
        asked = unfold(url.query if method == "GET" else body)
        try:
            self._check_key(headers)
            with self.state.transaction():
                if method == "GET":
                    return 200, self._read(url.path, asked, self.clock())
                return self._once(url.path, asked, headers.get("Idempotency-Key", ""))
        except Fault as fault:
            return fault.status, fault.body
        finally:
            self.events.wake()

    def visit(self, method: str, key: str, form: str) -> tuple[int, str]:
        """What a browser gets at the page of a session: 200 and a page, or 303 and where it goes on."""
        try:
            with self.state.transaction():
                refusal = self.sessions.enter(key, str(unfold(form).get("number", "")), self.clock()) if form else ""
                session = self.sessions.get(key, self.clock())
        except Fault as fault:
            return fault.status, "There is no such page."
        finally:
            self.events.wake()
        is_done = method == "POST" and not refusal
        return (303, str(session["success_url"])) if is_done else (200, render(session, refusal))

    def _check_key(self, headers: Mapping[str, str]) -> None:
        if self.key and headers.get("Authorization", "") != f"Bearer {self.key}":
            raise Fault(401, "invalid_request_error", "api_key_invalid", "Invalid API Key provided.")

    def _once(self, path: str, asked: Document, key: str) -> tuple[int, Document]:
        same = hashlib.sha256(json.dumps([path, asked], sort_keys=True).encode()).hexdigest()
        earlier = self.state.answer(key) if key else None
        if earlier is not None:
            if earlier[0] != same:
                words = (
                    "Keys for idempotent requests can only be used with the same parameters they were first used with."
                )
                raise Fault(400, "idempotency_error", "idempotency_key_in_use", words)
            return earlier[1], earlier[2]
        try:
            status, answer = 200, self._write(path, asked, self.clock())
        except Fault as fault:  # what was refused is remembered too, as what the refusal left behind
            status, answer = fault.status, fault.body
        if key:
            self.state.keep_answer(key, same, status, answer)
        return status, answer

    def _write(self, path: str, asked: Document, now: datetime) -> Document:
        intents, expand = self.intents, list(asked.get("expand", {}).values())
        if path == "/v1/payment_intents":
            return intents.expanded(intents.create(asked, now), expand)
        if path == "/v1/refunds":
            return intents.refund(asked, now)
        if path == "/v1/checkout/sessions":
            return public(self.sessions.create(asked, self.url, now))
        if found := re.fullmatch(r"/v1/checkout/sessions/(\w+)/expire", path):
            return public(self.sessions.expire(found[1], asked, now))
        if found := re.fullmatch(r"/v1/payment_intents/(\w+)/(capture|cancel)", path):
            act: Callable[..., Document] = getattr(intents, found[2])
            return intents.expanded(act(found[1], asked, now), expand)
        raise invalid("url_invalid", f"Unrecognized request URL (POST: {path}).", status=404)

    def _read(self, path: str, asked: Document, now: datetime) -> Document:
        if found := re.fullmatch(r"/v1/payment_intents/(\w+)", path):
            return self.intents.expanded(self.intents.get(found[1], now), list(asked.get("expand", {}).values()))
        if found := re.fullmatch(r"/v1/checkout/sessions/(\w+)", path):
            return self.sessions.expanded(self.sessions.get(found[1], now), list(asked.get("expand", {}).values()))
        if found := re.fullmatch(r"/v1/(refund|charge|payment_method)s/(\w+)", path):
            one = self.state.find(found[1], found[2])
            if one is None:
                raise missing(found[1], found[2])
            return public(one)
        kinds = {"payment_intents": "payment_intent", "refunds": "refund", "balance_transactions": "balance_transaction",
                 "disputes": "dispute"}  # fmt: skip
        kind = kinds.get(path.removeprefix("/v1/"))
        if kind is None:
            raise invalid("url_invalid", f"Unrecognized request URL (GET: {path}).", status=404)
        return self._page(path, kind, asked)

    def _page(self, path: str, kind: str, asked: Document) -> Document:
        rows = [row for row in self.state.all(kind) if _matches(row, asked)]
        after = asked.get("starting_after")
        if after:
            ids = [row["id"] for row in rows]
            rows = rows[ids.index(after) + 1 :] if after in ids else []
        limit = int(asked.get("limit", 10))
        return {
            "object": "list",
            "url": path,
            "data": [public(row) for row in rows[:limit]],
            "has_more": len(rows) > limit,
        }


def _matches(row: Document, asked: Document) -> bool:
    names = ("payment_intent", "source", "charge")
    if any(name in asked and row.get(name) != asked[name] for name in names):
        return False
    since = asked.get("created", {}).get("gte")
    return since is None or row["created"] >= int(since)


def unfold(form: str) -> Document:
    """A form body as Stripe's clients send it: "metadata[order]=SO-1" is {"metadata": {"order": "SO-1"}}."""
    found: Document = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        first, *rest = name.partition("[")[0], *_PART.findall(name)
        at: Any = found
        for part, following in zip([first, *rest], [*rest, None], strict=True):
            if following is None:
                at[part] = value
            else:
                at = at.setdefault(part, {})
    return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


class _Connection(BaseHTTPRequestHandler):
    """One connection: what is sent on it, and what was sent with a request."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def body(self) -> str:
        """What came with the request."""
        return self.rfile.read(min(int(self.headers.get("Content-Length", 0) or 0), _LARGEST)).decode()

    def send(self, status: int, answer: Document) -> None:
        """Answer a client."""
        self._write(status, "application/json", json.dumps(answer).encode())

    def show(self, status: int, said: str) -> None:
        """Answer a browser, with a page or where it goes on."""
        self._write(status, "text/html; charset=utf-8", said.encode(), said if status == 303 else "")

    def _write(self, status: int, kind: str, content: bytes, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Say nothing: a line a request is no news."""


def _handler(fake: FakeStripe) -> type[BaseHTTPRequestHandler]:
    class Handler(_Connection):
        """A connection to this stand-in."""

        def do_GET(self) -> None:  # the library's name
            """Read."""
            self._answer("GET")

        def do_POST(self) -> None:  # the library's name
            """Write."""
            self._answer("POST")

        def _answer(self, method: str) -> None:
            body, path = self.body(), urlsplit(self.path).path
            if page := _PAGE.fullmatch(path):
                self.show(*fake.visit(method, page[1], body))
                return
            fake.requests.append(f"{method} {path}")
            is_refused = fake.requests[-1].startswith(tuple(fake.refused_paths))
            wrong = "refuse" if is_refused else fake.switches.next()
            self.close_connection = wrong in ("away", "drop")
            if wrong == "away":
                return
            if wrong == "error":
                self.send(500, {"error": {"type": "api_error", "message": "Something went wrong on our end."}})
                return
            if wrong == "refuse":
                self.send(400, invalid("request_refused", "The request was refused.").body)
                return
            if wrong == "slow":
                fake.switches.released.wait(timeout=10)
            status, answer = fake.handle(method, self.path, dict(self.headers.items()), body)
            if wrong != "drop":
                self.send(status, answer)

    return Handler
