"""Steps that answer like the services do, in memory: same activity names, same messages."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace

from temporalio import activity
from temporalio.exceptions import ApplicationError

from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from oms.types.v1 import types_pb2
from workflows.activities import sentences
from workflows.messages import (
    Applied,
    ApplyStep,
    ChangeStep,
    Clearance,
    Completeness,
    Credit,
    CreditStep,
    DeadlineStep,
    Done,
    OrderStep,
    Recall,
    Recorded,
    RecordStep,
    Release,
    ReleaseCleared,
    Reservation,
    Standing,
    Stop,
    Stopped,
    ValidateStep,
    Validation,
)
from workflows.sourcing_messages import SourcedAgain, SourceStep


@dataclass
class FakeServices:
    """What the five services would say; each call is counted by its activity name and kept by its business key.

    `cancellation_id` is the request to cancel that waits and `left` the shipments that have left; None believes everybody. The ship
    confirm of those that `never_left` was reversed.
    """

    validation: Validation = field(default_factory=lambda: Validation("cleared"))
    clearances: list[Clearance] = field(default_factory=list)
    cleared_releases: list[ReleaseCleared] = field(default_factory=list)
    withheld_by: list[str] = field(default_factory=list)
    recalls: list[Recall] = field(default_factory=list)
    applied: Applied | None = None
    is_granted: bool = True
    backordered: int = 0
    undeliverable: int = 0
    released: int = 1
    shipped: int = 0
    status: str = ""
    absences: Counter[str] = field(default_factory=Counter)
    is_back: asyncio.Event = field(default_factory=asyncio.Event)
    refusals: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    keys: Counter[str] = field(default_factory=Counter)
    recorded: dict[str, RecordStep] = field(default_factory=dict)
    completeness: Completeness = field(default_factory=lambda: Completeness(is_delivered=True, is_settled=True))
    standing: Standing = field(
        default_factory=lambda: Standing("received", Clearance("waiting"), Completeness(False, False))
    )
    cancellation_id: str = "can_1"
    left: frozenset[str] | None = None
    never_left: frozenset[str] = frozenset()
    credit_by: list[str] = field(default_factory=list)
    uncovered: list[int] = field(default_factory=list)
    stops: list[bool] = field(default_factory=list)
    sourced: list[SourcedAgain] = field(default_factory=list)
    forced: list[str] = field(default_factory=list)

    def called(self, name: str, key: str) -> None:
        """Note a call; be away, or refuse, as many times as the test asked for."""
        if self.absences[name]:
            self.absences[name] -= 1
            if not self.absences[name]:
                self.is_back.set()
            raise ApplicationError(f"{name}: away", type="UNREACHABLE")
        if name in self.refusals:
            raise ApplicationError("refused", type=self.refusals[name], non_retryable=True)
        self.calls.append(name)
        self.keys[key] += 1

    def milestones(self) -> list[str]:
        """What was recorded, in order."""
        return [key.rsplit("/", 1)[1] for key in self.keys if "/record/" in key]

    @activity.defn(name="billing.CommitCredit")
    async def commit_credit(self, step: CreditStep) -> Credit:
        self.called("billing.CommitCredit", step.request_id)
        self.credit_by.append(step.payment_method)
        return Credit(self.is_granted, 0, 1_000_000)

    def next_clearance(self) -> Clearance:
        """The next of those that the test lined up; the last one stays."""
        if not self.clearances:
            return Clearance("cleared")
        return self.clearances.pop(0) if len(self.clearances) > 1 else self.clearances[0]

    @activity.defn(name="orders.GetClearance")
    async def get_clearance(self, step: OrderStep) -> Clearance:
        self.called("orders.GetClearance", step.request_id)
        return replace(self.next_clearance(), cancellation_id=self.cancellation_id)

    @activity.defn(name="orders.GetStanding")
    async def get_standing(self, step: OrderStep) -> Standing:
        self.called("orders.GetStanding", step.request_id)
        return self.standing

    @activity.defn(name="orders.CheckCompleteness")
    async def check_completeness(self, step: OrderStep) -> Completeness:
        self.called("orders.CheckCompleteness", step.request_id)
        return self.completeness

    @activity.defn(name="orders.ClearRelease")
    async def clear_release(self, step: OrderStep) -> ReleaseCleared:
        self.called("orders.ClearRelease", step.request_id)
        if not self.cleared_releases:
            return ReleaseCleared(is_clear=True, clearance=Clearance("cleared"))
        return self.cleared_releases.pop(0)

    @activity.defn(name="orders.PassDeadline")
    async def pass_deadline(self, step: DeadlineStep) -> Clearance:
        self.called(f"orders.PassDeadline {step.deadline}", step.request_id)
        return self.next_clearance()

    @activity.defn(name="orders.RecordChange")
    async def record_change(self, step: ChangeStep) -> Clearance:
        self.called(f"orders.RecordChange {step.verb}", step.request_id)
        return self.next_clearance()

    @activity.defn(name="orders.ApplyChange")
    async def apply_change(self, step: ApplyStep) -> Applied:
        self.called("orders.ApplyChange", step.request_id)
        assert self.applied is not None
        return self.applied

    @activity.defn(name="billing.AdjustCredit")
    async def adjust_credit(self, step: CreditStep) -> Credit:
        self.called("billing.AdjustCredit", step.request_id)
        if step.is_forced:
            self.forced.append(step.request_id)
        return Credit(self.is_granted or step.is_forced, 0, 1_000_000)

    @activity.defn(name="inventory.AdjustReservation")
    async def adjust_reservation(self, step: OrderStep) -> Reservation:
        self.called("inventory.AdjustReservation", step.request_id)
        return self.reservation()

    @activity.defn(name="fulfillment.RequestRecall")
    async def request_recall(self, step: ChangeStep) -> Recall:
        self.called("fulfillment.RequestRecall", step.request_id)
        return self.recalls.pop(0) if self.recalls else Recall("nothing_to_recall")

    @activity.defn(name="fulfillment.WithdrawRecall")
    async def withdraw_recall(self, step: ChangeStep) -> Done:
        self.called("fulfillment.WithdrawRecall", step.request_id)
        return Done()

    @activity.defn(name="fulfillment.RecallUnpaid")
    async def recall_unpaid(self, step: OrderStep) -> Recall:
        self.called("fulfillment.RecallUnpaid", step.request_id)
        return self.recalls.pop(0) if self.recalls else Recall("not_asked")

    @activity.defn(name="billing.ReleaseCredit")
    async def release_credit(self, step: OrderStep) -> Done:
        self.called("billing.ReleaseCredit", step.request_id)
        return Done()

    @activity.defn(name="billing.CaptureInvoice")
    async def capture_invoice(self, step: OrderStep) -> Done:
        self.called("billing.CaptureInvoice", step.request_id)
        return Done("captured")

    @activity.defn(name="billing.IssueInvoice")
    async def issue_invoice(self, step: OrderStep) -> Done:
        self.called("billing.IssueInvoice", step.request_id)
        assert self.left is None or step.subject_id in self.left
        return Done("INV-000001")

    @activity.defn(name="orders.ValidateOrder")
    async def validate_order(self, step: ValidateStep) -> Validation:
        self.called("orders.ValidateOrder", step.request_id)
        return self.validation

    @activity.defn(name="orders.RecordOrder")
    async def record_order(self, step: RecordStep) -> Recorded:
        self.called("orders.RecordOrder", step.request_id)
        self.recorded[step.milestone] = step
        return Recorded(self.status or step.milestone, is_complete=False)

    @activity.defn(name="inventory.ReserveStock")
    async def reserve_stock(self, step: OrderStep) -> Reservation:
        self.called("inventory.ReserveStock", step.request_id)
        if self.undeliverable:
            self.undeliverable -= 1
            return Reservation(0, 0, is_undeliverable=True)
        return self.reservation()

    def reservation(self) -> Reservation:
        """Ten units in two warehouses, and what waits for supply until December 8."""
        held = [
            inventory_pb2.Allocation(line_id="1", sku="PUMP-100", warehouse_id="wh_dallas", quantity=7),
            inventory_pb2.Allocation(line_id="1", sku="PUMP-100", warehouse_id="wh_reno", quantity=3),
        ]
        short = inventory_pb2.Shortage(line_id="1", sku="PUMP-100", quantity=self.backordered, expected_on="2026-12-08")
        return Reservation(
            10,
            self.backordered,
            sources=sentences.sources(held, {"wh_dallas": 31_240, "wh_reno": 40_000}, "USD"),
            missing=sentences.missing([short] if self.backordered else []),
        )

    @activity.defn(name="inventory.ReleaseReservation")
    async def release_reservation(self, step: OrderStep) -> Done:
        self.called("inventory.ReleaseReservation", step.request_id)
        return Done()

    @activity.defn(name="inventory.ShipStock")
    async def ship_stock(self, step: OrderStep) -> Done:
        self.called("inventory.ShipStock", step.request_id)
        if self.left is not None and step.subject_id not in self.left:
            return Done("nothing left", is_done=False)
        freight = types_pb2.Money(minor_units=2_340, currency="USD")
        shipment = fulfillment_pb2.Shipment(
            number="SH-1001", warehouse_id="wh_dallas", carrier="ups", freight_cost=freight
        )
        return Done(sentences.left(shipment))

    @activity.defn(name="inventory.ReverseIssue")
    async def reverse_issue(self, step: OrderStep) -> Done:
        self.called("inventory.ReverseIssue", step.request_id)
        return Done("SH-1001 had not left", is_done=step.subject_id in self.never_left)

    @activity.defn(name="billing.ReverseShipmentBilling")
    async def reverse_shipment_billing(self, step: OrderStep) -> Done:
        self.called("billing.ReverseShipmentBilling", step.request_id)
        return Done("credited INV-000001 CN-1001")

    @activity.defn(name="fulfillment.ReleaseShipments")
    async def release_shipments(self, step: OrderStep) -> Release:
        self.called("fulfillment.ReleaseShipments", step.request_id)
        self.withheld_by.append(step.subject_id)
        lines = [fulfillment_pb2.ShipmentLine(line_id="1", sku="PUMP-100", quantity=10)]
        shipment = fulfillment_pb2.Shipment(number="SH-1001", warehouse_id="wh_dallas", lines=lines)
        uncovered = self.uncovered.pop(0) if self.uncovered else 0
        return Release(self.released, sentences.released([shipment] * self.released), self.backordered, uncovered)

    @activity.defn(name="fulfillment.SourceAgain")
    async def source_again(self, step: SourceStep) -> SourcedAgain:
        self.called("fulfillment.SourceAgain", step.request_id)
        if self.sourced:
            return self.sourced.pop(0)
        return SourcedAgain(True, "Dallas is closed. Now wh_reno", Release(1) if step.is_released else None)

    @activity.defn(name="fulfillment.CancelShipments")
    async def cancel_shipments(self, step: Stop) -> Stopped:
        self.called("fulfillment.CancelShipments", step.request_id)
        if step.cancellation_id not in ("", self.cancellation_id):
            return Stopped(0, 0, is_asked=False)
        self.stops.append(step.is_all_or_nothing)
        return Stopped(0 if self.shipped else 1, self.shipped, never_left=sorted(self.never_left))

    def activities(self) -> list[object]:
        """All of them, for a worker."""
        return [
            self.get_clearance,
            self.clear_release,
            self.get_standing,
            self.check_completeness,
            self.pass_deadline,
            self.record_change,
            self.apply_change,
            self.adjust_credit,
            self.adjust_reservation,
            self.request_recall,
            self.withdraw_recall,
            self.recall_unpaid,
            self.commit_credit,
            self.release_credit,
            self.issue_invoice,
            self.capture_invoice,
            self.validate_order,
            self.record_order,
            self.reserve_stock,
            self.release_reservation,
            self.ship_stock,
            self.reverse_issue,
            self.reverse_shipment_billing,
            self.release_shipments,
            self.cancel_shipments,
            self.source_again,
        ]
