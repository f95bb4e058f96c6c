"""Waves: which are open, a form that makes one, and a page for each with what is to be picked from which bin."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.reversals import find_shipment
from gateway.console.visitor import Form, FormOf, Visitor, VisitorOf
from gateway.console.warehouses import known_names
from gateway.http.neighbors import waves as api
from gateway.http.neighbors.pick_list_files import pick_list_file
from gateway.http.neighbors.waves import WaveInput
from gateway.http.plumbing.inputs import IDENTITY
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.clock import from_micros
from services.kernel.errors import InvalidArgument, NotFound

router = APIRouter()

MOST = 50
"""Waves that a page of the list shows."""
USUAL = 20
"""Shipments of a wave where nobody says how many."""
WaveNumber = Annotated[str, Path(max_length=40, pattern=r"^[A-Za-z0-9-]+$")]
Typed = Annotated[str, Query(max_length=64, pattern=f"^$|{IDENTITY}")]
Cursor = Annotated[str, Query(max_length=20, pattern=r"^[0-9]*$")]
Scan = Annotated[str, Query(max_length=40)]


@router.get("/warehouse/waves")
def waves_page(
    request: Request,
    who: VisitorOf,
    warehouse: Typed = "",
    is_all: Annotated[str, Query(alias="all", pattern="^1?$")] = "",
    after: Cursor = "",
    scan: Scan = "",
) -> Response:
    """Waves, the newest first; a number that is scanned opens its wave."""
    wrong = ""
    if scan:
        try:
            return RedirectResponse(f"/warehouse/waves/{_read(who, scan.strip()).wave.number}", 303)
        except NotFound:
            wrong = f"There is no wave {scan.strip()}: check its number."
    wanted = pb.ListWavesRequest(warehouse_id=warehouse, is_all=bool(is_all), limit=MOST, cursor=after)
    found = who.deps.fulfillment.ListWaves(wanted)
    names = known_names(who.deps)
    answer = render(
        "waves.html",
        who,
        named={one.picker for one in found.waves},
        rows=[(one, from_micros(one.created_at_micros)) for one in found.waves],
        following=found.next_cursor,
        places=tuple(names.items()),
        names=names,
        warehouse=warehouse,
        is_all=is_all,
        usual=USUAL,
        wrong=wrong,
        key=page_key(request, who),
    )
    answer.status_code = 404 if wrong else 200
    return answer


@router.post("/warehouse/waves")
def create(form: FormOf) -> Response:
    """Make one, as the API does; the same page sent twice makes one."""
    who = form.visitor
    body = _body(form)
    made = api.created(who.deps, who.caller, body, request_id(form, f"wave/{body.model_dump_json()}"))
    to = RedirectResponse(f"/warehouse/waves/{made.number}", 303)
    return leave(to, who.deps.console, "wave_created", made.number)


def _body(form: Form) -> WaveInput:
    """What was typed: the numbers of shipments, or how many of the next."""
    numbers = list(dict.fromkeys(form.text("shipments", most=2000).replace(",", " ").upper().split()))
    if len(numbers) > api.MOST_SHIPMENTS:
        raise InvalidArgument("WAVE_SIZE", f"a wave has at most {api.MOST_SHIPMENTS} shipments: leave some for another")
    chosen = [find_shipment(form.visitor, one).shipment_id for one in numbers]
    count = form.text("next", most=3)
    try:
        return WaveInput(
            warehouse_id=form.text("warehouse", most=64),
            shipment_ids=chosen,
            next=None if chosen else int(count) if count.isascii() and count.isdigit() else 0,
            picker=form.text("picker", most=128) or None,
        )
    except ValidationError as wrong:
        raise InvalidArgument(
            "WAVE_INCOMPLETE", f"choose the warehouse, and enter how many shipments, 1 to {api.MOST_SHIPMENTS}"
        ) from wrong


@router.get("/warehouse/waves/{number}")
def wave_page(who: VisitorOf, number: WaveNumber, scan: Scan = "") -> Response:
    """What is to be picked of a wave; a shipment that is scanned opens with its next step."""
    found, wrong = _read(who, number), ""
    if scan:
        scanned = scan.strip().upper()
        if any(one.number == scanned for one in found.shipments):
            return RedirectResponse(f"/warehouse/{scanned}?wave={found.wave.number}", 303)
        wrong = f"{scanned} is not in {found.wave.number}: scan one of the shipments below."
    answer = render(
        "wave.html",
        who,
        named={found.wave.picker},
        wave=found.wave,
        made_at=from_micros(found.wave.created_at_micros),
        closed_at=from_micros(found.wave.closed_at_micros) if found.wave.closed_at_micros else None,
        lines=api.pick_list_of(who.deps, found),
        shipments=[
            (one, pb.ShipmentState.Name(one.state).removeprefix("SHIPMENT_STATE_").lower()) for one in found.shipments
        ],
        name=known_names(who.deps).get(found.wave.warehouse_id, found.wave.warehouse_id),
        wrong=wrong,
    )
    answer.status_code = 404 if wrong else 200
    return answer


@router.get("/warehouse/waves/{number}/pick-list.pdf")
def pick_list(who: VisitorOf, number: WaveNumber) -> Response:
    """The pick list, as the API gives it."""
    return pick_list_file(who.deps, number)


@router.post("/warehouse/waves/{number}/cancel")
def cancel(form: FormOf, number: WaveNumber) -> Response:
    """Close it, as the API does."""
    who = form.visitor
    done = who.deps.fulfillment.CancelWave(pb.CancelWaveRequest(wave=number)).wave
    to = RedirectResponse(f"/warehouse/waves/{done.number}", 303)
    return leave(to, who.deps.console, "wave_cancelled", done.number)


def _read(who: Visitor, number: str) -> pb.GetWaveResponse:
    return who.deps.fulfillment.GetWave(pb.GetWaveRequest(wave=number))
