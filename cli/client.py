"""The door to the public HTTP API: a token for each call, refusals as sentences."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from email.message import Message
from pathlib import Path, PurePath
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer

from cli import statefile
from cli.ports import Ports
from cli.refusals import CommandRefused, NotRunning
from services.kernel.ids import uuid7
from services.runtime.auth import LocalIssuer, UnsafeConfiguration

VarOption = Annotated[Path, typer.Option("--var", envvar="OMS_VAR", help="Folder of the running system.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="Show at most this many.")]

VAR = Path("var")
_TIMEOUT_S = 30.0
_SILENT_S = 60.0  # a stream that lives says so every 15 s
_PAGE = 200
_TOKEN_FOR = timedelta(minutes=30)
_KEY = re.compile(r"[!-~]{1,128}")


class Refusal(CommandRefused):
    """The system said no: `code` is its stable reason, `status` the HTTP status."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class Api:
    """The public API as one principal: the person at this machine, in the role that a command needs.

    OMS_URL and OMS_TOKEN reach another system, or act as somebody else here.
    """

    def __init__(
        self,
        var: Path,
        role: str,
        *,
        company: str | None = None,
        sub: str | None = None,
        client: httpx.Client | None = None,
    ) -> None:
        """`role`, for a customer `company`, and `sub` when somebody is named are what the local issuer puts into the token."""
        self.url = base_url(var)
        self._client = client or httpx.Client(base_url=self.url, timeout=_TIMEOUT_S, trust_env=False)
        given = _given_token()
        # a token a request: a command that watches an order lives longer than any of them
        self._token: Callable[[], str] = lambda: given or local_token(var, role, company=company, sub=sub)
        self._token()  # what cannot be signed is refused before anything is asked

    def get(self, path: str, **query: Any) -> Any:
        """One document. Query values that are None are left out."""
        return self._document(self._ask("GET", path, params=_given(query)))

    def file(self, path: str) -> tuple[bytes, str]:
        """One document that is no JSON, and the name of a file that its sender gives it; empty without one."""
        answer = self._ask("GET", path)
        said = Message()
        said["Content-Disposition"] = answer.headers.get("Content-Disposition", "")
        return answer.content, PurePath(said.get_filename("").replace("\\", "/")).name

    def rows(self, path: str, limit: int, **query: Any) -> list[dict[str, Any]]:
        """At most `limit` rows of a list, over as many pages as it takes."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while len(found) < limit:
            page = self.get(path, **query, limit=min(_PAGE, limit - len(found)), cursor=cursor)
            found += page["rows"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        return found

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Do something; without a key of the caller's own, each call is a new request."""
        sent = {"Idempotency-Key": _sendable(key) if key else f"oms-{uuid7().hex}"}
        return self._document(self._ask("POST", path, json=body, headers=sent))

    def put(self, path: str, body: Any) -> Any:
        """Put something in its place; the same again changes nothing."""
        return self._document(self._ask("PUT", path, json=body))

    def send(self, path: str, content: bytes) -> Any:
        """Send a file as the body."""
        sent = {"Idempotency-Key": f"oms-{uuid7().hex}", "Content-Type": "application/octet-stream"}
        return self._document(self._ask("POST", path, content=content, headers=sent))

    def delete(self, path: str) -> None:
        """Take something away."""
        self._ask("DELETE", path)

    @contextmanager
    def stream(self, path: str, last_event_id: str | None = None) -> Iterator[httpx.Response]:
        """An open stream of server-sent events; raises NotRunning when it cannot be opened or breaks."""
        headers = {**self._bearer(), **({"Last-Event-ID": last_event_id} if last_event_id else {})}
        try:
            with self._client.stream(
                "GET", path, headers=headers, timeout=httpx.Timeout(_TIMEOUT_S, read=_SILENT_S)
            ) as answer:
                if answer.is_error:
                    answer.read()
                yield _checked(answer)
        except httpx.TransportError as broken:
            raise _not_running() from broken

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token()}"}

    def _document(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError as foreign:
            raise CommandRefused(
                f"{answer.request.url} answered {answer.status_code} and no JSON: is {self.url} the address of an OMS?"
            ) from foreign

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **request: Any) -> httpx.Response:
        if request.get("json") is None:
            request.pop("json", None)
        try:
            return _checked(
                self._client.request(method, path, headers={**self._bearer(), **(headers or {})}, **request)
            )
        except httpx.ConnectError as nobody:
            raise _not_running() from nobody
        except httpx.TransportError as broken:
            raise CommandRefused(
                f"{self.url} did not answer ({broken}): try again, or look at `oms status`"
            ) from broken


def base_url(var: Path) -> str:
    """OMS_URL, or where the system in this folder listens; with a token of one's own also the default address.

    NotRunning when nothing runs in the folder: what listens where it once did is another system.
    """
    if url := os.environ.get("OMS_URL"):
        return _address(url)
    if statefile.supervisor_pid(var) is None and "OMS_TOKEN" not in os.environ:
        raise NotRunning
    state = statefile.read(var)
    return str(state["url"]) if state and "url" in state else f"http://127.0.0.1:{Ports().http}"


def local_token(
    var: Path, role: str, *, company: str | None = None, sub: str | None = None, ttl: timedelta = _TOKEN_FOR
) -> str:
    """A token of the local issuer; CommandRefused when the role needs something more, or there are no keys here."""
    keys = var / "keys"
    if not keys.is_dir():
        raise NotRunning
    try:
        issuer = LocalIssuer(keys)
    except (ValueError, UnsafeConfiguration) as damage:
        raise CommandRefused(
            f"the key {keys / 'people.pem'} cannot be used: restore a backup of it, or remove it and start the system again"
        ) from damage
    try:
        return issuer.token(sub=sub or default_sub(), roles=[role], company=company, ttl=ttl)
    except ValueError as refusal:
        raise CommandRefused(str(refusal)) from refusal


def segment(word: str) -> str:
    """A name, number or id as one part of a path; refused when it can be none, such as an empty one."""
    if not word.strip() or "/" in word or word in (".", "..") or not word.isprintable():
        raise CommandRefused(f"{word!r} is no name, number or id: check what was typed")
    return quote(word, safe="")


def default_sub() -> str:
    """Who acts when nobody is named: the user of this machine."""
    return f"{getpass.getuser()}@cli"


def events(lines: Iterator[str]) -> Iterator[tuple[str, str, str]]:
    """(id, event, data) of each server-sent event; comments and keep-alives are skipped."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
        else:
            if "data" in fields:
                yield fields.get("id", [""])[-1], fields.get("event", ["message"])[-1], "\n".join(fields["data"])
            fields = {}


def _address(url: str) -> str:
    try:
        parsed = httpx.URL(url.rstrip("/"))
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise CommandRefused(f"OMS_URL is {url!r}, which is no address: write it as http://127.0.0.1:8000")
    return str(parsed)


def _given_token() -> str:
    token = os.environ.get("OMS_TOKEN", "").strip()
    if not (token.isascii() and token.isprintable()):
        raise CommandRefused("OMS_TOKEN holds no token: set it to what `oms token --role …` prints, or unset it")
    return token


def _not_running() -> NotRunning:
    return NotRunning(os.environ.get("OMS_URL", ""))


def _sendable(key: str) -> str:
    """The key, or a digest of one that no header can carry; the same key has the same digest."""
    return key if _KEY.fullmatch(key) else f"oms-{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _checked(answer: httpx.Response) -> httpx.Response:
    if not answer.is_error:
        return answer
    try:
        found = answer.json()
    except ValueError:
        found = None
    problem = found if isinstance(found, dict) else {}
    sentence = problem.get("detail") or f"{answer.request.url} answered {answer.status_code}"
    if answer.status_code == httpx.codes.UNAUTHORIZED and os.environ.get("OMS_TOKEN"):
        sentence += " (it is the one in OMS_TOKEN; `oms token --role …` prints a new one)"
    raise Refusal(answer.status_code, problem.get("code", ""), sentence + _field_problems(problem.get("errors", [])))


def _field_problems(errors: Sequence[Mapping[str, Any]]) -> str:
    return "".join(f"\n  {error.get('pointer')}: {error.get('detail')}" for error in errors)
