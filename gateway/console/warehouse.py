"""The floor: what is to be picked, packed and shipped, and a page for each shipment with its next step."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.forms import whole_units
from gateway.console.lines import LINES
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.reversals import ShipmentNumber, find_shipment
from gateway.console.visitor import Form, FormOf, Visitor, VisitorOf
from gateway.console.warehouses import known_names, warehouse_names
from gateway.http.neighbors import picks, shipments
from gateway.http.neighbors.packages import PackageInput, PackedLineInput, PackInput
from gateway.http.plumbing.inputs import IDENTITY
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.errors import InvalidArgument, NotFound

router = APIRouter()

MOST = 50
"""Shipments that the page shows of each step; what is left follows when these are done."""
PACKAGES = 5
"""Packages that the page offers; over the API there may be more, and lines in more than two."""
STEPS = (
    ("To pick", pb.SHIPMENT_STATE_RELEASED),
    ("To pack", pb.SHIPMENT_STATE_PICKED),
    ("To ship", pb.SHIPMENT_STATE_PACKED),
)
REASONS = (("missing", "Missing"), ("damaged", "Damaged"), ("wrong_article", "Another article there"))
Typed = Annotated[str, Query(max_length=64, pattern=f"^$|{IDENTITY}")]
Scan = Annotated[str, Query(max_length=64)]
OfWave = Annotated[str, Query(max_length=24, pattern=r"^(WV-[0-9]{1,18})?$")]
_KILOGRAMS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")
_WAVE = re.compile(r"WV-[0-9]{1,18}")
_SHIPMENT = re.compile(r"SH-[0-9]{1,18}", re.IGNORECASE)


@router.get("/warehouse")
def floor_page(who: VisitorOf, warehouse: Typed = "", scan: Scan = "") -> Response:
    """What waits for each step, the soonest promised first; a number that is scanned leads to its shipment."""
    if scan.strip():
        return RedirectResponse(f"/warehouse/{_scanned(who, scan.strip()).number}", 303)
    names, found = known_names(who.deps), []
    for title, state in STEPS:
        wanted = pb.ListDueShipmentsRequest(warehouse_id=warehouse, state=state, limit=MOST)
        due = who.deps.fulfillment.ListDueShipments(wanted)
        found.append((title, due.shipments, due.total))
    return render("warehouse.html", who, steps=found, names=names, warehouse=warehouse)


def _scanned(who: Visitor, scan: str) -> pb.Shipment:
    """The shipment of a number on paper or a label: its own, that of a package, or the carrier's. NotFound for another."""
    if _SHIPMENT.fullmatch(scan):
        return find_shipment(who, scan)
    wanted = pb.ListShipmentsRequest(tracking_number=scan, limit=1)
    for found in who.deps.fulfillment.ListShipments(wanted).shipments:
        return found
    raise NotFound(
        "SHIPMENT_NOT_FOUND",
        f"no shipment or package of ours has the number {scan}: scan the label again, or enter SH-…",
    )


@router.get("/warehouse/{number}")
def floor_shipment_page(request: Request, who: VisitorOf, number: ShipmentNumber, wave: OfWave = "") -> Response:
    """A shipment with its next step; who comes from a wave goes back to it after the pick."""
    shipment = find_shipment(who, number)
    return render(
        "warehouse_shipment.html",
        who,
        shipment=shipment,
        state=pb.ShipmentState.Name(shipment.state).removeprefix("SHIPMENT_STATE_").lower(),
        names=warehouse_names(who.deps, [shipment]),
        reasons=REASONS,
        packages=range(1, PACKAGES + 1),
        lines=shipment.lines[:LINES],
        key=page_key(request, who),
        wave=wave,
    )


@router.post("/warehouse/{number}/pick")
def pick(form: FormOf, number: ShipmentNumber) -> Response:
    """Record what was found, as the API does; the same page sent twice records it once."""
    who, shipment = form.visitor, find_shipment(form.visitor, number)
    try:
        lines = [_found(form, line) for line in shipment.lines[:LINES]]
        lines += [
            picks.PickLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
            for line in shipment.lines[LINES:]
        ]
        body = picks.PickInput(lines=lines)
    except ValidationError as wrong:
        raise InvalidArgument("PICK_UNREADABLE", "enter what was found of each line, and choose a reason") from wrong
    done = picks.picked(who.deps, who.caller, request_id(form, f"pick/{number}"), shipment.shipment_id, body)
    if done.state == "cancelled":
        return leave(RedirectResponse("/warehouse", 303), who.deps.console, "shipment_empty", done.number)
    said = "shipment_short" if any(line.short_reason for line in lines) else "shipment_picked"
    wave = form.text("wave", most=24)
    after = f"/warehouse/waves/{wave}" if _WAVE.fullmatch(wave) else f"/warehouse/{done.number}"
    return leave(RedirectResponse(after, 303), who.deps.console, said, done.number)


def _found(form: Form, line: pb.ShipmentLine) -> picks.PickLine:
    """A line as the page says it."""
    found = whole_units(form.text(f"found-{line.line_id}", most=8), line.line_id)
    reason = (form.text(f"reason-{line.line_id}", most=20) or "missing") if found < line.quantity else None
    return picks.PickLine(line_id=line.line_id, sku=line.sku, quantity=found, short_reason=reason)  # type: ignore[arg-type]  # pydantic reads it


@router.post("/warehouse/{number}/pack")
def pack(form: FormOf, number: ShipmentNumber) -> Response:
    """Pack it: each line into the package that the page says."""
    who, shipment = form.visitor, find_shipment(form.visitor, number)
    contents: dict[int, list[PackedLineInput]] = {}
    for line in shipment.lines:
        for package, units in _packages_of(form, line).items():
            packed = PackedLineInput(line_id=line.line_id, sku=line.sku, quantity=units)
            contents.setdefault(package, []).append(packed)
    weights = {package: grams for package in range(1, PACKAGES + 1) if (grams := _grams(form, package))}
    if empty := sorted(set(weights) - set(contents)):
        raise InvalidArgument(
            "PACKAGE_EMPTY", f"nothing is in package {empty[0]}: put a line into it, or leave its weight empty"
        )
    body = PackInput(
        packages=[PackageInput(contents=contents[one], weight_grams=weights.get(one)) for one in sorted(contents)]
    )
    done = shipments.packed(who.deps, who.caller, request_id(form, f"pack/{number}"), shipment.shipment_id, body)
    return leave(RedirectResponse(f"/warehouse/{done.number}", 303), who.deps.console, "shipment_packed", done.number)


def _packages_of(form: Form, line: pb.ShipmentLine) -> dict[int, int]:
    """Package → units of a line: all of them in one, or some in another."""
    package = whole_units(form.text(f"package-{line.line_id}", most=2) or "1", line.line_id)
    typed = form.text(f"units-{line.line_id}", most=8)
    apart = whole_units(typed, line.line_id) if typed else 0
    if apart > line.quantity:
        raise InvalidArgument(
            "UNITS_NOT_THERE",
            f"line {line.line_id} has {line.quantity} units: put that many at most into another package",
        )
    other = whole_units(form.text(f"other-{line.line_id}", most=2) or "1", line.line_id)
    if not apart or other == package:
        return {package: line.quantity}
    parts = {package: line.quantity - apart, other: apart}
    return {one: units for one, units in parts.items() if units}


def _grams(form: Form, package: int) -> int | None:
    """What a package weighs, typed in kilograms; None where nobody weighed it."""
    typed = form.text(f"weight-{package}", most=10)
    if not typed:
        return None
    kilograms = Decimal(typed) if _KILOGRAMS.fullmatch(typed) else Decimal(0)
    if not 0 < kilograms <= 100_000:
        raise InvalidArgument("WEIGHT_UNREADABLE", f"package {package}: enter its weight in kilograms, such as 8.2")
    return int(kilograms * 1000)


@router.post("/warehouse/{number}/ship")
def ship(form: FormOf, number: ShipmentNumber) -> Response:
    """Hand it to the carrier; the same page sent twice does it once."""
    who, shipment = form.visitor, find_shipment(form.visitor, number)
    typed = [form.text(f"tracking-{each.number}", most=40) for each in shipment.packages]
    try:
        body = shipments.ShipInput(
            carrier=form.text("carrier", most=64) or None, tracking_numbers=[*filter(None, typed)]
        )
    except ValidationError as wrong:
        raise InvalidArgument(
            "TRACKING_UNREADABLE", "enter the carrier's number of each package as its label has it, or of none"
        ) from wrong
    done = shipments.handed_over(who.deps, who.caller, request_id(form, f"ship/{number}"), shipment.shipment_id, body)
    return leave(RedirectResponse("/warehouse", 303), who.deps.console, "shipment_shipped", done.number)
