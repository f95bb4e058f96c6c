"""Signed events, sent to a webhook until it has taken them; tests send them late, twice, or not at all."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading

import httpx

from services.billing.fake_stripe.state import Document, State
from services.kernel.clock import Clock

_POLL_S = 2.0
_WITHIN_S = 10.0


def sign(secret: str, body: bytes, timestamp: int) -> str:
    """The Stripe-Signature header: HMAC-SHA256 over "timestamp.body", scheme v1."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class Sender:
    """Posts events in the order in which they came about; with `is_held` it keeps them until somebody posts them by hand."""

    def __init__(self, state: State, url: str, secret: str, clock: Clock) -> None:
        self.url, self.secret, self.clock = url, secret, clock
        self.is_held = not url
        self._state = state
        self._due, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="stripe-events")

    def start(self) -> None:
        """Send from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._over.set()
        self._due.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_WITHIN_S + 1)

    def wake(self) -> None:
        """There may be something to send."""
        self._due.set()

    def all(self) -> list[Document]:
        """Every event so far, oldest first."""
        return self._state.events()

    def post(self, event: Document) -> int:
        """Send one event, sent before or not; gives the status of the answer."""
        body = json.dumps(event).encode()
        headers = {
            "content-type": "application/json",
            "stripe-signature": sign(self.secret, body, int(self.clock().timestamp())),
        }
        return httpx.post(self.url, content=body, headers=headers, timeout=_WITHIN_S, trust_env=False).status_code

    def _run(self) -> None:
        while not self._over.is_set():
            self._due.wait(timeout=_POLL_S)
            self._due.clear()
            self._send_unsent()

    def _send_unsent(self) -> None:
        if self.is_held:
            return
        for event in self._state.events(is_unsent=True):
            if self._over.is_set():
                return
            try:
                status = self.post(event)
            except httpx.HTTPError:
                return  # nobody listens yet: the next round tries again
            if status >= 300:
                return
            self._state.mark_sent(event["id"])
