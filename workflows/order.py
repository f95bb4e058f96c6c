"""The sales order saga: an order's life from its placing to its last payment, as the business tells it."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError

from workflows.order_cancelling import Cancelling
from workflows.order_changing import Changing
from workflows.order_clearance import REFRESHED_BY, OrderClearance
from workflows.order_fulfilling import Fulfilling
from workflows.order_life import CANCEL_ASKED, OrderLife
from workflows.order_resuming import Resuming
from workflows.order_settling import Settling
from workflows.order_steps import INTERRUPTED

with workflow.unsafe.imports_passed_through():
    from workflows import facts, names
    from workflows.compensation import Undo
    from workflows.interruption import reason_of
    from workflows.messages import (
        Acknowledged,
        CancelOrder,
        CancelOutcome,
        ClearanceRefresh,
        FactNote,
        OrderOutcome,
        OrderRef,
        Receipt,
    )


@workflow.defn(name=names.ORDER_WORKFLOW)
class OrderWorkflow:
    """A sales order's life: checked, reviewed where a rule asks, reserved, released, shipped, invoiced, delivered, settled."""

    @workflow.init
    def __init__(self, order: OrderRef) -> None:
        self.life = OrderLife(order)
        self.fulfilling = Fulfilling(self.life)
        self.changing = Changing(self.life, self.fulfilling)
        self.settling = Settling(self.life)
        self.cancelling = Cancelling(self.life, self.settling)
        self.clearance = OrderClearance(self.life, self.changing, self.fulfilling, self.cancelling)
        self.resuming = Resuming(self.life, self.cancelling, self.settling)

    @workflow.run
    async def run(self, order: OrderRef) -> OrderOutcome:  # noqa: ARG002  # the SDK gives __init__ and run the same
        """Live until every unit is delivered or cancelled and every invoice is settled.

        Whoever cancels the workflow in Temporal cancels no order: its life, a task of its own, is never broken off. What has come
        in is done, and where nothing is left to do but wait the run ends as an interrupted one.
        """
        living = asyncio.ensure_future(self.live_to_the_end())
        while True:
            try:
                return await asyncio.shield(living)
            except asyncio.CancelledError:
                if living.cancelled() or workflow.cancellation_reason() is None:  # the worker drops it, or it is over
                    raise
                self.life.stop(living)

    async def live_to_the_end(self) -> OrderOutcome:
        """Live, and answer whoever waits. A step that is refused for good ends this run and never the order: nothing is taken back,
        the order becomes an exception, and the next run goes on from there.
        """
        life = self.life
        try:
            outcome = await self.live()
        except (FailureError, asyncio.CancelledError) as interruption:
            life.receipt = life.receipt or Receipt("failed")
            life.show(INTERRUPTED)
            await life.record(INTERRUPTED, "", reason_of(interruption))
            life.is_over = life.is_interrupted = True
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise
        finally:
            life.is_over = True
        life.receipt = life.receipt or Receipt(outcome.outcome)
        life.show(outcome.outcome)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return outcome

    async def live(self) -> OrderOutcome:
        """Clear the order, accept it, and follow it until it is delivered and paid; what was taken is given back if it ends early."""
        life = self.life
        async with Undo() as undo:
            if life.order.resumption and (ended := await self.resuming.enter(undo)):
                return OrderOutcome(ended)
            if not await self.clearance.clear(undo):
                return await self.end_early(undo)
            undo.push(life.steps.release_stock)
            while not await self.fulfilling.reserve():
                if not await self.clearance.find_carrier():
                    return await self.end_early(undo)
            undo.push(life.steps.stop_shipments)
            await self.fulfilling.accept()
            self.resuming.recall()
            self.changing.resume()
            await self.settling.capture_for_lost()
            life.receipt = Receipt("accepted")
            while life.state.is_open or not await self.settling.is_complete():
                kind, note = await life.next_event()
                if kind == CANCEL_ASKED:
                    if await self.cancelling.cancel(note.fact_id, undo):
                        return OrderOutcome("cancelled")
                elif kind in REFRESHED_BY:
                    await self.clearance.refresh(kind, note)
                else:
                    await self.act_on(kind, note)
            undo.keep()
        await self.settling.close()
        return OrderOutcome("completed")

    async def act_on(self, kind: str, note: FactNote) -> None:
        """Do what the fact asks for."""
        if kind == names.STOCK_ALLOCATED:
            await self.fulfilling.allocate(note)
            return
        if kind == names.PAYMENT_REVERSED:
            await self.fulfilling.recall_unpaid(note.subject_id)
            return
        if kind == names.SOURCING_ASKED:
            await self.fulfilling.source_again()
            return
        self.life.state = facts.apply(self.life.state, kind, note)
        if kind == names.SHIPMENT_SHIPPED:
            await self.settling.invoice(note.subject_id)
        elif kind == names.SHIPMENT_REVERSED:
            await self.settling.take_back(note.subject_id)

    async def end_early(self, undo: Undo) -> OrderOutcome:
        """Rejected, expired, or cancelled before it was accepted."""
        return OrderOutcome(await self.cancelling.end_early(self.clearance.cancellation_id, undo))

    # Handlers record; run() acts.

    @workflow.signal(name=names.STOCK_ALLOCATED)
    def stock_allocated(self, note: FactNote) -> None:
        """A receipt filled backorders of this order."""
        self.life.take(names.STOCK_ALLOCATED, note)

    @workflow.signal(name=names.SHIPMENT_SHIPPED)
    def shipment_shipped(self, note: FactNote) -> None:
        """A shipment left its warehouse, or a service was performed."""
        self.life.take(names.SHIPMENT_SHIPPED, note)

    @workflow.signal(name=names.SHIPMENT_DELIVERED)
    def shipment_delivered(self, note: FactNote) -> None:
        """The last unit is delivered."""
        self.life.take(names.SHIPMENT_DELIVERED, note)

    @workflow.signal(name=names.SHIPMENT_REVERSED)
    def shipment_reversed(self, note: FactNote) -> None:
        """A shipment that was said to have left never did."""
        self.life.take(names.SHIPMENT_REVERSED, note)

    @workflow.signal(name=names.PAYMENT_SETTLED)
    def payment_settled(self, note: FactNote) -> None:
        """Everything is invoiced and every invoice is paid."""
        self.life.take(names.PAYMENT_SETTLED, note)

    @workflow.signal(name=names.HOLDS_RELEASED)
    def holds_released(self, note: FactNote) -> None:
        """The last hold is released."""
        self.life.take(names.HOLDS_RELEASED, note)

    @workflow.signal(name=names.RECALL_ANSWERED)
    def recall_answered(self, note: FactNote) -> None:
        """The warehouse gave back what a change drops, or refused."""
        self.life.take(names.RECALL_ANSWERED, note)

    @workflow.signal(name=names.PAYMENT_REVERSED)
    def payment_reversed(self, note: FactNote) -> None:
        """A payment for goods that have not left was reversed."""
        self.life.take(names.PAYMENT_REVERSED, note)

    @workflow.signal(name=names.SOURCING_ASKED)
    def sourcing_asked(self, note: FactNote) -> None:
        """What is open cannot come from where it was to."""
        self.life.take(names.SOURCING_ASKED, note)

    @workflow.update(name=names.PLACE)
    async def place(self) -> Receipt:
        """Wait for the verdict on the order; run() does the work and never depends on this."""
        await workflow.wait_condition(lambda: self.life.receipt is not None)
        assert self.life.receipt is not None
        return self.life.receipt

    @workflow.update(name=names.DECIDE)
    async def decide(self, refresh: ClearanceRefresh) -> Acknowledged:
        """Somebody decided a step of the review."""
        return await self.clearance.when_acknowledged(names.DECIDE, refresh)

    @workflow.update(name=names.CONSENT)
    async def consent(self, refresh: ClearanceRefresh) -> Acknowledged:
        """The customer answered a proposed change."""
        return await self.clearance.when_acknowledged(names.CONSENT, refresh)

    @workflow.update(name=names.AMEND)
    async def amend(self, refresh: ClearanceRefresh) -> Acknowledged:
        """Somebody proposed or withdrew a change."""
        return await self.clearance.when_acknowledged(names.AMEND, refresh)

    @workflow.update(name=names.CANCEL)
    async def cancel(self, request: CancelOrder) -> CancelOutcome:
        """Cancel the whole order unless something has left."""
        return await self.cancelling.when_settled(request)

    # Validators refuse without a trace in the history.

    @decide.validator
    def may_decide(self, refresh: ClearanceRefresh) -> None:
        """Only of an order that lives."""
        self.clearance.check(refresh)

    @consent.validator
    def may_consent(self, refresh: ClearanceRefresh) -> None:
        """Likewise."""
        self.clearance.check(refresh)

    @amend.validator
    def may_amend(self, refresh: ClearanceRefresh) -> None:
        """Likewise."""
        self.clearance.check(refresh)

    @cancel.validator
    def may_cancel(self, request: CancelOrder) -> None:
        """Only while nothing has left."""
        self.cancelling.check(request)
