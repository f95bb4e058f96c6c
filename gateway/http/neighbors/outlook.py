"""What comes of a SKU, who gets it if everything comes as announced, and what may be promised from which day."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.http.neighbors.stock import known_sku
from gateway.http.neighbors.supply import Kind, StockedSku
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.parameters import OfWarehouse
from oms.inventory.v1 import supply_pb2 as pb
from services.orders.access.matrix import Caller
from services.orders.approvals import kept_promises

router = APIRouter(tags=["stock"])


class TakerShape(BaseModel):
    """Units that a waiting order line gets."""

    order_id: str
    order_number: str | None = Field(description="Null for an order that the caller may not read.")
    line_id: str
    quantity: int


class OutlookReceiptShape(BaseModel):
    """A receipt that is to come, and who gets it if everything comes as announced."""

    expected_receipt_id: str
    warehouse_id: str
    kind: Kind
    reference: str
    remaining_quantity: int
    expected_on: str
    due_on: str = Field(description="The day that counts: today where the receipt is overdue.")
    is_overdue: bool
    takers: list[TakerShape] = Field(description="First to be filled first, at most 50.")
    taken_quantity: int


class AtpDayShape(BaseModel):
    """What may be promised from a day on."""

    day: str
    quantity: int


class Outlook(BaseModel):
    """What comes of a SKU, who gets it, and what is left to promise."""

    sku: str
    receipts: list[OutlookReceiptShape] = Field(description="The first to come first, at most 100.")
    atp: list[AtpDayShape] = Field(description="Available to promise by day, from today on, a row where it changes.")
    uncovered_quantity: int = Field(description="Units that orders wait for and nothing announced brings.")


@router.get("/v1/stock/outlook")
def get_outlook(deps: DepsOf, who: CallerOf, sku: StockedSku, warehouse_id: OfWarehouse = None) -> Outlook:
    """What comes of a SKU, who gets it if everything comes as announced, and what may be promised from which day (ATP)."""
    return outlook(deps, who, known_sku(deps, sku), warehouse_id or "")


def outlook(deps: Deps, who: Caller, sku: str, place: str) -> Outlook:
    """The outlook of a SKU, at one warehouse where it is named, with the numbers of the orders that the caller may read."""
    found = deps.inventory.GetSupplyOutlook(pb.GetSupplyOutlookRequest(sku=sku, warehouse_id=place))
    waiting = {taker.order_id for one in found.receipts for taker in one.takers}
    with deps.database.reading() as session:
        numbers = kept_promises.numbers_of(session, waiting, who.scope) if waiting else {}
    return Outlook(
        sku=sku,
        receipts=[_receipt(one, numbers) for one in found.receipts],
        atp=[AtpDayShape(day=one.day, quantity=one.quantity) for one in found.atp],
        uncovered_quantity=found.uncovered_quantity,
    )


def _receipt(one: pb.OutlookReceipt, numbers: dict[str, str]) -> OutlookReceiptShape:
    receipt = one.receipt
    return OutlookReceiptShape(
        expected_receipt_id=receipt.expected_receipt_id,
        warehouse_id=receipt.warehouse_id,
        kind=receipt.kind,  # type: ignore[arg-type]  # one of three words
        reference=receipt.reference,
        remaining_quantity=receipt.remaining_quantity,
        expected_on=receipt.expected_on,
        due_on=one.due_on,
        is_overdue=one.is_overdue,
        takers=[
            TakerShape(
                order_id=taker.order_id,
                order_number=numbers.get(taker.order_id),
                line_id=taker.line_id,
                quantity=taker.quantity,
            )
            for taker in one.takers
        ],
        taken_quantity=one.taken_quantity,
    )
