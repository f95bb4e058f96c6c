"""Stopping a parcel on its way: its carrier is asked, once, and what it stops comes back by a return."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import Field

from gateway.http.neighbors.shipments import Shipment, ShipmentId, shipment_shape
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Input, Name, example
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.orders.access.matrix import Caller
from services.orders.returns import intercepted

router = APIRouter(tags=["shipments"])


class InterceptionInput(Input):
    """Why a parcel is to be stopped; the company's own people read it."""

    reason: Name
    carrier_answer: Literal["intercepted", "refused", "too_late"] | None = Field(
        default=None, description="What the carrier said, where a person has asked it; absent to have it asked."
    )

    model_config = example(reason="the customer has canceled the project")


@router.post("/v1/shipments/{shipment_id}/intercept", response_model=Shipment)
def intercept_shipment(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, shipment_id: ShipmentId, body: InterceptionInput
) -> Response:
    """Have the carrier stop a shipment on its way and bring it back: `interception.state` says what came of it, and is the only outcome.

    What is intercepted comes back by a return that is authorized at once; the warehouse counts it, and stock and credit follow as of any
    return. A carrier that refuses, or has delivered it first, leaves it shipped: a return is possible. Where no carrier is connected, ask it
    and say what it answered. It is refused where its goods could not be returned; what is not invoiced yet is invoiced as it is credited.
    """

    def act(request_id: str) -> Shipment:
        return shipment_shape(intercept(deps, who, shipment_id, body, request_id), who)

    return once.answer(body, act)


def intercept(deps: Deps, who: Caller, shipment_id: str, body: InterceptionInput, request_id: str) -> pb.Shipment:
    """The shipment with what came of it; refused as a return of it is, and as fulfillment refuses it."""
    shipment = check(deps, who, shipment_id)
    wanted = pb.InterceptShipmentRequest(
        request_id=request_id,
        shipment_id=shipment.shipment_id,
        reason=body.reason,
        asked_by=who.principal.sub,
        carrier_answer=body.carrier_answer or "",
    )
    return deps.fulfillment.InterceptShipment(wanted).shipment


def check(deps: Deps, who: Caller, shipment_id: str) -> pb.Shipment:
    """The shipment, if what it has could come back."""
    shipment = deps.fulfillment.GetShipment(pb.GetShipmentRequest(shipment_id=shipment_id)).shipment
    with deps.database.reading() as session:
        intercepted.check(session, shipment.order_id, shipment.shipment_id, who, deps.clock())
    return shipment
