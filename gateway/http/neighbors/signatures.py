"""Signed webhooks (Standard Webhooks): HMAC-SHA256 over id, timestamp and body, with a key that both sides know."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta

from gateway.http.plumbing.problems import ApiError

TOLERANCE = timedelta(minutes=5)
_PREFIX = "whsec_"


def sign(secret: str, webhook_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The three headers a sender adds; `secret` is "whsec_" and base64, `sent_at` an aware instant."""
    timestamp = str(int(sent_at.timestamp()))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{_signature(secret, webhook_id, timestamp, body)}",
    }


def verify(secret: str | None, webhook_id: str, timestamp: str, signatures: str, body: bytes, now: datetime) -> None:
    """Raise ApiError 401 unless one of the space-separated signatures is good and the timestamp is near `now`."""
    if not webhook_id or not timestamp or not signatures:
        raise ApiError(
            401, "SIGNATURE_MISSING", "sign the webhook: send webhook-id, webhook-timestamp, webhook-signature"
        )
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise ApiError(401, "TIMESTAMP_REFUSED", "webhook-timestamp counts whole seconds since 1970")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise ApiError(401, "TIMESTAMP_REFUSED", "the webhook was signed too long ago or ahead of time: sign it again")
    if secret is None or not _is_signed(secret, webhook_id, timestamp, signatures, body):
        raise ApiError(401, "SIGNATURE_REFUSED", "the signature is not that of this carrier's secret over this body")


def _is_signed(secret: str, webhook_id: str, timestamp: str, signatures: str, body: bytes) -> bool:
    expected = _signature(secret, webhook_id, timestamp, body).encode()
    given = [entry.partition(",")[2].encode() for entry in signatures.split(" ") if entry.startswith("v1,")]
    return any(hmac.compare_digest(expected, signature) for signature in given)


def _signature(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    signed = webhook_id.encode("utf-8", "replace") + b"." + timestamp.encode() + b"." + body
    return base64.b64encode(hmac.digest(secret_key(secret), signed, hashlib.sha256)).decode()


def secret_key(secret: str) -> bytes:
    """The key in a "whsec_…" secret; raises ValueError for what is none, or for fewer than 24 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as bad:
        raise ValueError("a webhook secret is whsec_ and base64") from bad
    if not secret.startswith(_PREFIX) or len(key) < 24:
        raise ValueError("a webhook secret is whsec_ and at least 24 bytes in base64")
    return key
