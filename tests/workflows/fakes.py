"""Steps that answer like the services do, in memory: same activity names, same messages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows.messages import (
    Credit,
    CreditStep,
    Done,
    OrderStep,
    Recorded,
    RecordStep,
    Release,
    Reservation,
    Stopped,
    ValidateStep,
    Validation,
)


@dataclass
class FakeServices:
    """What the five services would say; each call is counted by its activity name and kept by its business key."""

    validation: Validation = field(default_factory=lambda: Validation("cleared"))
    is_granted: bool = True
    backordered: int = 0
    shipped: int = 0
    absences: Counter[str] = field(default_factory=Counter)
    refusals: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    keys: Counter[str] = field(default_factory=Counter)

    def called(self, name: str, key: str) -> None:
        """Note a call; be away, or refuse, as many times as the test asked for."""
        if self.absences[name]:
            self.absences[name] -= 1
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
        return Credit(self.is_granted or step.is_forced, 0, 1_000_000)

    @activity.defn(name="billing.ReleaseCredit")
    async def release_credit(self, step: OrderStep) -> Done:
        self.called("billing.ReleaseCredit", step.request_id)
        return Done()

    @activity.defn(name="billing.IssueInvoice")
    async def issue_invoice(self, step: OrderStep) -> Done:
        self.called("billing.IssueInvoice", step.request_id)
        return Done("INV-000001")

    @activity.defn(name="orders.ValidateOrder")
    async def validate_order(self, step: ValidateStep) -> Validation:
        self.called("orders.ValidateOrder", step.request_id)
        return self.validation

    @activity.defn(name="orders.RecordOrder")
    async def record_order(self, step: RecordStep) -> Recorded:
        self.called("orders.RecordOrder", step.request_id)
        return Recorded(step.milestone, is_complete=False)

    @activity.defn(name="inventory.ReserveStock")
    async def reserve_stock(self, step: OrderStep) -> Reservation:
        self.called("inventory.ReserveStock", step.request_id)
        return Reservation(10, self.backordered)

    @activity.defn(name="inventory.ReleaseReservation")
    async def release_reservation(self, step: OrderStep) -> Done:
        self.called("inventory.ReleaseReservation", step.request_id)
        return Done()

    @activity.defn(name="inventory.ShipStock")
    async def ship_stock(self, step: OrderStep) -> Done:
        self.called("inventory.ShipStock", step.request_id)
        return Done()

    @activity.defn(name="fulfillment.ReleaseShipments")
    async def release_shipments(self, step: OrderStep) -> Release:
        self.called("fulfillment.ReleaseShipments", step.request_id)
        return Release(1)

    @activity.defn(name="fulfillment.CancelShipments")
    async def cancel_shipments(self, step: OrderStep) -> Stopped:
        self.called("fulfillment.CancelShipments", step.request_id)
        return Stopped(0 if self.shipped else 1, self.shipped)

    def activities(self) -> list[object]:
        """All of them, for a worker."""
        return [
            self.commit_credit,
            self.release_credit,
            self.issue_invoice,
            self.validate_order,
            self.record_order,
            self.reserve_stock,
            self.release_reservation,
            self.ship_stock,
            self.release_shipments,
            self.cancel_shipments,
        ]
