"""The keys by which an OIDC provider signs people's tokens: asked for again and again, so that one it withdraws is soon no key here."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jwt
import structlog

from services.runtime.grpc_client import Unreachable

if TYPE_CHECKING:
    import httpx

FRESH_S = 25.0
"""How long the provider's keys count without being asked for again."""
RETRY_S = 5.0
"""How long a provider that is away is left alone."""
STALE_S = 600.0
"""How long its last keys count while it is away: people go on working, and a thief who cuts the line gains minutes."""
MAX_ANSWER = 1 << 20
"""Bytes of an answer: a hundred times what providers say."""
_TIMEOUT_S = 3.0
_AS_IT_IS = {"Accept-Encoding": "identity"}  # a packed answer would be bounded only before it is unpacked
_AWAY = "the identity provider does not answer, so nobody can be known here: try again in a moment"
_NOT_ASKED = "the identity provider cannot be asked for the key of this token: try again in a moment"

log = structlog.get_logger()

Keys = Mapping[str, Any]
"""Key id → public key."""


class ProviderAway(Unreachable):
    """The identity provider does not answer, and none of its keys is known or not the one that is wanted; the message is for people."""


class NoAnswer(Exception):
    """The provider gave nothing that can be read."""


@dataclass(frozen=True, slots=True)
class _Held:
    keys: Keys
    asked_at: float
    fresh_until: float


class OidcKeys:
    """The signing keys of a provider, found by discovery. Threads share it; one asks while the others use what is known."""

    def __init__(
        self, issuer: str, fetch: Callable[[str], Keys] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer = issuer
        self._fetch = fetch or fetch_keys
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._again_at = float("-inf")
        self._has_answered = False

    def key(self, token: str) -> tuple[Any, float]:
        """The key that the token names, and how many seconds it may be trusted.

        KeyError for one that the provider said it has not; ProviderAway while it is not known whether it has.
        """
        kid = str(jwt.get_unverified_header(token)["kid"])
        held = self._current()
        if kid not in held.keys:
            held = self._current(asked_after=held.asked_at)
            if kid not in held.keys and not self._has_answered:
                raise ProviderAway(_NOT_ASKED)
        return held.keys[kid], held.fresh_until - self._clock()

    def _current(self, asked_after: float = float("-inf")) -> _Held:
        """What is fresh; with `asked_after` only what was asked for later, unless the provider was asked just now."""
        held = self._held
        if held is not None and self._is_enough(held, asked_after):
            return held
        # whoever has keys does not wait for one that asks
        if not self._lock.acquire(blocking=held is None, timeout=2 * _TIMEOUT_S if held is None else -1):
            return self._or_away(held)
        try:
            held = self._held
            if held is not None and self._is_enough(held, asked_after):
                return held
            if self._clock() < self._again_at:
                return self._or_away(held)
            self._again_at = self._clock() + RETRY_S
            return self._ask(held)
        finally:
            self._lock.release()

    def _is_enough(self, held: _Held, asked_after: float) -> bool:
        return self._clock() < held.fresh_until and held.asked_at > asked_after

    def _or_away(self, held: _Held | None) -> _Held:
        if held is None or self._clock() - held.asked_at > STALE_S:
            raise ProviderAway(_AWAY)
        return held if held.fresh_until > self._clock() else replace(held, fresh_until=self._clock() + RETRY_S)

    def _ask(self, held: _Held | None) -> _Held:
        self._has_answered = False
        try:
            keys = self._fetch(self.issuer)
        except NoAnswer as absence:
            log.warning("provider.away", error=str(absence))
            return self._or_away(held)
        self._held = _Held(keys, self._clock(), self._clock() + FRESH_S)
        self._has_answered = True
        return self._held


def fetch_keys(issuer: str) -> Keys:
    """Ask the provider where its keys are, and for them; NoAnswer for anything that is none."""
    import httpx

    try:
        discovered = _document(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        found = jwt.PyJWKSet.from_dict(_document(str(discovered["jwks_uri"]))).keys
    except (httpx.HTTPError, httpx.InvalidURL, jwt.PyJWTError, ValueError, KeyError, TypeError) as absence:
        raise NoAnswer(f"{type(absence).__name__}: {absence}"[:200]) from absence
    return {str(each.key_id): each.key for each in found if each.key_id and each.public_key_use in {"sig", None}}


def _document(address: str) -> dict[str, Any]:
    answer: dict[str, Any] = ask("GET", address, _TIMEOUT_S).raise_for_status().json()
    return answer


def ask(method: str, address: str, within_s: float, form: Mapping[str, str] | None = None) -> httpx.Response:
    """The whole answer within the time; httpx.HTTPError when it takes longer or is longer than MAX_ANSWER. For threads, not for event loops."""
    import httpx

    async def answered() -> httpx.Response:
        try:
            async with asyncio.timeout(within_s), httpx.AsyncClient(timeout=within_s) as client:
                return await _whole(client, client.build_request(method, address, data=form, headers=_AS_IT_IS))
        except TimeoutError as late:
            raise httpx.ReadTimeout(f"{address} has not answered within {within_s:g} s") from late

    with closing(asyncio.new_event_loop()) as loop:
        return loop.run_until_complete(answered())


async def _whole(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    import httpx

    answer = await client.send(request, stream=True)
    try:
        content = bytearray()
        async for part in answer.aiter_raw():
            content += part
            if len(content) > MAX_ANSWER:
                raise httpx.ReadError(f"the answer of {request.url} is longer than {MAX_ANSWER} bytes")
    finally:
        await answer.aclose()
    return httpx.Response(answer.status_code, content=bytes(content), request=request)
