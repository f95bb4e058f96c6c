"""The transport of a client who asks again until there is an answer, or the system is lost."""

from __future__ import annotations

import time
from collections import Counter

import httpx

from tests.faults.health import Health

PATIENCE_S = 40.0
_RETRY_EVERY_S = 0.1
_TRY_S = 30.0
_LAST_TRY_S = 10.0


class Patient(httpx.BaseTransport):
    """Sends a request again, the same to the byte and so with the same Idempotency-Key, while nobody answers or 503 comes.

    Counts every answer by its status; "no answer" where the connection broke. Who has asked in vain for `patience_s` reports the
    system as lost: from then on this and every other client of it raises SystemLost at once.
    """

    def __init__(
        self,
        answers: Counter[int | str],
        health: Health,
        *,
        wire: httpx.BaseTransport | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._answers = answers
        self._health = health
        self._wire = wire or httpx.HTTPTransport()
        self._patience_s = patience_s

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask until there is an answer, for as long as a person would."""
        deadline = time.monotonic() + self._patience_s
        while True:
            self._health.check()
            response, said = self._ask(request, deadline - time.monotonic())
            if response is not None and response.status_code != 503:
                return response
            if time.monotonic() > deadline:
                what = f"{request.method} {request.url.path}"
                raise self._health.report(f"{what} was asked in vain for {self._patience_s:g} s: {said}")
            time.sleep(_RETRY_EVERY_S)

    def _ask(self, request: httpx.Request, left_s: float) -> tuple[httpx.Response | None, str]:
        """One try: the response, if one came whole, and what was said."""
        within_s = min(_TRY_S, max(_LAST_TRY_S, left_s))
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), within_s)
        try:
            response = self._wire.handle_request(request)
            response.read()  # whoever is killed in the middle of its answer has not answered
        except httpx.TransportError as absence:
            self._answers["no answer"] += 1
            return None, repr(absence)
        self._answers[response.status_code] += 1
        return response, f"{response.status_code} {response.text}"

    def close(self) -> None:
        """Close every connection."""
        self._wire.close()
