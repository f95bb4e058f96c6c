"""Reversing a ship confirm that was a mistake: a page with the consequences, then a button."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import RedirectResponse

from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, Visitor, VisitorOf
from gateway.http.neighbors import reversals as api
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2
from services.kernel.errors import InvalidArgument, NotFound, Refused
from services.kernel.money import Money

router = APIRouter()

ShipmentNumber = Annotated[str, Path(max_length=40, pattern=r"^[A-Za-z0-9-]+$")]
_ORDER_PAGE = "GET /orders/{number}"


@router.get("/shipments/{number}/reversal")
def reversal_page(who: VisitorOf, number: ShipmentNumber) -> Response:
    """What reversing its ship confirm would do now, or what stands against it."""
    shipment = find_shipment(who, number)
    obstacle, found = "", None
    try:
        found = api.reversible(who.deps, who.caller, shipment.shipment_id)
    except Refused as refused:
        obstacle = str(refused)
    return render(
        "shipment_reversal.html",
        who,
        shipment=shipment,
        obstacle=obstacle,
        outcome=found.billing.outcome if found else "",
        invoice_number=found.billing.invoice_number if found else "",
        amount=_money(found.billing.amount) if found else None,
        held=_money(found.billing.held) if found else None,
        home=f"/orders/{shipment.order_number}" if who.may(_ORDER_PAGE) else "",
    )


@router.post("/shipments/{number}/reversal")
def reverse(form: FormOf, number: ShipmentNumber) -> Response:
    """Reverse it, as the API does; the same page sent twice does it once."""
    who, reason = form.visitor, form.text("reason", most=200)
    if not reason:
        raise InvalidArgument("REASON_MISSING", "say what the mistake was: go back and enter a reason")
    shipment = find_shipment(who, number)
    if not shipment.HasField("reversal"):
        api.reverse(who.deps, who.caller, shipment.shipment_id, reason, f"console/reverse/{shipment.shipment_id}")
    home = f"/orders/{shipment.order_number}" if who.may(_ORDER_PAGE) else f"/shipments/{number}/reversal"
    return leave(RedirectResponse(home, 303), who.deps.console, "shipment_reversed", shipment.number)


def find_shipment(who: Visitor, number: str) -> pb.Shipment:
    """A shipment by its number; NotFound when there is none."""
    rows = who.deps.fulfillment.ListShipments(pb.ListShipmentsRequest(number=number.upper(), limit=1)).shipments
    if not rows:
        raise NotFound("SHIPMENT_NOT_FOUND", f"there is no shipment {number}: check its number")
    return rows[0]


def _money(given: types_pb2.Money) -> Money | None:
    """An amount; None where none is set."""
    return Money(given.minor_units, given.currency) if given.currency else None
