"""Stopping a parcel on its way: a page with what may come of it, then a button."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.reversals import ShipmentNumber, find_shipment
from gateway.console.visitor import FormOf, VisitorOf
from gateway.http.neighbors import interceptions as api
from gateway.http.neighbors.interceptions import InterceptionInput
from services.kernel.errors import InvalidArgument, Refused

router = APIRouter()

_ANSWERS = ("intercepted", "refused", "too_late")


@router.get("/shipments/{number}/interception")
def interception_page(who: VisitorOf, number: ShipmentNumber) -> Response:
    """What stopping it would do, or what stands against it, or what came of it."""
    shipment = find_shipment(who, number)
    obstacle = ""
    try:
        api.check(who.deps, who.caller, shipment.shipment_id)
    except Refused as refused:
        obstacle = str(refused)
    return render(
        "interception.html", who, shipment=shipment, obstacle=obstacle, home=f"/orders/{shipment.order_number}"
    )


@router.post("/shipments/{number}/interception")
def intercept(form: FormOf, number: ShipmentNumber) -> Response:
    """Have it stopped, as the API does; the same page sent twice does it once."""
    who, reason, said = form.visitor, form.text("reason", most=200), form.text("carrier_answer", most=20)
    if not reason:
        raise InvalidArgument("REASON_MISSING", "say why it is to be stopped: go back and enter a reason")
    if said and said not in _ANSWERS:
        raise InvalidArgument("CARRIER_ANSWER_UNKNOWN", "choose what the carrier answered: go back and choose again")
    shipment = find_shipment(who, number)
    body = InterceptionInput.model_validate({"reason": reason, "carrier_answer": said or None})
    done = api.intercept(who.deps, who.caller, shipment.shipment_id, body, f"console/intercept/{shipment.shipment_id}")
    home = f"/orders/{shipment.order_number}"
    return leave(RedirectResponse(home, 303), who.deps.console, f"interception_{done.interception.state}", done.number)
