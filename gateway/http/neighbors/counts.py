"""Counts: the books follow what is there, and orders that are promised more than that wait again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from gateway.http.neighbors.stock import stocked
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import MAX_QUANTITY, Currency, Identity, Input, Name, Price, Sku, example
from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from oms.inventory.v1 import counts_pb2 as pb
from services.kernel.errors import Conflict
from services.orders.access.matrix import Caller
from services.orders.overview import backordered

router = APIRouter(tags=["stock"])

TRIES = 4
"""Times that a count is tried while orders take up what is counted."""
_ORDERS = 500
_RELEASED = fulfillment.SHIPMENT_STATE_RELEASED
_PICKED = frozenset({fulfillment.SHIPMENT_STATE_PICKED, fulfillment.SHIPMENT_STATE_PACKED})
_CANCELLED = fulfillment.SHIPMENT_STATE_CANCELLED
Units = Annotated[int, Field(strict=True, ge=0, le=MAX_QUANTITY)]


class StockCountInput(Input):
    """What somebody counted."""

    warehouse_id: Identity
    sku: Sku
    counted: Units = Field(description="Units in the building, those that are picked and packed included.")
    reason: Name = Field(default="cycle count", description="Why it was counted.")
    unit_cost: Price | None = Field(
        default=None,
        description="What one of the units found cost; without it the last receipt's, else the standard cost.",
    )
    currency: Currency | None = Field(default=None, description="Of unit_cost.")

    model_config = example(warehouse_id="wh_dallas", sku="PUMP-100", counted=12, reason="cycle count")


class StockCountLoss(BaseModel):
    """Units that an order is promised and that are not there; they wait again, in the order's old place."""

    order_id: str
    order_number: str | None
    customer_name: str | None
    line_id: str
    quantity: int
    released_quantity: int = Field(description="Units of those that were with the warehouse and not picked.")


class StockCount(BaseModel):
    """What a count comes to."""

    count_id: str | None = Field(description="Null of a preview.")
    sku: str
    warehouse_id: str
    on_hand_before: int = Field(description="Units as the books had them.")
    on_hand: int
    delta: int = Field(description="Units found, or missing (negative).")
    losses: list[StockCountLoss] = Field(
        description="Who loses goods, the last to be served first: what no shipment has before what is released, never what is picked."
    )


@router.post(
    "/v1/stock/counts",
    status_code=201,
    response_model=StockCount,
    responses={200: {"model": StockCount, "description": "A preview: nothing has changed."}},
)
def record_stock_count(
    deps: DepsOf,
    who: CallerOf,
    body: StockCountInput,
    once: OnceWithKey,
    preview: Annotated[bool, Query(description="Only say what it would come to.")] = False,
) -> Response:
    """Record what was counted. Where less is there than is promised, who would be served last loses first and becomes a backorder.

    What is released and lost leaves its shipment; what is picked is never taken. The orders concerned are told once.
    """
    if preview:
        return JSONResponse(previewed(deps, who, body).model_dump(mode="json"))
    return once.answer(body, lambda request_id: record(deps, who, body, request_id), 201)


def previewed(deps: Deps, who: Caller, body: StockCountInput) -> StockCount:
    """What a count would come to as things are."""
    sent = _request(deps, who, body, "")
    sent.is_preview = True
    return _shape(deps, sent, deps.inventory.CountStock(sent))


def record(deps: Deps, who: Caller, body: StockCountInput, request_id: str) -> StockCount:
    """Book a count, and take what is not there out of shipments; asked again, what is left of that is done."""
    sent, done = _booked(deps, who, body, request_id, TRIES)
    if done.losses:
        recall_uncovered(deps, done.count_id)
    return _shape(deps, sent, done)


def _booked(
    deps: Deps, who: Caller, body: StockCountInput, request_id: str, tries: int
) -> tuple[pb.CountStockRequest, pb.CountStockResponse]:
    sent = _request(deps, who, body, request_id)
    try:
        return sent, deps.inventory.CountStock(sent)
    except Conflict:  # somebody was promised some of it meanwhile
        if tries == 1:
            raise
    return _booked(deps, who, body, request_id, tries - 1)


def _request(deps: Deps, who: Caller, body: StockCountInput, request_id: str) -> pb.CountStockRequest:
    product = stocked(deps, body.sku)
    standard = product.standard_cost
    asked = pb.ListHoldersRequest(warehouse_id=body.warehouse_id, sku=product.sku)
    holders = deps.inventory.ListHolders(asked).holders
    shipments = shipments_of(deps, {one.order_id for one in holders})
    return pb.CountStockRequest(
        request_id=request_id,
        warehouse_id=body.warehouse_id,
        sku=product.sku,
        counted=body.counted,
        reason=body.reason,
        counted_by=who.principal.sub,
        carried=carried_units(holders, shipments, body.warehouse_id),
        unit_cost=body.unit_cost or "",
        currency=body.currency or "",
        standard_cost=standard.text if standard else "",
        standard_currency=standard.currency if standard else "",
    )


def shipments_of(deps: Deps, order_ids: Collection[str]) -> list[fulfillment.Shipment]:
    """Every shipment of these orders."""
    found: list[fulfillment.Shipment] = []
    wanted = sorted(order_ids)
    for start in range(0, len(wanted), _ORDERS):
        cursor, is_first = "", True
        while is_first or cursor:
            page = deps.fulfillment.ListShipments(
                fulfillment.ListShipmentsRequest(
                    order_ids=wanted[start : start + _ORDERS], limit=_ORDERS, cursor=cursor
                )
            )
            found += page.shipments
            cursor, is_first = page.next_cursor, False
    return found


def begun_orders(shipments: Iterable[fulfillment.Shipment]) -> set[str]:
    """Orders of which goods are picked or have left, wherever that is."""
    return {one.order_id for one in shipments if not one.is_service and one.state not in (_RELEASED, _CANCELLED)}


def carried_units(
    holders: Iterable[pb.Holder], shipments: Iterable[fulfillment.Shipment], warehouse_id: str
) -> list[pb.CarriedUnits]:
    """What shipments carry of each holder; zeros where none does."""
    released: Counter[tuple[str, str]] = Counter()
    picked: Counter[tuple[str, str]] = Counter()
    left: Counter[tuple[str, str]] = Counter()
    rows = [*shipments]
    begun = begun_orders(rows)
    for each in rows:
        if each.is_service or each.state == _CANCELLED:
            continue
        counted = released if each.state == _RELEASED else picked if each.state in _PICKED else left
        for line in each.lines if each.warehouse_id == warehouse_id else ():
            counted[each.order_id, line.line_id] += line.quantity
    return [
        pb.CarriedUnits(
            order_id=one.order_id,
            line_id=one.line_id,
            released_quantity=released[one.order_id, one.line_id],
            picked_quantity=picked[one.order_id, one.line_id],
            left_quantity=left[one.order_id, one.line_id],
            is_begun=one.order_id in begun,
        )
        for one in holders
    ]


def recall_uncovered(deps: Deps, count_id: str) -> None:
    """Take out of shipments what stock is allocated for no more; a sweep does the same where this process ends before it has."""
    for count in deps.inventory.ListOpenCounts(pb.ListOpenCountsRequest(count_id=count_id)).counts:
        for losing in count.orders:
            covered = [
                fulfillment.LineUnits(line_id=one.line_id, warehouse_id=one.warehouse_id, quantity=one.quantity)
                for one in losing.covered
            ]
            deps.fulfillment.RecallUncovered(
                fulfillment.RecallUncoveredRequest(
                    order_id=losing.order_id,
                    count_id=count.count_id,
                    covered=covered,
                    reason=count.why,
                    is_whole_order=losing.is_whole_order,
                    short=losing.short if losing.HasField("short") else None,
                )
            )
        deps.inventory.CloseCount(pb.CloseCountRequest(count_id=count.count_id))


def _shape(deps: Deps, sent: pb.CountStockRequest, done: pb.CountStockResponse) -> StockCount:
    with deps.database.reading() as session:
        lines = backordered.lines(session, [(one.order_id, one.line_id) for one in done.losses])
    return StockCount(
        count_id=done.count_id or None,
        sku=sent.sku,
        warehouse_id=sent.warehouse_id,
        on_hand_before=done.on_hand_before,
        on_hand=done.on_hand,
        delta=done.delta,
        losses=[
            StockCountLoss(
                order_id=one.order_id,
                order_number=line.number if (line := lines.get((one.order_id, one.line_id))) else None,
                customer_name=line.customer_name if line else None,
                line_id=one.line_id,
                quantity=one.quantity,
                released_quantity=one.released_quantity,
            )
            for one in done.losses
        ],
    )
