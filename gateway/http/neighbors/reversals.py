"""Ship confirms that were a mistake: what reversing one would do, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.shipments import Shipment, ShipmentId, ShipmentLine, shipment_shape
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Input, Name, example
from gateway.http.plumbing.shapes import MoneyShape
from oms.billing.v1 import billing_pb2 as billing
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.errors import Refused
from services.orders.domain.order import Order
from services.orders.domain.returnable import check_never_left
from services.orders.order import aggregate
from services.orders.returns import reading

router = APIRouter(tags=["shipments"])

_SETTLED_ELSEWHERE = "settled_elsewhere"


class ShipmentReversalInput(Input):
    """Why a ship confirm is reversed; the shipment keeps it, and the company's own people read it."""

    reason: Name

    model_config = example(reason="scanned the wrong pallet")


class ShipmentReversalPreview(BaseModel):
    """What reversing a ship confirm would do now."""

    shipment_id: str
    number: str
    order_id: str
    order_number: str
    lines: list[ShipmentLine] = Field(
        description="What is put back on stock, allocated to the order as before, and packed."
    )
    billing: Literal["credited", "unqueued", "deferred", "none"] = Field(
        description="credited: its invoice is credited. unqueued: it was to be invoiced later, and is not. deferred: it was invoiced at "
        "order, and its revenue is deferred again. none: nothing was invoiced yet. Its units are billed when they do ship."
    )
    invoice_number: str | None = Field(description="The invoice that is credited, else null.")
    amount: MoneyShape | None = Field(
        description="What is credited, no longer to be invoiced, or deferred again; null for none and for who sees no prices."
    )
    held: MoneyShape | None = Field(
        description="What of a credited amount was paid: it is held for the order; null for nothing and for who sees no prices."
    )


@dataclass(frozen=True, slots=True)
class Reversible:
    """A shipment whose ship confirm can be reversed, its order, and what becomes of its invoice."""

    shipment: pb.Shipment
    order: Order
    billing: billing.ReverseShipmentBillingResponse


@router.get("/v1/shipments/{shipment_id}/reversal")
def preview_reversal(deps: DepsOf, who: CallerOf, shipment_id: ShipmentId) -> ShipmentReversalPreview:
    """What reversing the ship confirm of this shipment would do; refused as the reversal itself is."""
    found = reversible(deps, who, shipment_id)
    shipment, money = found.shipment, found.billing
    return ShipmentReversalPreview.model_validate(
        {
            "shipment_id": shipment.shipment_id,
            "number": shipment.number,
            "order_id": shipment.order_id,
            "order_number": shipment.order_number,
            "lines": shipment_shape(shipment, who).lines,
            "billing": money.outcome,
            "invoice_number": money.invoice_number or None,
            "amount": MoneyShape.of_proto(money.amount) if who.sees_money else None,
            "held": MoneyShape.of_proto(money.held) if who.sees_money else None,
        }
    )


@router.post("/v1/shipments/{shipment_id}/reversal", response_model=Shipment)
def reverse_shipment(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, shipment_id: ShipmentId, body: ShipmentReversalInput
) -> Response:
    """Reverse a ship confirm that was a mistake: the shipment is canceled, and another one is packed with its goods.

    Stock, allocation and backorders are as before it, its invoice is credited, and the customer is told. It is refused once the
    carrier has told of the shipment on its way, or has delivered it: ask for a return then; and while a return is to bring its units.
    """

    def act(request_id: str) -> Shipment:
        return shipment_shape(reverse(deps, who, shipment_id, body.reason, request_id), who)

    return once.answer(body, act)


def reversible(deps: Deps, who: CallerOf, shipment_id: str) -> Reversible:
    """A shipment whose ship confirm can be reversed; refused as reverse() is."""
    shipment = deps.fulfillment.CheckReversal(pb.CheckReversalRequest(shipment_id=shipment_id)).shipment
    order = _order_of(deps, who, shipment)
    asked = billing.ReverseShipmentBillingRequest(
        request_id=f"preview/{shipment_id}",
        order_id=order.order_id,
        customer_id=order.payer_id,
        currency=order.currency,
        shipment_id=shipment_id,
        shipment_number=shipment.number,
        reason="preview",
        is_preview=True,
    )
    return Reversible(shipment, order, deps.billing.ReverseShipmentBilling(asked))


def reverse(deps: Deps, who: CallerOf, shipment_id: str, reason: str, request_id: str) -> pb.Shipment:
    """The shipment after its reversal. Refused ORDER_ENDED, SETTLED_ELSEWHERE and RETURN_OPEN, and as fulfillment refuses it."""
    _order_of(deps, who, deps.fulfillment.GetShipment(pb.GetShipmentRequest(shipment_id=shipment_id)).shipment)
    wanted = pb.ReverseShipmentRequest(
        request_id=request_id, shipment_id=shipment_id, reason=reason, reversed_by=who.principal.sub
    )
    return deps.fulfillment.ReverseShipment(wanted).shipment


def _order_of(deps: Deps, who: CallerOf, shipment: pb.Shipment) -> Order:
    """The order of a shipment, while a workflow carries it on that takes stock and invoice back."""
    with deps.database.reading() as session:
        found = aggregate.read(session, shipment.order_id, who.scope)
        returns = reading.of_order(session, shipment.order_id)
    order, progress = found.order, found.progress
    if order.has_ended:
        raise Refused(
            "ORDER_ENDED", f"{order.number} has ended: ask for a return of {shipment.number} instead of reversing it"
        )
    if order.payment_method == _SETTLED_ELSEWHERE:
        raise Refused(
            "SETTLED_ELSEWHERE",
            f"{order.number} was paid where it was bought: have {shipment.number} shipped, or refund the buyer there",
        )
    if shipment.state != pb.SHIPMENT_STATE_CANCELLED:  # else a repeat asks what was done
        check_never_left(progress, returns, shipment.number, {line.line_id: line.quantity for line in shipment.lines})
    return order
