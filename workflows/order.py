"""The sales order saga: an order's life from its placing to its last payment, as the business tells it."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from workflows import facts, names
    from workflows.compensation import Undo
    from workflows.messages import (
        CancelOrder,
        CancelOutcome,
        Credit,
        CreditStep,
        Done,
        FactNote,
        OrderOutcome,
        OrderRef,
        OrderStep,
        Receipt,
        Recorded,
        RecordStep,
        Release,
        Reservation,
        Stopped,
        ValidateStep,
        Validation,
    )
    from workflows.steps import step

CANCEL_ASKED = "cancellation"


@workflow.defn(name=names.ORDER_WORKFLOW)
class OrderWorkflow:
    """A sales order's life: checked, held where a rule asks, reserved, released, shipped, invoiced, delivered, settled."""

    @workflow.init
    def __init__(self, order: OrderRef) -> None:
        self.order = order
        self.state = facts.OrderState()
        self.receipt: Receipt | None = None
        self.inbox: list[tuple[str, FactNote]] = []
        self.cancellations: dict[str, CancelOutcome] = {}
        self.is_over = False
        self.turns = 0

    @workflow.run
    async def run(self, order: OrderRef) -> OrderOutcome:
        """Live until every unit is delivered or cancelled and every invoice is settled."""
        try:
            outcome = await self.live(order)
        except (FailureError, asyncio.CancelledError):  # the latter when a parked workflow is cancelled by hand
            self.receipt = self.receipt or Receipt("failed")
            await self.record("failed", "", "somebody of support: see the workflow")
            raise
        finally:
            self.is_over = True
        await workflow.wait_condition(workflow.all_handlers_finished)
        return outcome

    async def live(self, order: OrderRef) -> OrderOutcome:
        """The story itself."""
        async with Undo() as undo:
            if not await self.cleared(order, undo):
                return OrderOutcome(await self.end_early(undo))
            undo.push(self.release_stock)
            await self.reserve()
            undo.push(self.stop_shipments)
            await self.release_to_warehouses()
            await self.record("accepted")
            self.receipt = Receipt("accepted")
            while self.state.is_open:
                kind, note = await self.next_fact()
                if kind == CANCEL_ASKED:
                    if await self.cancelled(note, undo):
                        return OrderOutcome("cancelled")
                else:
                    await self.act_on(kind, note)
            undo.keep()
        await self.record("closed")
        return OrderOutcome("completed")

    # Clearing: credit, rules, holds.

    async def cleared(self, order: OrderRef, undo: Undo) -> bool:
        """Whether the order may be accepted; waits as long as people need to release its holds."""
        with workflow.create_event_group("clear the order").scope():
            undo.push(self.release_credit)
            credit = await self.commit_credit(order, is_forced=False)
            validation = await self.validate(credit)
            if validation.outcome == "rejected":
                self.receipt = Receipt("rejected", validation.reasons)
                return False
            if validation.outcome == "held":
                return await self.released_by_people(order, credit, validation)
        return True

    async def released_by_people(self, order: OrderRef, credit: Credit, validation: Validation) -> bool:
        """Park until the last hold is released; a cancellation meanwhile ends the order."""
        self.receipt = Receipt("held", validation.reasons)
        self.state = facts.OrderState(is_held=True)
        workflow.upsert_search_attributes([names.PHASE.value_set("held")])
        while self.state.is_held:
            kind, note = await self.next_fact()
            if kind == CANCEL_ASKED:
                self.cancellations[note.fact_id] = CancelOutcome(is_cancelled=True)
                return False
            self.state = facts.apply(self.state, kind, note)
        workflow.upsert_search_attributes([names.PHASE.value_set("open")])
        if not credit.is_granted:
            await self.commit_credit(order, is_forced=True)
        return True

    async def commit_credit(self, order: OrderRef, *, is_forced: bool) -> Credit:
        """Count the order against the customer's credit limit."""
        how = "forced" if is_forced else "1"
        request = CreditStep(
            self.key(f"credit/{how}"),
            order.order_id,
            order.customer_id,
            order.total_minor,
            order.currency,
            order.payment_method,
            is_forced,
        )
        return await step(
            "billing.CommitCredit",
            request,
            Credit,
            summary=f"commit {order.total_text} to the credit of {order.customer_id}",
        )

    async def validate(self, credit: Credit) -> Validation:
        """Run every rule."""
        request = ValidateStep(self.key("validate/1"), self.order.order_id, credit, self.order.currency)
        return await step("orders.ValidateOrder", request, Validation, summary=f"run every rule on {self.order.number}")

    # Stock and warehouses.

    async def reserve(self) -> None:
        """Hold what stock allows; the rest waits as backorders."""
        with workflow.create_event_group("reserve and release").scope():
            request = OrderStep(self.key("reserve/1"), self.order.order_id)
            held = await step(
                "inventory.ReserveStock", request, Reservation, summary=f"reserve stock for {self.order.number}"
            )
        self.state = facts.OrderState(backordered=held.backordered)

    async def release_to_warehouses(self) -> None:
        """Give what is held to the warehouses, unless the order ships complete and something is still missing."""
        if self.order.is_ship_complete and self.state.backordered:
            return
        with workflow.create_event_group("reserve and release").scope():
            request = OrderStep(self.key(f"release/{self.turns}"), self.order.order_id)
            await step(
                "fulfillment.ReleaseShipments",
                request,
                Release,
                summary=f"release {self.order.number} to its warehouses",
            )

    # Facts.

    async def next_fact(self) -> tuple[str, FactNote]:
        """Sleep, for weeks if need be, until a fact or a person wants something."""
        self.show()
        await workflow.wait_condition(lambda: bool(self.inbox))
        self.turns += 1
        return self.inbox.pop(0)

    async def act_on(self, kind: str, note: FactNote) -> None:
        """Do what the fact asks for."""
        self.state = facts.apply(self.state, kind, note)
        if kind == names.STOCK_ALLOCATED:
            await self.release_to_warehouses()
            await self.record("allocated", note.subject_id)
        elif kind == names.SHIPMENT_SHIPPED:
            await self.invoice(note.subject_id)
        elif kind == names.SHIPMENT_DELIVERED and self.state.is_open:
            await self.record("delivered", note.subject_id)

    async def invoice(self, shipment_id: str) -> None:
        """A shipment left: take it off stock and turn it into an invoice."""
        with workflow.create_event_group("ship and invoice").scope():
            shipped = OrderStep(self.key(f"ship/{shipment_id}"), self.order.order_id, shipment_id)
            await step("inventory.ShipStock", shipped, Done, summary=f"take what left of {self.order.number} off stock")
            billed = OrderStep(self.key(f"invoice/{shipment_id}"), self.order.order_id, shipment_id)
            await step("billing.IssueInvoice", billed, Done, summary=f"invoice what left of {self.order.number}")
            await self.record("shipped", shipment_id)

    # Ending early.

    async def cancelled(self, note: FactNote, undo: Undo) -> bool:
        """Cancel what can be cancelled: everything, or nothing once a shipment has left."""
        stopped = await self.stop_shipments()
        if stopped.shipped:
            reason = "a shipment has left: ask for a return instead"
            await self.record("cancel_refused", note.fact_id)
            self.cancellations[note.fact_id] = CancelOutcome(is_cancelled=False, reason=reason)
            return False
        await undo.take_back()
        await self.record("cancelled", note.fact_id)
        self.cancellations[note.fact_id] = CancelOutcome(is_cancelled=True)
        return True

    async def end_early(self, undo: Undo) -> str:
        """Rejected, or cancelled while held: give back what was taken and record it."""
        await undo.take_back()
        if self.receipt is not None and self.receipt.outcome == "rejected":
            return "rejected"
        await self.record("cancelled", next(iter(self.cancellations), ""))
        return "cancelled"

    async def release_credit(self) -> Done:
        """Give the customer's credit back."""
        request = OrderStep(self.key("credit/release"), self.order.order_id)
        return await step(
            "billing.ReleaseCredit", request, Done, summary=f"give back the credit of {self.order.number}"
        )

    async def release_stock(self) -> Done:
        """Let others have what was held."""
        request = OrderStep(self.key("reserve/release"), self.order.order_id, reason="the order ended")
        return await step(
            "inventory.ReleaseReservation", request, Done, summary=f"free the stock of {self.order.number}"
        )

    async def stop_shipments(self) -> Stopped:
        """Stop what has not left."""
        request = OrderStep(self.key(f"stop/{self.turns}"), self.order.order_id, reason="the order ended")
        return await step(
            "fulfillment.CancelShipments", request, Stopped, summary=f"stop what has not left of {self.order.number}"
        )

    # Telling.

    async def record(self, milestone: str, subject_id: str = "", waiting_for: str = "") -> Recorded:
        """The last step of a turn: what people read in lists, pages and mails follows from it."""
        order = self.order
        words = waiting_for or self.state.waiting_for
        request = RecordStep(
            self.key(f"record/{self.turns}/{milestone}"), order.order_id, order.version, milestone, words, subject_id
        )
        return await step("orders.RecordOrder", request, Recorded, summary=f"record that {order.number} is {milestone}")

    def show(self) -> None:
        """Where the order stands, for whoever opens it in the Temporal UI."""
        order, state = self.order, self.state
        rows = {
            "order": f"{order.number} of {order.customer_name}",
            "total": order.total_text,
            "waits for": state.waiting_for,
            "shipments shipped": str(state.shipped),
            "units backordered": str(state.backordered),
            "delivered": "yes" if state.is_delivered else "no",
            "settled": "yes" if state.is_settled else "no",
        }
        table = "\n".join(f"| {what} | {how} |" for what, how in rows.items())
        workflow.set_current_details(f"| what | how |\n| --- | --- |\n{table}")

    def key(self, deed: str) -> str:
        """The business key of a deed: the same for every try, and for every run of this order."""
        return f"order/{self.order.order_id}/{deed}"

    # Handlers record; run() acts.

    @workflow.signal(name=names.STOCK_ALLOCATED)
    def stock_allocated(self, note: FactNote) -> None:
        """A receipt filled backorders of this order."""
        self.inbox.append((names.STOCK_ALLOCATED, note))

    @workflow.signal(name=names.SHIPMENT_SHIPPED)
    def shipment_shipped(self, note: FactNote) -> None:
        """A shipment left its warehouse, or a service was performed."""
        self.inbox.append((names.SHIPMENT_SHIPPED, note))

    @workflow.signal(name=names.SHIPMENT_DELIVERED)
    def shipment_delivered(self, note: FactNote) -> None:
        """The last unit is delivered."""
        self.inbox.append((names.SHIPMENT_DELIVERED, note))

    @workflow.signal(name=names.PAYMENT_SETTLED)
    def payment_settled(self, note: FactNote) -> None:
        """Everything is invoiced and every invoice is paid."""
        self.inbox.append((names.PAYMENT_SETTLED, note))

    @workflow.signal(name=names.HOLDS_RELEASED)
    def holds_released(self, note: FactNote) -> None:
        """The last hold is released."""
        self.inbox.append((names.HOLDS_RELEASED, note))

    @workflow.update(name=names.PLACE)
    async def place(self) -> Receipt:
        """Wait for the verdict on the order; run() does the work and never depends on this."""
        await workflow.wait_condition(lambda: self.receipt is not None)
        assert self.receipt is not None
        return self.receipt

    @workflow.update(name=names.CANCEL)
    async def cancel(self, request: CancelOrder) -> CancelOutcome:
        """Cancel the whole order unless something has left."""
        self.inbox.append((CANCEL_ASKED, FactNote(request.cancellation_id)))
        await workflow.wait_condition(lambda: request.cancellation_id in self.cancellations or self.is_over)
        return self.cancellations.get(
            request.cancellation_id, CancelOutcome(is_cancelled=False, reason="the order has ended")
        )

    @cancel.validator
    def may_cancel(self, request: CancelOrder) -> None:
        """Refuse without a trace in the history what can no longer be cancelled."""
        if self.is_over or self.state.is_delivered:
            raise ValueError("the order has ended: ask for a return instead")
        if self.state.shipped:
            raise ValueError("a shipment has left: ask for a return instead")
        if not request.cancellation_id:
            raise ValueError("a cancellation is asked for through the order API, which gives it an id")
