"""Supply that is announced: changed, cancelled and listed; what moved in the past; and what comes, who gets it, what may be promised."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.stock import check_day, known_sku
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Day, Input, Name, Quantity, Sku, Text, example
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfSku, OfWarehouse, path_id
from gateway.http.plumbing.shapes import MoneyShape, rfc3339
from oms.inventory.v1 import supply_pb2 as pb
from services.kernel.clock import from_micros

router = APIRouter(tags=["stock"])

Receipt = Annotated[str, path_id("The expected receipt's id, as the list gives it.", "exp_01")]
Kind = Literal["purchase_order", "work_order", "transfer"]
OfReference = Annotated[Name | None, Query(description="Only of this purchase order, work order or transfer.")]
StockedSku = Annotated[Sku, Query(description="The SKU.", examples=["PUMP-100"])]


class SupplyChangeShape(BaseModel):
    """What became of an expected receipt."""

    verb: Literal["announced", "changed", "cancelled", "received"]
    changed_at: str
    changed_by: str | None = Field(description="Null where goods came.")
    reason: str
    expected_on: str
    remaining_quantity: int


class ListedReceiptShape(BaseModel):
    """Supply that is announced for a warehouse under a reference."""

    expected_receipt_id: str
    warehouse_id: str
    sku: str
    kind: Kind
    reference: str
    quantity: int
    received_quantity: int = Field(description="Units that have come.")
    remaining_quantity: int = Field(description="Units still to come.")
    cancelled_quantity: int = Field(description="Units that will not come.")
    expected_on: str
    changes: list[SupplyChangeShape] = Field(description="The newest first, at most 10.")


class SupplyChanged(BaseModel):
    """An expected receipt as it is now."""

    receipt: ListedReceiptShape
    moved_order_count: int = Field(description="Orders whose expected day it moved; each is told.")


class ReceiptChangeInput(Input):
    """What is another; what is left out stays."""

    expected_on: Day | None = None
    quantity: Quantity | None = Field(default=None, description="Units in all, those that have come included.")
    reason: Text = ""

    model_config = example(expected_on="2026-12-16", reason="the vessel is late")


class ReceiptCancellationInput(Input):
    """Why nothing more comes."""

    reason: Name

    model_config = example(reason="the supplier cannot deliver")


class MovementShape(BaseModel):
    """Units that came to a warehouse or left it."""

    movement_id: str
    warehouse_id: str
    sku: str
    kind: Literal["received", "issued", "adjusted", "reversed"]
    quantity: int = Field(description="Negative where they left.")
    value: MoneyShape | None = Field(description="What they were worth; null for who sees no prices.")
    order_id: str | None
    shipment_id: str | None
    reference: str
    occurred_at: str


@router.get("/v1/stock/expected-receipts")
def list_expected_receipts(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    sku: OfSku = None,
    warehouse_id: OfWarehouse = None,
    reference: OfReference = None,
    is_all: Annotated[bool, Query(alias="all", description="Those of which nothing is to come any more too.")] = False,
) -> Page[ListedReceiptShape]:
    """Supply that is announced, the first to come first, with what became of it."""
    found = deps.inventory.ListExpectedReceipts(
        pb.ListExpectedReceiptsRequest(
            sku=known_sku(deps, sku),
            warehouse_id=warehouse_id or "",
            reference=reference or "",
            is_all=is_all,
            limit=paging.limit,
            cursor=paging.cursor,
        )
    )
    return Page(rows=[receipt_shape(one) for one in found.receipts], next_cursor=found.next_cursor or None)


@router.post("/v1/stock/expected-receipts/{expected_receipt_id}/change", response_model=SupplyChanged)
def change_expected_receipt(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, expected_receipt_id: Receipt, body: ReceiptChangeInput
) -> Response:
    """Change the day or the quantity of an expected receipt; each order whose promised day it moves is told."""

    def act(request_id: str) -> SupplyChanged:
        return change(deps, who.principal.sub, expected_receipt_id, body, request_id)

    return once.answer(body, act)


def change(deps: Deps, sub: str, expected_receipt_id: str, body: ReceiptChangeInput, request_id: str) -> SupplyChanged:
    """Have inventory change a receipt."""
    if body.expected_on is not None:
        check_day(deps, body.expected_on)
    done = deps.inventory.ChangeExpectedReceipt(
        pb.ChangeExpectedReceiptRequest(
            request_id=request_id,
            expected_receipt_id=expected_receipt_id,
            expected_on=body.expected_on.isoformat() if body.expected_on else "",
            quantity=body.quantity or 0,
            reason=body.reason,
            changed_by=sub,
        )
    )
    return SupplyChanged(receipt=receipt_shape(done.receipt), moved_order_count=done.moved_order_count)


@router.post("/v1/stock/expected-receipts/{expected_receipt_id}/cancel", response_model=SupplyChanged)
def cancel_expected_receipt(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, expected_receipt_id: Receipt, body: ReceiptCancellationInput
) -> Response:
    """Expect nothing more of a receipt; each order whose promised day that moves is told."""

    def act(request_id: str) -> SupplyChanged:
        return cancel(deps, who.principal.sub, expected_receipt_id, body.reason, request_id)

    return once.answer(body, act)


def cancel(deps: Deps, sub: str, expected_receipt_id: str, reason: str, request_id: str) -> SupplyChanged:
    """Have inventory expect nothing more of a receipt."""
    done = deps.inventory.CancelExpectedReceipt(
        pb.CancelExpectedReceiptRequest(
            request_id=request_id, expected_receipt_id=expected_receipt_id, reason=reason, changed_by=sub
        )
    )
    return SupplyChanged(receipt=receipt_shape(done.receipt), moved_order_count=done.moved_order_count)


@router.get("/v1/stock/movements")
def list_movements(
    deps: DepsOf, who: CallerOf, paging: PagingOf, sku: StockedSku, warehouse_id: OfWarehouse = None
) -> Page[MovementShape]:
    """What came to the warehouses of a SKU and what left them, the newest first."""
    wanted = pb.ListMovementsRequest(
        sku=known_sku(deps, sku), warehouse_id=warehouse_id or "", limit=paging.limit, cursor=paging.cursor
    )
    found = deps.inventory.ListMovements(wanted)
    rows = [movement_shape(one, sees_money=who.sees_money) for one in found.movements]
    return Page(rows=rows, next_cursor=found.next_cursor or None)


def receipt_shape(one: pb.ExpectedReceipt) -> ListedReceiptShape:
    """A receipt as it is shown."""
    return ListedReceiptShape(
        expected_receipt_id=one.expected_receipt_id,
        warehouse_id=one.warehouse_id,
        sku=one.sku,
        kind=one.kind,  # type: ignore[arg-type]  # one of three words
        reference=one.reference,
        quantity=one.quantity,
        received_quantity=one.received_quantity,
        remaining_quantity=one.remaining_quantity,
        cancelled_quantity=one.cancelled_quantity,
        expected_on=one.expected_on,
        changes=[
            SupplyChangeShape(
                verb=each.verb,  # type: ignore[arg-type]  # one of four words
                changed_at=rfc3339(from_micros(each.changed_at_micros)),
                changed_by=each.changed_by or None,
                reason=each.reason,
                expected_on=each.expected_on,
                remaining_quantity=each.remaining_quantity,
            )
            for each in one.changes
        ],
    )


def movement_shape(one: pb.Movement, *, sees_money: bool) -> MovementShape:
    """A movement as it is shown."""
    return MovementShape(
        movement_id=one.movement_id,
        warehouse_id=one.warehouse_id,
        sku=one.sku,
        kind=one.kind,  # type: ignore[arg-type]  # one of four words
        quantity=one.quantity,
        value=MoneyShape.of_proto(one.value) if sees_money else None,
        order_id=one.order_id or None,
        shipment_id=one.shipment_id or None,
        reference=one.reference,
        occurred_at=rfc3339(from_micros(one.occurred_at_micros)),
    )
