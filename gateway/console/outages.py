"""Outages: which warehouses are closed for a while, and the forms that close and open them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.entries import instant
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, VisitorOf
from gateway.console.warehouses import warehouses_of
from gateway.http.neighbors import outages as api
from gateway.http.neighbors.outages import OutageInput
from gateway.http.plumbing.inputs import IDENTITY
from oms.inventory.v1 import outage_pb2 as pb
from services.kernel.clock import from_micros
from services.kernel.errors import InvalidArgument

router = APIRouter()

Place = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get("/outages")
def outages_page(request: Request, who: VisitorOf) -> Response:
    """Those that last and those that are over, the newest first."""
    places = warehouses_of(who.deps)
    names = dict(places)
    rows = [
        (names.get(one.warehouse_id, one.warehouse_id), one, from_micros(one.began_at_micros), from_micros(one.ends_at_micros),
         from_micros(one.ended_at_micros) if one.ended_at_micros else None)
        for one in who.deps.inventory.ListOutages(pb.ListOutagesRequest()).outages
    ]  # fmt: skip
    return render("outages.html", who, rows=rows, places=places, key=page_key(request, who))


@router.post("/outages")
def declare(form: FormOf) -> Response:
    """Close a warehouse, as the API does."""
    who = form.visitor
    place = form.text("warehouse", most=64)
    until = instant(form.text("until", most=40), who.deps.console.formats.time_zone, "until")
    try:
        body = OutageInput.model_validate({"until": until.isoformat(), "reason": form.text("reason", most=200)})
    except ValidationError as wrong:
        raise InvalidArgument("REASON_MISSING", "say why the warehouse is closed") from wrong
    api.declare(who.deps, who.caller, place, body, request_id(form, f"outage/{place}/{body.model_dump_json()}"))
    return leave(RedirectResponse("/outages", 303), who.deps.console, "outage_declared")


@router.post("/outages/{warehouse_id}/end")
def end(form: FormOf, warehouse_id: Place) -> Response:
    """Open it before its time."""
    who = form.visitor
    api.end(who.deps, warehouse_id, request_id(form, f"outage/{warehouse_id}/end"))
    return leave(RedirectResponse("/outages", 303), who.deps.console, "outage_ended")
