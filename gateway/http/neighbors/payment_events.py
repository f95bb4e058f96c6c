"""Events of the payment provider: signed, each taken once; what they say is not believed but read at the provider."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from gateway.http.neighbors.signatures import TOLERANCE
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.inputs import PRINTABLE, Input
from gateway.http.plumbing.problems import ApiError
from oms.billing.v1 import billing_pb2 as pb

router = APIRouter(tags=["webhooks"])

_Word = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE)]
_READ = frozenset({"payment_intent", "checkout.session"})
_Id = Annotated[str, Field(max_length=200, pattern=PRINTABLE)]


class EventSubject(Input):
    """What an event is about, as far as it is read."""

    id: _Id = ""
    object: _Id = ""
    payment_intent: _Id | None = None

    model_config = ConfigDict(extra="ignore")


class EventContent(Input):
    """The content of an event."""

    object: EventSubject = EventSubject()

    model_config = ConfigDict(extra="ignore")


class PaymentEventInput(Input):
    """An event of Stripe; members that are not named here are not read."""

    id: _Word
    type: _Word
    data: EventContent = EventContent()

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                {
                    "id": "evt_1PqR",
                    "type": "charge.refunded",
                    "data": {"object": {"id": "ch_1PqR", "object": "charge", "payment_intent": "pi_1PqR"}},
                }
            ]
        },
    )

    @property
    def provider_id(self) -> str:
        """The Checkout Session or the payment intent that it is about; empty when it is about neither."""
        subject = self.data.object
        return subject.id if subject.object in _READ else subject.payment_intent or ""


class PaymentEvent(BaseModel):
    """Whether an event was new."""

    is_new: bool = Field(description="False when this event was taken before.")


async def _signed(
    request: Request,
    deps: DepsOf,
    stripe_signature: Annotated[
        str,
        Header(
            max_length=1000, description="t, seconds since 1970, and v1, hex HMAC-SHA256 over t, a dot and the body."
        ),
    ] = "",
) -> None:
    verify(deps.settings.stripe_webhook_secret, stripe_signature, await request.body(), deps.clock())


def verify(secret: str, header: str, body: bytes, now: datetime) -> None:
    """Raise ApiError 401 unless one of the header's v1 signatures is good and its timestamp near `now`."""
    parts = [part.partition("=") for part in header.split(",")]
    timestamps = [value for name, _, value in parts if name.strip() == "t"]
    if not timestamps:
        raise ApiError(401, "SIGNATURE_MISSING", "sign the event: send Stripe-Signature")
    timestamp = timestamps[0]
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise ApiError(401, "TIMESTAMP_REFUSED", "t of Stripe-Signature counts whole seconds since 1970")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise ApiError(401, "TIMESTAMP_REFUSED", "the event was signed too long ago or ahead of time: sign it again")
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest().encode()
    given = [value.strip().encode("utf-8", "replace") for name, _, value in parts if name.strip() == "v1"]
    if not secret or not any(hmac.compare_digest(signed, one) for one in given):
        raise ApiError(401, "SIGNATURE_REFUSED", "the signature is not that of the webhook's secret over this body")


@router.post("/v1/webhooks/payments/stripe", dependencies=[Depends(_signed)])
def record_payment_event(deps: DepsOf, body: PaymentEventInput) -> PaymentEvent:
    """Take note that something happened at Stripe: billing reads there what is true. Twice, or late, changes nothing."""
    wanted = pb.RecordProviderEventRequest(event_id=body.id, kind=body.type, provider_id=body.provider_id)
    return PaymentEvent(is_new=deps.billing.RecordProviderEvent(wanted).is_new)
