"""Stock: levels, goods in, counts, and supply that is announced."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Currency, Day, Identity, Input, Name, Price, Quantity, Sku, Text, example
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfSku, OfWarehouse
from gateway.http.plumbing.shapes import MoneyShape
from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.clock import business_day
from services.kernel.errors import InvalidArgument, NotFound, Refused
from services.orders.domain.masterdata import Product
from services.orders.masterdata import catalog

router = APIRouter(tags=["stock"])


class StockLevel(BaseModel):
    """Stock of one SKU in one warehouse."""

    sku: str
    warehouse_id: str
    on_hand: int = Field(description="Units in the building.")
    allocated: int = Field(description="Units promised to orders, still in the building.")
    available: int = Field(description="on_hand - allocated.")
    expected: int = Field(description="Announced units not yet received.")
    expected_on: str | None = Field(description="The earliest announcement; null when there is none.")
    value: MoneyShape | None = Field(description="By FIFO cost layers; null for who sees no prices.")


class StockReceiptInput(Input):
    """Goods arrive."""

    warehouse_id: Identity
    sku: Sku
    quantity: Quantity
    unit_cost: Price = Field(description="What one unit cost; the goods' cost layer is made of it.")
    currency: Currency
    reference: Text = Field(default="", description="The supplier's document.")
    expected_receipt_id: Identity | None = Field(
        default=None,
        description="What they were announced as; without it the announcement of the same reference, else the one that was to come first.",
    )

    model_config = example(
        warehouse_id="wh_dallas", sku="PUMP-100", quantity=40, unit_cost="79.40", currency="USD", reference="DN-88213"
    )


class StockReceipt(BaseModel):
    """What a receipt did."""

    movement_id: str
    on_hand: int = Field(description="Units there now.")
    filled_quantity: int = Field(
        description="Units of waiting backorders that it filled at once; of a long queue the rest follows by itself."
    )
    filled_order_ids: list[str] = Field(description="Orders that got some at once, in the order they were filled.")


class StockAdjustmentInput(Input):
    """A count or a correction."""

    warehouse_id: Identity
    sku: Sku
    delta: Annotated[
        int, Field(strict=True, ge=-1_000_000, le=1_000_000, description="Units found, or missing (negative).")
    ]
    reason: Name
    unit_cost: Price | None = Field(
        default=None,
        description="What one of the units found cost; without it the last receipt's, else the standard cost.",
    )
    currency: Currency | None = Field(default=None, description="Of unit_cost.")

    model_config = example(warehouse_id="wh_dallas", sku="PUMP-100", delta=-2, reason="damaged in the rack")


class StockAdjustment(BaseModel):
    """On hand after an adjustment."""

    movement_id: str
    on_hand: int


class ExpectedReceiptInput(Input):
    """Supply that is announced, not yet here."""

    warehouse_id: Identity
    sku: Sku
    quantity: Quantity
    expected_on: Day
    reference: Name = Field(
        description="The purchase order, transfer or work order it comes from. The same one of a SKU in a warehouse again changes what is announced."
    )
    kind: Literal["purchase_order", "work_order", "transfer"] | None = Field(
        default=None, description="purchase_order where it is new and nothing is said."
    )

    model_config = example(
        warehouse_id="wh_dallas", sku="PUMP-100", quantity=60, expected_on="2026-12-09", reference="PO-4711"
    )


class ExpectedReceipt(BaseModel):
    """The stored announcement."""

    expected_receipt_id: str
    is_known: bool = Field(description="The reference had been announced before: it is the same, or was changed.")


@router.get("/v1/stock")
def list_stock(
    deps: DepsOf,
    who: CallerOf,
    paging: PagingOf,
    sku: OfSku = None,
    warehouse_id: OfWarehouse = None,
) -> Page[StockLevel]:
    """Stock levels by SKU, then warehouse."""
    found = deps.inventory.ListStock(
        pb.ListStockRequest(
            sku=known_sku(deps, sku), warehouse_id=warehouse_id or "", limit=paging.limit, cursor=paging.cursor
        )
    )
    rows = [level_shape(level, sees_money=who.sees_money) for level in found.levels]
    return Page(rows=rows, next_cursor=found.next_cursor or None)


@router.post("/v1/stock/receipts", status_code=201, response_model=StockReceipt)
def receive_stock(deps: DepsOf, body: StockReceiptInput, once: OnceWithKey) -> Response:
    """Book goods in; backorders that wait for them are filled at once, oldest order first."""

    def act(request_id: str) -> StockReceipt:
        known = body.model_copy(update={"sku": stocked(deps, body.sku).sku})
        done = deps.inventory.ReceiveStock(
            pb.ReceiveStockRequest(request_id=request_id, **known.model_dump(exclude_none=True))
        )
        return StockReceipt(
            movement_id=done.movement_id,
            on_hand=done.on_hand,
            filled_quantity=done.filled_quantity,
            filled_order_ids=list(done.filled_order_ids),
        )

    return once.answer(body, act, 201)


@router.post("/v1/stock/adjustments", status_code=201, response_model=StockAdjustment)
def adjust_stock(deps: DepsOf, body: StockAdjustmentInput, once: OnceWithKey) -> Response:
    """Book a count difference; refused while missing units are promised to orders, or when nobody knows what found ones cost."""

    def act(request_id: str) -> StockAdjustment:
        product = stocked(deps, body.sku)
        standard = product.standard_cost
        known = body.model_copy(update={"sku": product.sku})
        wanted = pb.AdjustStockRequest(
            request_id=request_id,
            **known.model_dump(exclude_none=True),
            standard_cost=standard.text if standard else "",
            standard_currency=standard.currency if standard else "",
        )
        done = deps.inventory.AdjustStock(wanted)
        return StockAdjustment(movement_id=done.movement_id, on_hand=done.on_hand)

    return once.answer(body, act, 201)


@router.post("/v1/stock/expected-receipts", status_code=201, response_model=ExpectedReceipt)
def expect_receipt(deps: DepsOf, who: CallerOf, body: ExpectedReceiptInput, once: OnceWithKey) -> Response:
    """Announce supply; backorders take its date, and the orders they belong to are told. A known reference is changed, never doubled."""

    def act(request_id: str) -> ExpectedReceipt:
        check_day(deps, body.expected_on)
        known = body.model_copy(update={"sku": stocked(deps, body.sku).sku})
        wanted = pb.ExpectReceiptRequest(
            request_id=request_id, announced_by=who.principal.sub, **known.model_dump(mode="json", exclude_none=True)
        )
        done = deps.inventory.ExpectReceipt(wanted)
        return ExpectedReceipt(expected_receipt_id=done.expected_receipt_id, is_known=done.is_known)

    return once.answer(body, act, 201)


def check_day(deps: Deps, day: date) -> None:
    """Refuse a day of supply that has passed: goods that have come are received."""
    today = business_day(deps.clock(), deps.database.time_zone)
    if day < today:
        raise InvalidArgument(
            "DATE_PAST", f"supply cannot be expected on {day}: it is {today}; receive goods that have come already"
        )


def stocked(deps: Deps, typed: str) -> Product:
    """The product by its SKU as people type it; one that is none, or never on a shelf, is refused."""
    with deps.database.reading() as session:
        sku = catalog.known_sku(session, typed)
        product = catalog.products_of(session, [sku]).get(sku)
    if product is None:
        raise NotFound("PRODUCT_UNKNOWN", f"there is no product {sku}: check the SKU, or add it to the catalog first")
    if not product.is_stocked:
        raise Refused("PRODUCT_NOT_STOCKED", f"{sku} is a service: it is performed and never on a shelf")
    return product


def known_sku(deps: Deps, typed: str | None) -> str:
    """The SKU of a filter as the catalog writes it; empty for no filter."""
    if not typed:
        return ""
    with deps.database.reading() as session:
        return catalog.known_sku(session, typed)


def level_shape(level: pb.StockLevel, *, sees_money: bool) -> StockLevel:
    """A stock level as it is shown."""
    return StockLevel(
        sku=level.sku,
        warehouse_id=level.warehouse_id,
        on_hand=level.on_hand,
        allocated=level.allocated,
        available=level.available,
        expected=level.expected,
        expected_on=level.expected_on or None,
        value=MoneyShape.of_proto(level.value) if sees_money else None,
    )
