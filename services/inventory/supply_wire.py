"""Supply and movements for the wire."""

from __future__ import annotations

from collections.abc import Sequence

from oms.inventory.v1 import supply_pb2 as pb
from services.inventory import wire
from services.inventory.domain.supply import ExpectedReceipt, Outlook, SupplyChange, WantedChange
from services.inventory.store.movements import Movement
from services.kernel.clock import micros
from services.kernel.quantity import MAX_QUANTITY
from services.kernel.text import optional_text, text
from services.runtime.wire import money

MOST_RECEIPTS = 100
MOST_TAKERS = 50


def wanted_change(request: pb.ChangeExpectedReceiptRequest) -> WantedChange:
    """What an expected receipt is to be."""
    return WantedChange(
        wire.identity(request.expected_receipt_id, "expected_receipt_id"),
        wire.day(request.expected_on, "expected_on") if request.expected_on else "",
        wire.within(request.quantity, 0, MAX_QUANTITY, "quantity"),
        optional_text(request.reason, "reason"),
        optional_text(request.changed_by, "changed_by"),
    )


def cancelled(request: pb.CancelExpectedReceiptRequest) -> tuple[str, str, str]:
    """Which receipt is cancelled, why and by whom."""
    identity = wire.identity(request.expected_receipt_id, "expected_receipt_id")
    return identity, text(request.reason, "reason"), optional_text(request.changed_by, "changed_by")


def receipt_message(one: ExpectedReceipt, changes: Sequence[SupplyChange] = ()) -> pb.ExpectedReceipt:
    """An expected receipt, and what became of it."""
    return pb.ExpectedReceipt(
        expected_receipt_id=one.expected_receipt_id,
        warehouse_id=one.warehouse_id,
        sku=one.sku,
        kind=one.kind,
        reference=one.reference,
        quantity=one.quantity,
        received_quantity=one.received,
        remaining_quantity=one.remaining,
        cancelled_quantity=one.cancelled,
        expected_on=one.expected_on,
        changes=[_change(each) for each in changes],
    )


def _change(one: SupplyChange) -> pb.SupplyChange:
    return pb.SupplyChange(
        verb=one.verb,
        changed_at_micros=micros(one.changed_at),
        changed_by=one.changed_by,
        reason=one.reason,
        expected_on=one.expected_on,
        remaining_quantity=one.remaining,
    )


def movement_message(one: Movement) -> pb.Movement:
    """A movement."""
    return pb.Movement(
        movement_id=one.movement_id,
        warehouse_id=one.warehouse_id,
        sku=one.sku,
        kind=one.kind,
        quantity=one.quantity,
        value=money(one.value),
        order_id=one.order_id,
        shipment_id=one.shipment_id,
        reference=one.reference,
        occurred_at_micros=micros(one.occurred_at),
    )


def outlook_message(found: Outlook) -> pb.GetSupplyOutlookResponse:
    """What comes, who gets it, and what is left to promise."""
    return pb.GetSupplyOutlookResponse(
        receipts=[
            pb.OutlookReceipt(
                receipt=receipt_message(receipt),
                due_on=due_on,
                is_overdue=receipt.expected_on < due_on,
                takers=[
                    pb.Taker(order_id=one.backorder.order_id, line_id=one.backorder.line_id, quantity=one.quantity)
                    for one in takers[:MOST_TAKERS]
                ],
                taken_quantity=sum(one.quantity for one in takers),
            )
            for receipt, due_on, takers in found.receipts[:MOST_RECEIPTS]
        ],
        atp=[pb.AtpDay(day=day, quantity=units) for day, units in found.atp[: MOST_RECEIPTS + 1]],
        uncovered_quantity=found.uncovered,
    )
