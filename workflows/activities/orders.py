"""Steps that ask the orders service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from temporalio import activity

from oms.billing.v1 import billing_pb2
from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from oms.orders.v1 import orders_pb2 as pb
from oms.types.v1 import types_pb2
from services.kernel.errors import Conflict
from services.kernel.invoicing import PER_SHIPMENT
from services.kernel.money import Money
from workflows.activities.calls import Services, charge_fee, shipments_of
from workflows.activities.documents import Documents
from workflows.messages import (
    Applied,
    ApplyStep,
    AuditCount,
    ChangeStep,
    Clearance,
    Credit,
    DeadlineStep,
    Done,
    Halted,
    OrderIds,
    OrderStep,
    Recorded,
    RecordStep,
    ReleaseCleared,
    ValidateStep,
    Validation,
)

INVOICE_PENDING = "INVOICE_PENDING"
Shipments = Sequence[fulfillment_pb2.Shipment]

_OUTCOMES = {
    pb.VALIDATION_OUTCOME_CLEARED: "cleared",
    pb.VALIDATION_OUTCOME_HELD: "held",
    pb.VALIDATION_OUTCOME_REJECTED: "rejected",
}
_CLEARANCES = {
    pb.CLEARANCE_STATE_WAITING: "waiting",
    pb.CLEARANCE_STATE_CLEARED: "cleared",
    pb.CLEARANCE_STATE_REJECTED: "rejected",
    pb.CLEARANCE_STATE_EXPIRED: "expired",
    pb.CLEARANCE_STATE_ENDED: "ended",
}
_ENDS = frozenset({"rejected", "cancelled", "closed", "failed", "interrupted"})
_RESERVED = frozenset({"accepted", "changed"})
"""Milestones of a turn that has reserved; before `allocated` it was a fact that spoke of stock, which may be an old one."""
_WITH_PROMISES = _RESERVED | {"allocated", "sourced_again"}


class OrdersActivities:
    """The orders service as the workflows know it."""

    def __init__(self, services: Services, documents: Documents) -> None:
        self._services = services
        self._documents = documents

    @activity.defn(name="orders.ValidateOrder")
    async def validate_order(self, step: ValidateStep) -> Validation:
        """Run every rule; the outcome and its reasons are recorded there."""
        standing = _standing(step.credit, step.currency)
        request = pb.ValidateOrderRequest(request_id=step.request_id, order_id=step.order_id, credit=standing)
        response = await self._services.orders.ValidateOrder(request)
        outcome = _OUTCOMES[response.outcome]
        if response.HasField("order"):
            self._documents.cleared(response.order)
        clearance = clearance_of(response.clearance) if outcome == "held" else None
        return Validation(outcome, list(response.reasons), clearance)

    @activity.defn(name="orders.GetClearance")
    async def get_clearance(self, step: OrderStep) -> Clearance:
        """What stands between the order and its warehouses."""
        response = await self._services.orders.GetClearance(pb.GetClearanceRequest(order_id=step.order_id))
        return clearance_of(response.clearance)

    @activity.defn(name="orders.ClearRelease")
    async def clear_release(self, step: OrderStep) -> ReleaseCleared:
        """Ask the rules again before goods go to the warehouses."""
        request = pb.ClearReleaseRequest(request_id=step.request_id, order_id=step.order_id)
        response = await self._services.orders.ClearRelease(request)
        return ReleaseCleared(response.is_clear, clearance_of(response.clearance))

    @activity.defn(name="orders.PassDeadline")
    async def pass_deadline(self, step: DeadlineStep) -> Clearance:
        """Remind, escalate or expire, unless somebody was quicker."""
        request = pb.PassDeadlineRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            deadline=step.deadline,
            subject_id=step.subject_id,
            deadline_micros=step.deadline_micros,
        )
        response = await self._services.orders.PassDeadline(request)
        return clearance_of(response.clearance)

    @activity.defn(name="orders.ApplyChange")
    async def apply_change(self, step: ApplyStep) -> Applied:
        """Make an agreed change the next version; money that a cancellation leaves over becomes free with it.

        What becomes of discount and freight may depend on an invoice of which orders has not heard: billing says how many there are.
        """
        request = pb.ApplyChangeRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            change_id=step.change_id,
            credit=_standing(step.credit, step.currency),
        )
        response = await self._applied(request)
        await charge_fee(self._services, response.fee)
        if response.frees_cash:
            free = billing_pb2.FreeOrderMoneyRequest(
                request_id=f"{step.request_id}/money",
                order_id=step.order_id,
                amount=response.total,
                keeps_cash=response.keeps_cash,
            )
            await self._services.billing.FreeOrderMoney(free)
        total = Money(response.total.minor_units, response.total.currency)
        return Applied(
            is_applied=response.is_applied,
            version=response.version,
            total_minor=total.minor,
            total_text=f"{total.amount:,f} {total.currency}",
            is_ship_complete=response.is_ship_complete,
            clearance=clearance_of(response.clearance),
        )

    async def _applied(self, request: pb.ApplyChangeRequest) -> pb.ApplyChangeResponse:
        """The change made, or not. Of an order that billing invoices by itself no invoice may come between: it is kept from that."""
        order = await self._documents.order(request.order_id)
        if order.invoicing in ("", PER_SHIPMENT):
            return await self._counted(request)
        block = billing_pb2.BlockInvoicingRequest(
            order_id=order.order_id,
            customer_id=order.bill_to_id or order.customer_id,
            currency=order.currency,
            least_version=order.version + 1,
        )
        request.invoiced.extend((await self._services.billing.BlockInvoicing(block)).invoiced)
        response = await self._services.orders.ApplyChange(request)
        block.least_version = response.version
        await self._services.billing.BlockInvoicing(block)
        return response

    async def _counted(self, request: pb.ApplyChangeRequest) -> pb.ApplyChangeResponse:
        """The change made. What becomes of discount and freight may depend on an invoice that is to come: billing says how many are there."""
        try:
            return await self._services.orders.ApplyChange(request)
        except Conflict as conflict:
            if conflict.reason != INVOICE_PENDING:
                raise
        request.invoice_count = await self._invoice_count(request.order_id)
        return await self._services.orders.ApplyChange(request)

    async def _invoice_count(self, order_id: str) -> int:
        """How many invoices billing has posted for the order."""
        request, count = billing_pb2.ListInvoicesRequest(order_id=order_id, limit=500), 0
        while True:
            page = await self._services.billing.ListInvoices(request)
            count, request.cursor = count + len(page.invoices), page.next_cursor
            if not page.next_cursor:
                return count

    @activity.defn(name="orders.RecordChange")
    async def record_change(self, step: ChangeStep) -> Clearance:
        """Note that a change waits for the warehouse, or that it cannot come about."""
        request = pb.RecordChangeRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            change_id=step.change_id,
            verb=step.verb,
            reason=step.reason,
        )
        response = await self._services.orders.RecordChange(request)
        return clearance_of(response.clearance)

    @activity.defn(name="orders.RecordOrder")
    async def record_order(self, step: RecordStep) -> Recorded:
        """Record a milestone; those that promise something carry the dates that the warehouse and the supply allow.

        After those an order that is invoiced at order is, once: also where the run before this one did not come to that.
        """
        request = pb.RecordOrderRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            version=step.version,
            milestone=step.milestone,
            waiting_for=step.waiting_for,
            subject_id=step.subject_id,
        )
        if step.milestone in _WITH_PROMISES:
            is_waiting = step.is_backordered or step.milestone not in _RESERVED
            request.promises.extend(await self._promises(step.order_id, is_waiting=is_waiting))
        response = await self._services.orders.RecordOrder(request)
        if response.is_invoiced_at_order and step.milestone in _WITH_PROMISES:
            await self._invoice_at_order(step)
        await charge_fee(self._services, response.fee)
        if response.frees_money:
            await self._free_money(step)
        if step.milestone in _ENDS:
            self._documents.ended(step.order_id)
        return Recorded(response.status, response.is_complete)

    async def _free_money(self, step: RecordStep) -> None:
        """What was kept for the fee of an order that nobody had accepted is free, but for the fee."""
        found = await self._services.orders.GetClearance(pb.GetClearanceRequest(order_id=step.order_id))
        request = billing_pb2.ReleaseCreditRequest(
            request_id=f"{step.request_id}/money", order_id=step.order_id, keeps_cash=found.keeps_cash
        )
        await self._services.billing.ReleaseCredit(request)

    async def _invoice_at_order(self, step: RecordStep) -> None:
        """An order that is accepted, or has changed since, is invoiced as it stands."""
        order = await self._documents.order(step.order_id, step.version)
        await self._services.billing.InvoiceOrder(billing_pb2.InvoiceOrderRequest(order=order))

    async def _promises(self, order_id: str, *, is_waiting: bool) -> list[pb.LinePromise]:
        if not is_waiting:
            return list(_released(await shipments_of(self._services, order_id)))
        shipments, held = await asyncio.gather(
            shipments_of(self._services, order_id),
            self._services.inventory.GetReservation(inventory_pb2.GetReservationRequest(order_id=order_id)),
        )
        return [*_released(shipments), *_waiting(held)]

    @activity.defn(name="orders.CheckLiveness")
    async def check_liveness(self, orders: OrderIds) -> OrderIds:
        """Those of the orders that have ended."""
        response = await self._services.orders.CheckLiveness(pb.CheckLivenessRequest(order_ids=orders.order_ids))
        return OrderIds(list(response.ended_order_ids))

    @activity.defn(name="orders.CancelPastDates")
    async def cancel_past_dates(self, _ask: Done) -> OrderIds:
        """Have cancelled what has not shipped of orders whose cancel-after day is over."""
        response = await self._services.orders.CancelPastDates(pb.CancelPastDatesRequest())
        return OrderIds(list(response.order_ids))

    @activity.defn(name="orders.RecordHalted")
    async def record_halted(self, halted: Halted) -> Done:
        """Tell of open orders that no workflow carries on."""
        request = pb.RecordHaltedRequest(
            lost_order_ids=halted.lost,
            failing_order_ids=halted.failing,
            is_all=halted.is_all,
            searched_micros=halted.searched_micros,
        )
        response = await self._services.orders.RecordHalted(request)
        return Done(f"{response.opened_count} new, {response.resolved_count} over")

    @activity.defn(name="orders.Audit")
    async def audit(self, _ask: Done) -> AuditCount:
        """Broken invariants of the orders service."""
        response = await self._services.orders.Audit(pb.AuditRequest())
        return AuditCount({row.name: row.violations for row in response.invariants if row.violations})


def _standing(credit: Credit, currency: str) -> pb.CreditStanding:
    return pb.CreditStanding(
        is_granted=credit.is_granted,
        exposure=types_pb2.Money(minor_units=credit.exposure_minor, currency=currency),
        limit=types_pb2.Money(minor_units=credit.limit_minor, currency=currency),
        card=credit.card,
    )


def clearance_of(message: pb.Clearance) -> Clearance:
    """A clearance as the workflow holds it."""
    return Clearance(
        _CLEARANCES[message.state],
        message.change_id,
        message.deadline_micros,
        message.deadline,
        message.subject_id,
        message.waiting_for,
        message.deadline_about,
        message.withholding_change_id,
        message.cancellation_id,
    )


def _released(shipments: Shipments) -> Iterator[pb.LinePromise]:
    for shipment in shipments:
        if shipment.state == fulfillment_pb2.SHIPMENT_STATE_CANCELLED:
            continue
        for line in shipment.lines:
            yield pb.LinePromise(line_id=line.line_id, quantity=line.quantity, promised_on=shipment.promised_on)


def _waiting(held: inventory_pb2.GetReservationResponse) -> Iterator[pb.LinePromise]:
    for shortage in held.shortages:
        yield pb.LinePromise(
            line_id=shortage.line_id,
            quantity=shortage.quantity,
            promised_on=shortage.expected_on,
            is_waiting=True,
            expected_on=shortage.expected_on,
            lead_days=shortage.lead_days,
            expected_reference=shortage.expected_reference,
        )
