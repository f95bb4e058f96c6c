"""Picks: what comes off the shelf for a shipment, and what was not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from gateway.http.neighbors.counts import Units, begun_orders, recall_uncovered, shipments_of
from gateway.http.neighbors.shipments import Shipment, ShipmentId, shown
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Identity, Input, Sku, example
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.inventory.v1 import counts_pb2
from oms.types.v1 import types_pb2 as types
from services.kernel.bounds import MAX_LINES
from services.kernel.errors import InvalidArgument, Refused
from services.orders.access.matrix import Caller

router = APIRouter(tags=["shipments"])

ShortReason = Literal["missing", "damaged", "wrong_article"]
_WORDS = {"missing": "missing", "damaged": "damaged", "wrong_article": "another article lies there"}
_TRIES = 2
"""Times that what is short is booked for one pick."""


class PickLine(Input):
    """Units of a line that are off the shelf."""

    line_id: Identity
    sku: Sku
    quantity: Units = Field(description="Units found; 0 for none.")
    short_reason: ShortReason | None = Field(
        default=None, description="Why there are fewer than the shipment asks for; then it is a short pick."
    )


class PickInput(Input):
    """What was picked; no lines means all of the shipment. Where a line is short, every line is named."""

    lines: Annotated[list[PickLine], Field(max_length=MAX_LINES)] = []

    model_config = example(lines=[{"line_id": "1", "sku": "PUMP-100", "quantity": 4}])


@dataclass(frozen=True, slots=True)
class _Short:
    """Units of a line that were not found."""

    line_id: str
    sku: str
    quantity: int
    reason: str


@router.post("/v1/shipments/{shipment_id}/pick", response_model=Shipment)
def pick_shipment(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, shipment_id: ShipmentId, body: PickInput | None = None
) -> Response:
    """Take its units off the shelf: released → picked.

    What was not found leaves the shipment and stock; what is damaged is in quarantine until somebody decides. The order gets it from elsewhere or waits for it in its old place. A shipment of
    which nothing is left is cancelled; so is one of an order that ships complete and of which nothing was picked before.
    """
    return once.answer(body, lambda request_id: picked(deps, who, request_id, shipment_id, body or PickInput()))


def picked(deps: Deps, who: Caller, request_id: str, shipment_id: str, body: PickInput) -> Shipment:
    """The shipment after the pick; asked again, what is left of a short one is done."""
    if _is_short(body):
        shipment = _without_shorts(deps, who, request_id, shipment_id, body)
        if shipment.state == pb.SHIPMENT_STATE_CANCELLED:
            return shown(deps, who, [shipment])[0]
    lines = [
        types.LineQuantity(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
        for line in body.lines
        if line.quantity or not _is_short(body)
    ]
    wanted = pb.PickShipmentRequest(
        request_id=request_id, shipment_id=shipment_id, lines=lines, picker=who.principal.sub
    )
    return shown(deps, who, [deps.fulfillment.PickShipment(wanted).shipment])[0]


def _without_shorts(deps: Deps, who: Caller, request_id: str, shipment_id: str, body: PickInput) -> pb.Shipment:
    """The shipment when what is short has left it: what a try before took out may be less than what is short by now."""
    wanted = pb.GetShipmentRequest(shipment_id=shipment_id)
    for _ in range(_TRIES):
        shipment = deps.fulfillment.GetShipment(wanted).shipment
        shorts = _shorts(shipment, body)
        if not shorts:
            return shipment
        _book(deps, who, request_id, shipment, shorts)
    return deps.fulfillment.GetShipment(wanted).shipment


def _is_short(body: PickInput) -> bool:
    return any(line.short_reason for line in body.lines)


def _shorts(shipment: pb.Shipment, body: PickInput) -> list[_Short]:
    """What is short of a shipment that can be picked; what else is wrong with the lines, fulfillment says."""
    said = {line.line_id: line for line in body.lines}
    if not _is_short(body) or shipment.state != pb.SHIPMENT_STATE_RELEASED:
        return []
    _check(shipment, body)
    found = [
        _Short(line.line_id, line.sku, line.quantity - mine.quantity, mine.short_reason or "")
        for line in shipment.lines
        if (mine := said[line.line_id]).quantity < line.quantity
    ]
    for one in found:
        if not one.reason:
            raise InvalidArgument(
                "SHORT_REASON_MISSING",
                f"{one.quantity} of line {one.line_id} are short: say why (short_reason), or pick them",
            )
    return found


def _check(shipment: pb.Shipment, body: PickInput) -> None:
    """Nothing is booked of a pick that is refused afterwards."""
    wanted = {line.line_id: line for line in shipment.lines}
    # what a try before this one has taken out is there no more
    lines = [line for line in body.lines if line.quantity or line.line_id in wanted]
    said = [line.line_id for line in lines]
    if shipment.is_service:
        raise Refused("NOT_GOODS", f"{shipment.number} is a service visit: nothing of it is picked")
    if len(set(said)) < len(said) or set(said) - set(wanted):
        raise InvalidArgument("UNKNOWN_LINE", f"name each line of {shipment.number} once, and no other")
    if missing := sorted(set(wanted) - set(said)):
        raise InvalidArgument(
            "LINE_NOT_COUNTED", f"say what was found of every line of {shipment.number}: {', '.join(missing)} too"
        )
    for line in lines:
        asked = wanted[line.line_id]
        if line.sku != asked.sku:
            raise InvalidArgument("UNKNOWN_LINE", f"line {line.line_id} of {shipment.number} is {asked.sku}")
        if line.quantity > asked.quantity:
            over = line.quantity - asked.quantity
            raise Refused(
                "PICK_EXCEEDS_SHIPMENT",
                f"{shipment.number} needs {asked.quantity} of line {line.line_id}: put {over} back",
            )
    if shipment.recall_requested:
        raise Refused(
            "RECALL_PENDING", f"units of {shipment.number} are asked back: answer that first, then report what is short"
        )


def _book(deps: Deps, who: Caller, request_id: str, shipment: pb.Shipment, shorts: list[_Short]) -> None:
    """Stock and order lose what is short; then the shipment does."""
    is_begun = bool(begun_orders(shipments_of(deps, {shipment.order_id})))
    for one in shorts:
        booked = deps.inventory.BookShortPick(
            counts_pb2.BookShortPickRequest(
                # of what is short beyond that, when it is asked again, the key is another
                request_id=f"{request_id}/{one.line_id}/{one.quantity}",
                warehouse_id=shipment.warehouse_id,
                sku=one.sku,
                order_id=shipment.order_id,
                line_id=one.line_id,
                short_quantity=one.quantity,
                reason=f"short pick of {shipment.number}, {_WORDS[one.reason]}",
                picker=who.principal.sub,
                is_begun=is_begun,
                shipment_id=shipment.shipment_id,
                is_damaged=one.reason == "damaged",
            )
        )
        recall_uncovered(deps, booked.count_id)
