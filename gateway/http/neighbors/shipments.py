"""Shipments: what the warehouse picks, packs and hands to the carrier, and service visits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.packages import CarriersNumber, Package, PackInput, package_shapes
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Identity, Input, Name, example
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfNumber, OfOrder, OfWarehouse, path_id
from gateway.http.plumbing.shapes import AddressShape, MoneyShape, instant, rfc3339
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.errors import Refused
from services.orders.access.matrix import Caller
from services.orders.domain.changes import ChangeOrder
from services.orders.domain.differences import MONEY_KINDS
from services.orders.order import change_orders

router = APIRouter(tags=["shipments"])

_NOT_LEFT = (pb.SHIPMENT_STATE_RELEASED, pb.SHIPMENT_STATE_PICKED, pb.SHIPMENT_STATE_PACKED)
State = Literal["released", "picked", "packed", "shipped", "delivered", "cancelled"]
ShipmentId = Annotated[str, path_id("The shipment's id.")]


class ShipmentLine(BaseModel):
    """Units of an order line in a shipment."""

    line_id: str
    sku: str
    description: str
    quantity: int = Field(description="Units to leave.")
    picked_quantity: int = Field(description="Units off the shelf so far.")


class PendingChange(BaseModel):
    """A change of the order that people have not settled; its lines may yet become others, or go elsewhere."""

    change_id: str
    state: str = Field(description="awaiting_customer, in_review, agreed or awaiting_warehouse.")
    what: list[str] = Field(description="Before and after, a row each; none about money for who sees no prices.")
    since: str = Field(description="When it was proposed.")
    until: str | None = Field(
        description="When the warehouse goes on without it, else until when the customer may answer; null without an end."
    )


class ShipmentReversal(BaseModel):
    """A ship confirm that was a mistake."""

    shipped_at: str = Field(description="When it was said to have left.")
    reversed_at: str
    reversed_by: str
    reason: str
    replaced_by: str = Field(description="The number of the packed shipment that has its goods.", examples=["SH-1002"])


class ShipmentInterception(BaseModel):
    """That the carrier of a shipment on its way was asked to stop it."""

    state: Literal["asked", "intercepted", "refused", "too_late"] = Field(
        description="asked while the carrier has not answered. intercepted: it comes back, by a return that is authorized. refused, or "
        "too_late because it has arrived: it stays shipped, and a return is possible."
    )
    reason: str
    asked_by: str
    asked_at: str
    answered_at: str | None


class Shipment(BaseModel):
    """What one warehouse sends to one address at once, or one service visit."""

    shipment_id: str
    number: str
    order_id: str
    order_number: str
    warehouse_id: str | None = Field(description="Null for a service visit.")
    ship_to: AddressShape
    state: State
    lines: list[ShipmentLine]
    carrier: str | None
    tracking_number: str | None = Field(description="That of the first package.")
    packages: list[Package] = Field(description="What it is packed in; none before that, and for a service visit.")
    freight_cost: MoneyShape | None = Field(description="What the carrier charges us; null for who sees no prices.")
    promised_on: str | None = Field(
        description="The day it is promised for; null when no carrier had a rate at release."
    )
    is_service: bool
    recall_requested: bool = Field(description="Units are asked back and not answered for: picking it refuses.")
    change_pending: PendingChange | None = Field(
        description="A change of the order that touches its lines and is not settled; null once it has left. It may go on."
    )
    shipped_at: str | None
    delivered_at: str | None
    exception_at: str | None = Field(description="When the carrier last told of a problem on the way.")
    reversal: ShipmentReversal | None = Field(
        description="How its ship confirm was reversed; it is canceled then. Null for any other."
    )
    replaces: str | None = Field(
        description="The number of the shipment whose goods it has since the ship confirm of that was reversed."
    )
    interception: ShipmentInterception | None = Field(
        description="What came of stopping it on its way; null where nobody asked for that."
    )


class ShipInput(Input):
    """Who carries it, without a carrier the cheapest of the rate table; and the carrier's number of each package."""

    carrier: Identity | None = None
    tracking_numbers: list[CarriersNumber] = Field(
        default=[],
        max_length=200,
        description="One for each package, in their order; without any those that were given when it was packed. A system in "
        "production needs them, the embedded mode makes up what is missing.",
    )

    model_config = example(carrier="parcelway", tracking_numbers=["1Z999AA10123456784"])


@router.get("/v1/shipments")
def list_shipments(
    deps: DepsOf,
    who: CallerOf,
    paging: PagingOf,
    order_id: OfOrder = None,
    warehouse_id: OfWarehouse = None,
    number: OfNumber = None,
    state: Annotated[State | None, Query(description="Only in this state.")] = None,
    package: Annotated[
        Name | None, Query(description="Only with this package: the carrier's number, or the SSCC as its label has it.")
    ] = None,
) -> Page[Shipment]:
    """Shipments, oldest first: with `state=released` the pick list of a warehouse."""
    found = deps.fulfillment.ListShipments(
        pb.ListShipmentsRequest(
            order_id=order_id or "",
            warehouse_id=warehouse_id or "",
            number=number or "",
            tracking_number=package or "",
            state=pb.ShipmentState.Value(f"SHIPMENT_STATE_{state.upper()}") if state else pb.SHIPMENT_STATE_UNSPECIFIED,
            limit=paging.limit,
            cursor=paging.cursor,
        )
    )
    return Page(rows=shown(deps, who, found.shipments), next_cursor=found.next_cursor or None)


@router.get("/v1/shipments/{shipment_id}")
def get_shipment(deps: DepsOf, who: CallerOf, shipment_id: ShipmentId) -> Shipment:
    """One shipment."""
    found = deps.fulfillment.GetShipment(pb.GetShipmentRequest(shipment_id=shipment_id)).shipment
    return shown(deps, who, [found])[0]


@router.post("/v1/shipments/{shipment_id}/pack", response_model=Shipment)
def pack_shipment(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, shipment_id: ShipmentId, body: PackInput | None = None
) -> Response:
    """Put it into its packages: picked → packed. Without any it is one package with everything.

    Each unit is in one package: `UNITS_NOT_PACKED` and `PACKED_TWICE` say what is missing, or is there twice.
    """
    return once.answer(body, lambda request_id: packed(deps, who, request_id, shipment_id, body or PackInput()))


def packed(deps: Deps, who: Caller, request_id: str, shipment_id: str, body: PackInput) -> Shipment:
    """The shipment once it is packed."""
    packages = [each.message() for each in body.packages]
    wanted = pb.PackShipmentRequest(request_id=request_id, shipment_id=shipment_id, packages=packages)
    return shown(deps, who, [deps.fulfillment.PackShipment(wanted).shipment])[0]


@router.post("/v1/shipments/{shipment_id}/ship", response_model=Shipment)
def ship_shipment(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, shipment_id: ShipmentId, body: ShipInput | None = None
) -> Response:
    """Hand it to the carrier: packed → shipped. Stock, invoice and mail follow by themselves."""
    return once.answer(body, lambda request_id: handed_over(deps, who, request_id, shipment_id, body or ShipInput()))


def handed_over(deps: Deps, who: Caller, request_id: str, shipment_id: str, body: ShipInput) -> Shipment:
    """The shipment once its carrier has it."""
    wanted = pb.ShipShipmentRequest(
        request_id=request_id,
        shipment_id=shipment_id,
        carrier=body.carrier or "",
        tracking_numbers=body.tracking_numbers,
    )
    return shown(deps, who, [deps.fulfillment.ShipShipment(wanted).shipment])[0]


@router.post("/v1/shipments/{shipment_id}/perform", response_model=Shipment)
def perform_shipment(deps: DepsOf, who: CallerOf, once: OnceWithKey, shipment_id: ShipmentId) -> Response:
    """Report a service visit as performed: it counts as shipped and delivered at once."""

    def act(request_id: str) -> Shipment:
        if not deps.fulfillment.GetShipment(pb.GetShipmentRequest(shipment_id=shipment_id)).shipment.is_service:
            raise Refused("NOT_A_SERVICE", "this shipment holds goods: pick, pack and ship it")
        wanted = pb.ShipShipmentRequest(request_id=request_id, shipment_id=shipment_id)
        return shown(deps, who, [deps.fulfillment.ShipShipment(wanted).shipment])[0]

    return once.answer(None, act)


def shown(deps: Deps, who: Caller, found: Sequence[pb.Shipment]) -> list[Shipment]:
    """Shipments, those that have not left with the change that is pending of their orders."""
    waiting = {row.order_id for row in found if row.state in _NOT_LEFT}
    pending: dict[str, change_orders.PendingChange] = {}
    if waiting:
        with deps.database.reading() as session:
            pending = change_orders.pending_of_orders(session, waiting)
    return [shipment_shape(row, who, pending.get(row.order_id) if row.state in _NOT_LEFT else None) for row in found]


def shipment_shape(row: pb.Shipment, who: Caller, pending: change_orders.PendingChange | None = None) -> Shipment:
    """A shipment as the API shows it to this caller; `pending` is shown if it touches one of its lines."""
    is_touched = pending is not None and not pending.line_ids.isdisjoint(line.line_id for line in row.lines)
    return Shipment.model_validate(
        {
            "shipment_id": row.shipment_id,
            "number": row.number,
            "order_id": row.order_id,
            "order_number": row.order_number,
            "warehouse_id": row.warehouse_id or None,
            "ship_to": AddressShape.of_proto(row.ship_to),
            "state": pb.ShipmentState.Name(row.state).removeprefix("SHIPMENT_STATE_").lower(),
            "lines": [
                ShipmentLine(
                    line_id=line.line_id,
                    sku=line.sku,
                    description=line.description,
                    quantity=line.quantity,
                    picked_quantity=line.picked_quantity,
                )
                for line in row.lines
            ],
            "carrier": row.carrier or None,
            "tracking_number": row.tracking_number or None,
            "packages": package_shapes(row.packages),
            "freight_cost": MoneyShape.of_proto(row.freight_cost) if who.sees_money else None,
            "promised_on": row.promised_on or None,
            "is_service": row.is_service,
            "recall_requested": row.recall_requested,
            "change_pending": _pending_shape(pending.change, who) if pending is not None and is_touched else None,
            "shipped_at": instant(row.shipped_at_micros),
            "delivered_at": instant(row.delivered_at_micros),
            "exception_at": instant(row.exception_at_micros),
            "reversal": _reversal_shape(row.reversal) if row.HasField("reversal") else None,
            "replaces": row.replaces or None,
            "interception": _interception_shape(row.interception) if row.HasField("interception") else None,
        }
    )


def _reversal_shape(row: pb.ShipmentReversal) -> ShipmentReversal:
    return ShipmentReversal.model_validate(
        {
            "shipped_at": instant(row.shipped_at_micros),
            "reversed_at": instant(row.reversed_at_micros),
            "reversed_by": row.reversed_by,
            "reason": row.reason,
            "replaced_by": row.replaced_by,
        }
    )


def _interception_shape(row: pb.ShipmentInterception) -> ShipmentInterception:
    return ShipmentInterception.model_validate(
        {
            "state": row.state,
            "reason": row.reason,
            "asked_by": row.asked_by,
            "asked_at": instant(row.asked_at_micros),
            "answered_at": instant(row.answered_at_micros),
        }
    )


def _pending_shape(change: ChangeOrder, who: Caller) -> PendingChange:
    rows = [row for row in change.difference if who.sees_money or row.kind not in MONEY_KINDS]
    until = change.withholds_until if change.is_withholding else change.consent_expires_at
    return PendingChange(
        change_id=change.change_id,
        state=change.state,
        what=[f"{row.what}: {row.before or '-'} → {row.after or '-'}" for row in rows],
        since=rfc3339(change.proposed_at),
        until=rfc3339(until) if until else None,
    )
