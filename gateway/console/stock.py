"""Stock: what is where, and of one SKU what moved, what comes when, and who gets it next."""

from __future__ import annotations

from collections import Counter
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.entries import day
from gateway.console.forms import whole_units_of
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.supply_chart import supply_chart
from gateway.console.visitor import Form, FormOf, Visitor, VisitorOf
from gateway.console.warehouses import warehouses_of
from gateway.http.neighbors import outlook as coming
from gateway.http.neighbors import supply as api
from gateway.http.neighbors.stock import known_sku, level_shape
from gateway.http.neighbors.supply import ReceiptChangeInput
from gateway.http.plumbing.inputs import IDENTITY
from oms.inventory.v1 import bins_pb2, supply_pb2
from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.errors import InvalidArgument
from services.orders.order import lookup
from services.orders.returns import reading

router = APIRouter()

PAGE = 100
MOST_MOVEMENTS = 50
Typed = Annotated[str, Query(max_length=64)]
TypedWarehouse = Annotated[str, Query(max_length=64, pattern=f"^$|{IDENTITY}")]
TypedCursor = Annotated[str, Query(max_length=200)]
ReceiptId = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get("/stock")
def stock_page(
    request: Request, who: VisitorOf, sku: Typed = "", warehouse: TypedWarehouse = "", after: TypedCursor = ""
) -> Response:
    """Stock by SKU and warehouse; of one SKU also what comes, who gets it, and what moved."""
    known = known_sku(who.deps, sku.strip() or None)
    wanted = pb.ListStockRequest(sku=known, warehouse_id=warehouse, limit=PAGE, cursor=after)
    found = who.deps.inventory.ListStock(wanted)
    sees_money, places = who.caller.sees_money, warehouses_of(who.deps)
    return render(
        "stock.html",
        who,
        sku=known,
        warehouse=warehouse,
        places=places,
        names=dict(places),
        levels=[level_shape(one, sees_money=sees_money) for one in found.levels],
        following=found.next_cursor,
        key=page_key(request, who),
        **(_of_sku(who, known, warehouse) if known else {"outlook": None}),
    )


def _of_sku(who: Visitor, sku: str, warehouse: str) -> dict[str, object]:
    """What comes of a SKU and who gets it, what is in quarantine, and what moved."""
    deps, sees_money = who.deps, who.caller.sees_money
    outlook = coming.outlook(deps, who.caller, sku, warehouse)
    moved = deps.inventory.ListMovements(
        supply_pb2.ListMovementsRequest(sku=sku, warehouse_id=warehouse, limit=MOST_MOVEMENTS)
    )
    with deps.database.reading() as session:
        orders = lookup.numbers(session, {one.order_id for one in moved.movements if one.order_id})
        returns = reading.numbers(session, {one.reference for one in moved.movements if one.reference})
    return {
        "outlook": outlook,
        "orders": orders,
        "returns": returns,
        "chart": supply_chart(outlook),
        "movements": [api.movement_shape(one, sees_money=sees_money) for one in moved.movements],
        "quarantined": _quarantined(who, sku, warehouse),
        "bins": _bins(who, sku),
    }


def _bins(who: Visitor, sku: str) -> list[tuple[str, str]]:
    """(Warehouse, bin) of a SKU."""
    found = who.deps.inventory.ListBins(bins_pb2.ListBinsRequest(skus=[sku], limit=PAGE)).bins
    return [(one.warehouse_id, one.bin) for one in found]


def _quarantined(who: Visitor, sku: str, warehouse: str) -> Counter[str]:
    """Warehouse → units of a SKU that are in its quarantine."""
    units: Counter[str] = Counter()
    cursor, is_first = "", True
    while is_first or cursor:
        wanted = pb.ListQuarantineRequest(sku=sku, warehouse_id=warehouse, limit=PAGE, cursor=cursor)
        found = who.deps.inventory.ListQuarantine(wanted)
        for one in found.units:
            units[one.warehouse_id] += one.quantity
        cursor, is_first = found.next_cursor, False
    return units


@router.post("/stock/receipts/{expected_receipt_id}/change")
def change_receipt(form: FormOf, expected_receipt_id: ReceiptId) -> Response:
    """Give an expected receipt another day or quantity, as the API does."""
    who = form.visitor
    on, units = form.text("expected_on", most=10), form.text("quantity", most=8)
    try:
        body = ReceiptChangeInput(
            expected_on=day(on, "day") if on else None,
            quantity=whole_units_of("units in all", units) if units else None,
            reason=form.text("reason", most=200),
        )
    except ValidationError as wrong:
        raise InvalidArgument("RECEIPT_UNREADABLE", "enter a day such as 2026-12-16 and at least one unit") from wrong
    key = request_id(form, f"receipts/{expected_receipt_id}/{body.model_dump_json()}")
    api.change(who.deps, who.caller.principal.sub, expected_receipt_id, body, key)
    return _back(form, "receipt_changed")


@router.post("/stock/receipts/{expected_receipt_id}/cancel")
def cancel_receipt(form: FormOf, expected_receipt_id: ReceiptId) -> Response:
    """Expect nothing more of a receipt, as the API does."""
    who, reason = form.visitor, form.text("reason", most=200)
    if not reason:
        raise InvalidArgument("REASON_MISSING", "say why nothing more comes")
    key = request_id(form, f"receipts/{expected_receipt_id}/cancel")
    api.cancel(who.deps, who.caller.principal.sub, expected_receipt_id, reason, key)
    return _back(form, "receipt_cancelled")


def _back(form: Form, notice: str) -> Response:
    sku = form.text("sku", most=64)
    return leave(RedirectResponse(f"/stock?sku={quote(sku, safe='')}", 303), form.visitor.deps.console, notice)
