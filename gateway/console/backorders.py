"""Backorders: who waits for what, since when and why in that order, what is at risk, and what more goods would come to."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import RedirectResponse

from gateway.console.forms import whole_units_of
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.readable import money
from gateway.console.visitor import FormOf, Visitor, VisitorOf
from gateway.console.warehouses import warehouses_of
from gateway.http.neighbors import allocation_policy
from gateway.http.neighbors import backorders as api
from gateway.http.neighbors.backorders import Backorder, WhatIf, WhatIfInput
from gateway.http.neighbors.stock import known_sku
from gateway.http.plumbing.inputs import IDENTITY
from oms.inventory.v1 import allocation_pb2
from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.kernel.quantity import MAX_QUANTITY

router = APIRouter()

PAGE = 100
Typed = Annotated[str, Query(max_length=64, pattern=f"^$|{IDENTITY}")]
Sku = Annotated[str, Query(max_length=64, pattern=r"^$|^[A-Za-z0-9][A-Za-z0-9._/+#-]*$")]
Units = Annotated[str, Query(max_length=8)]
Named = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get("/backorders")
def backorders_page(
    who: VisitorOf, sku: Sku = "", warehouse: Typed = "", after: Typed = "", units: Units = ""
) -> Response:
    """The queue of a SKU, of a warehouse or of all; with `units` also who would get them."""
    wanted = known_sku(who.deps, sku)
    found = who.deps.inventory.ListBackorders(
        pb.ListBackordersRequest(sku=wanted, warehouse_id=warehouse, limit=PAGE, cursor=after)
    )
    rows = api.rows_of(who.deps, who.caller, found.backorders)
    places = warehouses_of(who.deps)
    return render(
        "backorders.html",
        who,
        rows=rows,
        at_risk=_at_risk(rows),
        policy=allocation_policy.read(who.deps),
        places=places,
        names=dict(places),
        sku=wanted or sku,
        warehouse=warehouse,
        units=units,
        what_if=_what_if(who, wanted, warehouse, units) if units else None,
        following=found.next_cursor,
    )


def _what_if(who: Visitor, sku: str, warehouse: str, units: str) -> WhatIf:
    if not sku or not warehouse:
        raise InvalidArgument("FIELD_MISSING", "enter the SKU and choose the warehouse that the goods would come to")
    count = whole_units_of("units", units)
    if not 1 <= count <= MAX_QUANTITY:
        raise InvalidArgument("QUANTITY_OUT_OF_RANGE", f"enter from 1 to {MAX_QUANTITY:,} units")
    return api.what_if(who.deps, who.caller, WhatIfInput(sku=sku, warehouse_id=warehouse, quantity=count))


def _at_risk(rows: list[Backorder]) -> list[Money]:
    """What the shown units were sold for, by currency."""
    sums: dict[str, Money] = {}
    for row in rows:
        if row.value is not None:
            value = money(row.value)
            sums[value.currency] = sums.get(value.currency, Money(0, value.currency)) + value
    return [sums[currency] for currency in sorted(sums)]


@router.post("/backorders/{backorder_id}/release")
def release_backorder(form: FormOf, backorder_id: Named) -> Response:
    """Let a backorder be filled that waits for a person, as the API does."""
    who = form.visitor
    who.deps.inventory.ReleaseBackorder(allocation_pb2.ReleaseBackorderRequest(backorder_id=backorder_id))
    return _back(form, "backorder_released")


@router.post("/backorders/orders/{order_id}/expedite")
def expedite_order(form: FormOf, order_id: Named) -> Response:
    """Make an order urgent, or no more so, as the API does."""
    who = form.visitor
    is_expedited = form.text("urgent", most=3) == "yes"
    api.expedite(who.deps, who.caller, order_id, is_expedited=is_expedited)
    return _back(form, "order_expedited" if is_expedited else "order_not_expedited")


def _back(form: FormOf, said: str) -> Response:
    sku, warehouse = form.text("sku", most=64), form.text("warehouse", most=64)
    query = urlencode({name: value for name, value in (("sku", sku), ("warehouse", warehouse)) if value})
    return leave(RedirectResponse(f"/backorders?{query}", 303), form.visitor.deps.console, said)
