"""Counting: what is there, what that comes to and whose goods it takes, and then the button that records it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.forms import whole_units_of
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, VisitorOf
from gateway.console.warehouses import warehouses_of
from gateway.http.neighbors import counts as api
from gateway.http.neighbors.counts import StockCountInput
from gateway.http.plumbing.inputs import IDENTITY
from services.kernel.errors import InvalidArgument

router = APIRouter()

REASON = "cycle count"
Typed = Annotated[str, Query(max_length=64, pattern=f"^$|{IDENTITY}")]
Sku = Annotated[str, Query(max_length=64)]
Units = Annotated[str, Query(max_length=8)]


@router.get("/count")
def count_page(
    request: Request, who: VisitorOf, sku: Sku = "", warehouse: Typed = "", counted: Units = "", reason: Sku = ""
) -> Response:
    """The form; with a figure also what it comes to. Nothing is changed."""
    body = _body(sku, warehouse, counted, reason) if counted else None
    return render(
        "count.html",
        who,
        places=warehouses_of(who.deps),
        sku=sku,
        warehouse=warehouse,
        counted=counted,
        why=reason or REASON,
        found=api.previewed(who.deps, who.caller, body) if body else None,
        key=page_key(request, who),
    )


@router.post("/count")
def record_count(form: FormOf) -> Response:
    """Record it, as the API does; the same page sent twice records it once."""
    who = form.visitor
    warehouse = form.text("warehouse", most=64)
    body = _body(form.text("sku", most=64), warehouse, form.text("counted", most=8), form.text("reason", most=200))
    done = api.record(who.deps, who.caller, body, request_id(form, f"count/{body.model_dump_json()}"))
    said = "counted_with_losses" if done.losses else "counted"
    return leave(RedirectResponse(f"/count?warehouse={warehouse}", 303), who.deps.console, said)


def _body(sku: str, warehouse: str, counted: str, reason: str) -> StockCountInput:
    units = whole_units_of("units counted", counted)
    try:
        return StockCountInput(sku=sku, warehouse_id=warehouse, counted=units, reason=reason or REASON)
    except ValidationError as wrong:
        raise InvalidArgument(
            "COUNT_INCOMPLETE", "enter the SKU, choose the warehouse, and enter from 0 to 1,000,000 units"
        ) from wrong
