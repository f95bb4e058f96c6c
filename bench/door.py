"""The public API for a load driver: one kept connection a thread and as little work of its own as can be."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.parse
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.http.neighbors.carrier_secrets import LocalSecrets
from gateway.http.neighbors.signatures import sign
from services.runtime.auth import LocalIssuer

TIMEOUT_S = 60.0


class Unexpected(Exception):
    """The system answered something that the load does not expect; the message is its answer."""


class Door:
    """Requests of every role; may be shared by threads. `requests` counts them by method and first path segment."""

    def __init__(self, url: str, var: Path) -> None:
        self._address = urllib.parse.urlsplit(url).netloc
        self._issuer = LocalIssuer(var / "keys")
        self._secrets = LocalSecrets(var / "keys")
        self._tokens: dict[str, str] = {}
        self._own = threading.local()
        self.requests: Counter[str] = Counter()

    def get(self, role: str, path: str, **query: str | int) -> Any:
        """One document."""
        return self.ask("GET", f"{path}?{urllib.parse.urlencode(query)}", self._authorization(role))

    def post(self, role: str, path: str, body: Any = None) -> Any:
        """A new request under a key of its own."""
        headers = {**self._authorization(role), "Idempotency-Key": uuid.uuid4().hex}
        return self.ask("POST", path, headers, None if body is None else json.dumps(body).encode())

    def carrier_says(self, carrier: str, tracking_number: str, status: str) -> Any:
        """A signed webhook of a carrier."""
        now = datetime.now(UTC)
        event = {"tracking_number": tracking_number, "status": status, "occurred_at": now.isoformat()}
        body = json.dumps(event).encode()
        headers = sign(self._secrets[carrier], f"evt_{uuid.uuid4().hex}", now, body)
        return self.ask("POST", f"/v1/webhooks/carriers/{carrier}", headers, body)

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Any:
        """The document of a good answer; raises Unexpected for any other."""
        self.requests[f"{method} /v1/{path.split('?', 1)[0].split('/')[2]}"] += 1
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        try:
            answer = self._send(method, path, headers, body)
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            # the server closes a connection that was quiet for long; what we send carries a key, so twice is once
            self._connection().close()
            answer = self._send(method, path, headers, body)
        document = answer.read()
        if answer.status >= 300:
            raise Unexpected(f"{method} {path}: {answer.status} {document[:500].decode(errors='replace')}")
        return json.loads(document)

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> http.client.HTTPResponse:
        connection = self._connection()
        connection.request(method, path, body, headers)
        return connection.getresponse()

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT_S)
        connection: http.client.HTTPConnection = self._own.connection
        return connection

    def _authorization(self, role: str) -> dict[str, str]:
        if role not in self._tokens:
            token = self._issuer.token(sub=f"{role}@bench", roles=[role], ttl=timedelta(hours=1))
            self._tokens[role] = f"Bearer {token}"
        return {"Authorization": self._tokens[role]}
