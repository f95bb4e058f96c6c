"""The public HTTP API as the day's people use it: each with an own token, and carriers with signed webhooks."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from gateway.http.neighbors.carrier_secrets import LocalSecrets
from gateway.http.neighbors.signatures import sign
from services.runtime.auth import LocalIssuer

Row = dict[str, Any]

_TRIES = 6
_PAGE = 200


class Refusal(Exception):
    """The system said no; the message is its own sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class Unanswered(Exception):
    """Nobody answers there; the message says where."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A document, its status, and whether it is the stored answer of an earlier request under the same key."""

    status: int
    document: Any
    is_replay: bool


class Door:
    """The system at one address; tokens and webhook secrets come from the keys of its folder."""

    def __init__(self, base_url: str, var: Path) -> None:
        self.base_url = base_url.rstrip("/")
        self._client = httpx.Client(base_url=self.base_url, timeout=20.0, trust_env=False)
        self._issuer = LocalIssuer(var / "keys")
        self._secrets = LocalSecrets(var / "keys")
        self._people: dict[tuple[str, str, str | None], Person] = {}

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def person(self, role: str, sub: str, company: str | None = None) -> Person:
        """Somebody with one role; a customer belongs to a company."""
        who = (role, sub, company)
        if who not in self._people:
            token = self._issuer.token(sub=sub, roles=[role], company=company, ttl=timedelta(hours=1))
            self._people[who] = Person(self, {"Authorization": f"Bearer {token}"})
        return self._people[who]

    def carrier_says(self, carrier: str, event_id: str, event: Mapping[str, Any]) -> Row:
        """A carrier's webhook: the body is signed with the secret that it shares with us."""
        body = json.dumps(event).encode()
        headers = sign(self._secrets[carrier], event_id, datetime.now(UTC), body)
        headers["content-type"] = "application/json"
        answer = self.ask("POST", f"/v1/webhooks/carriers/{carrier}", headers=headers, content=body)
        document: Row = answer.json()
        return document

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """One request; busy and unreachable are tried again as a patient client does. Raises Refusal or Unanswered."""
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(0.2 * 2**attempt)
            try:
                answer = self._client.request(method, path, **request)
            except httpx.TransportError:
                continue
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return _checked(answer)
        raise Unanswered(f"{self.base_url}{path} does not answer: look at `oms status`")


class Person:
    """Somebody at the door with a token."""

    def __init__(self, door: Door, headers: Mapping[str, str]) -> None:
        self._door = door
        self._headers = headers

    def get(self, path: str, **query: str | int) -> Any:
        """One document."""
        return self._door.ask("GET", path, headers=self._headers, params=query).json()

    def rows(self, path: str, **query: str | int) -> list[Row]:
        """All rows of a list, page by page."""
        found: list[Row] = []
        cursor = ""
        while True:
            page = self.get(path, **query, limit=_PAGE, **({"cursor": cursor} if cursor else {}))
            found += page["rows"]
            cursor = page.get("next_cursor") or ""
            if not cursor:
                return found

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        """Do something; with a key it is done once however often it is sent."""
        headers = {**self._headers, **({"Idempotency-Key": key} if key else {})}
        request: dict[str, Any] = {} if body is None else {"json": body}
        answer = self._door.ask("POST", path, headers=headers, **request)
        is_replay = answer.headers.get("Idempotent-Replayed") == "true"
        return Answer(answer.status_code, answer.json(), is_replay)

    def put(self, path: str, body: Any) -> Answer:
        """Put something in its place; the same again changes nothing."""
        answer = self._door.ask("PUT", path, headers=self._headers, json=body)
        return Answer(answer.status_code, answer.json(), is_replay=False)


def _checked(answer: httpx.Response) -> httpx.Response:
    if not answer.is_error:
        return answer
    try:
        problem = answer.json()
    except json.JSONDecodeError:
        problem = {}
    sentence = problem.get("detail") or f"{answer.request.url} answered {answer.status_code}"
    fields = "; ".join(f"{each.get('pointer')}: {each.get('detail')}" for each in problem.get("errors", []))
    raise Refusal(answer.status_code, problem.get("code", ""), f"{sentence} {fields}".strip())
