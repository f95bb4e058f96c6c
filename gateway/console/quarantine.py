"""Goods in quarantine: what is kept apart where, and the decision that ends it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.forms import whole_units_of
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, VisitorOf
from gateway.console.warehouses import warehouses_of
from gateway.http.neighbors import quarantine as api
from gateway.http.neighbors.quarantine import QuarantineDecisionInput
from gateway.http.plumbing.inputs import IDENTITY
from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.errors import InvalidArgument

router = APIRouter()

PAGE = 100
OUTCOMES = (("release", "Release to stock"), ("scrap", "Scrap"), ("return_to_vendor", "Return to vendor"))
Typed = Annotated[str, Query(max_length=64, pattern=f"^$|{IDENTITY}")]


@router.get("/quarantine")
def quarantine_page(request: Request, who: VisitorOf, warehouse: Typed = "", after: Typed = "") -> Response:
    """Units that wait for a decision, of one warehouse or of all."""
    wanted = pb.ListQuarantineRequest(warehouse_id=warehouse, limit=PAGE, cursor=after)
    found = who.deps.inventory.ListQuarantine(wanted)
    return render(
        "quarantine.html",
        who,
        rows=api.rows_of(who.deps, who.caller, list(found.units)),
        places=warehouses_of(who.deps),
        warehouse=warehouse,
        following=found.next_cursor,
        outcomes=OUTCOMES,
        key=page_key(request, who),
    )


@router.post("/quarantine/{movement_id}")
def decide(form: FormOf, movement_id: Annotated[str, Path(pattern=IDENTITY, max_length=64)]) -> Response:
    """Decide what becomes of units, as the API does."""
    who = form.visitor
    fields = {
        "quantity": whole_units_of("goods in quarantine", form.text("units", most=8)),
        "outcome": form.text("outcome", most=20),
        "reason": form.text("reason", most=200),
    }
    try:
        body = QuarantineDecisionInput.model_validate(fields)
    except ValidationError as wrong:
        raise InvalidArgument(
            "REASON_MISSING", "enter at least one unit, choose what becomes of it and say why"
        ) from wrong
    key = request_id(form, f"quarantine/{movement_id}/{body.model_dump_json()}")
    api.decide(who.deps, who.caller, movement_id, body, key)
    place = form.text("warehouse", most=64)
    return leave(
        RedirectResponse(f"/quarantine?warehouse={place}" if place else "/quarantine", 303),
        who.deps.console,
        "quarantine_decided",
    )
