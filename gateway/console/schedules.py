"""Schedules: when warehouses work, and the form that says so."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from gateway.console.accounting.receipts import page_key
from gateway.console.forms import whole_units_of
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import Form, FormOf, VisitorOf
from gateway.console.warehouses import known_names
from gateway.http.neighbors import schedules as api
from gateway.http.neighbors.schedules import ScheduleInput
from services.kernel.errors import InvalidArgument

router = APIRouter()

DAYS = (("mon", "Mon"), ("tue", "Tue"), ("wed", "Wed"), ("thu", "Thu"), ("fri", "Fri"), ("sat", "Sat"), ("sun", "Sun"))
_BETWEEN = re.compile(r"[\s,;]+")


@router.get("/schedules")
def schedules_page(request: Request, who: VisitorOf) -> Response:
    """When each warehouse works; one without a schedule is listed as what that means."""
    names = known_names(who.deps)
    known = {one.warehouse_id: one for one in api.every(who.deps)}
    places = [(code, names.get(code, code), known.get(code)) for code in [*names, *(known.keys() - names.keys())]]
    return render("schedules.html", who, places=places, days=DAYS, key=page_key(request, who))


@router.post("/schedules")
def put(form: FormOf) -> Response:
    """Say when a warehouse works, as the API does; what the warehouse's schedule said before is replaced."""
    place = form.text("warehouse", most=64)
    try:
        body = ScheduleInput.model_validate(_written(form))
    except ValidationError as wrong:
        raise InvalidArgument(
            "SCHEDULE_UNREADABLE",
            "choose working days, and write the time zone as America/Chicago, holidays as US or US-TX, and days off as 2026-12-24",
        ) from wrong
    api.put(form.visitor.deps, place, body, None)
    return leave(RedirectResponse("/schedules", 303), form.visitor.deps.console, "schedule_put", place)


def _written(form: Form) -> dict[str, object]:
    units = form.text("daily_units", most=9)
    return {
        "time_zone": form.text("time_zone", most=64) or "UTC",
        "working_days": [day for day, _ in DAYS if form.text(f"day-{day}", most=3)],
        "holidays_of": form.text("holidays_of", most=9).upper(),
        "closed_on": list(filter(None, _BETWEEN.split(form.text("closed_on", most=4_400)))),
        "cut_off": form.text("cut_off", most=5) or None,
        "daily_units": whole_units_of("units a day", units) if units else None,
    }
