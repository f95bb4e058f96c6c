"""Webhooks of carriers: signed tracking milestones, each taken once whatever its order of arrival."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, Field

from gateway.http.neighbors import signatures
from gateway.http.neighbors.reuse import noting_reuse
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.inputs import Input, Instant, Reference, example
from gateway.http.plumbing.parameters import path_id
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.clock import micros
from services.orders.domain.exceptions import WEBHOOK_ID_REUSED

router = APIRouter(tags=["webhooks"])

Carrier = Annotated[str, path_id("The carrier, as the rate table and its secret name it.", "parcelway")]


class CarrierEventInput(Input):
    """A tracking milestone of one parcel."""

    tracking_number: Reference
    status: Literal[
        "picked_up", "in_transit", "out_for_delivery", "delivered",
        "exception", "failed_attempt", "damaged", "returned_to_sender", "lost",
    ]  # fmt: skip
    occurred_at: Instant

    model_config = example(tracking_number="PAR000000000018", status="delivered", occurred_at="2026-12-03T14:05:00Z")


class CarrierEvent(BaseModel):
    """What the event changed."""

    is_new: bool = Field(description="False when this webhook-id was taken before.")
    shipment_id: str
    state: str = Field(description="Where the shipment stands after it.")


async def _signed(
    request: Request,
    deps: DepsOf,
    carrier: Carrier,
    webhook_id: Annotated[
        str, Header(max_length=128, description="Identity of the event; a repeat changes nothing.")
    ] = "",
    webhook_timestamp: Annotated[str, Header(max_length=20, description="Seconds since 1970.")] = "",
    webhook_signature: Annotated[str, Header(max_length=1000, description="v1, and base64 HMAC-SHA256.")] = "",
) -> str:
    body = await request.body()
    secret = deps.settings.carrier_secrets.get(carrier)
    signatures.verify(secret, webhook_id, webhook_timestamp, webhook_signature, body, deps.clock())
    return webhook_id


@router.post("/v1/webhooks/carriers/{carrier}")
def record_carrier_event(
    deps: DepsOf, event_id: Annotated[str, Depends(_signed)], carrier: Carrier, body: CarrierEventInput
) -> CarrierEvent:
    """Record a milestone; `delivered` moves the shipment and its order on, a problem is an exception that people look at: `exception`,
    `failed_attempt`, `damaged`, `returned_to_sender` and `lost`.

    Twice, or late, changes nothing. Another body under a webhook-id that was taken is a 409 and an exception of the order.
    """
    wanted = pb.RecordCarrierEventRequest(
        carrier=carrier,
        event_id=event_id,
        tracking_number=body.tracking_number,
        status=body.status,
        occurred_at_micros=micros(body.occurred_at),
    )
    key = f"{carrier}/{event_id}"
    with noting_reuse(deps, WEBHOOK_ID_REUSED, key, body):
        done = deps.fulfillment.RecordCarrierEvent(wanted)
    state = pb.ShipmentState.Name(done.shipment.state).removeprefix("SHIPMENT_STATE_").lower()
    return CarrierEvent(is_new=done.is_new, shipment_id=done.shipment.shipment_id, state=state)
