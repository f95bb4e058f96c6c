"""The sales order saga: an order's life from its placing to its last payment, as the business tells it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from workflows import facts, names
    from workflows.compensation import Undo
    from workflows.details import details, due_at
    from workflows.messages import (
        CancelOrder,
        CancelOutcome,
        Clearance,
        Credit,
        FactNote,
        Look,
        OrderOutcome,
        OrderRef,
        Receipt,
        Recorded,
        Seen,
    )
    from workflows.order_steps import OrderSteps, deadline_words

CANCEL_ASKED = "cancellation"
DEADLINE_PASSED = "deadline"
LOOKS = frozenset({*names.LOOKS, names.HOLDS_RELEASED, names.RECALL_ANSWERED, DEADLINE_PASSED})
"""What makes the story read the clearance again: it never believes a message that somebody has decided."""

WAITING = "waiting"
GONE = "a shipment has left: ask for a return instead"


@workflow.defn(name=names.ORDER_WORKFLOW)
class OrderWorkflow:
    """A sales order's life: checked, reviewed where a rule asks, reserved, released, shipped, invoiced, delivered, settled."""

    @workflow.init
    def __init__(self, order: OrderRef) -> None:
        self.ask = OrderSteps(order)
        self.state = facts.OrderState()
        self.credit = Credit(is_granted=True, exposure_minor=0, limit_minor=0)
        self.clearance = Clearance("cleared")
        self.receipt: Receipt | None = None
        self.inbox: list[tuple[str, FactNote]] = []
        self.cancellations: dict[str, CancelOutcome] = {}
        self.asked_to_cancel = ""
        self.seen: dict[str, Seen] = {}
        self.is_parked = False
        self.is_over = False

    @property
    def order(self) -> OrderRef:
        """The order at the version in force."""
        return self.ask.order

    @workflow.run
    async def run(self, order: OrderRef) -> OrderOutcome:  # noqa: ARG002  # the SDK gives __init__ and run the same
        """Live until every unit is delivered or cancelled and every invoice is settled."""
        try:
            outcome = await self.live()
        except (FailureError, asyncio.CancelledError):  # the latter when a parked workflow is cancelled by hand
            self.receipt = self.receipt or Receipt("failed")
            self.show("failed")
            await self.record("failed", "", "somebody of support: see the workflow")
            raise
        finally:
            self.is_over = True
        self.show(outcome.outcome)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return outcome

    async def live(self) -> OrderOutcome:
        """The story itself."""
        async with Undo() as undo:
            if not await self.cleared(undo):
                return OrderOutcome(await self.end_early(undo))
            undo.push(self.ask.release_stock)
            while not await self.reserve():
                clearance = await self.ask.hold_unserved(self.state)
                if not await self.cleared_by_people(["CARRIER_MISSING"], clearance):
                    return OrderOutcome(await self.end_early(undo))
            undo.push(self.ask.stop_shipments)
            await self.release_to_warehouses()
            await self.record("accepted")
            self.receipt = Receipt("accepted")
            while self.state.is_open:
                kind, note = await self.next_event()
                if kind == CANCEL_ASKED:
                    if await self.cancelled(note, undo):
                        return OrderOutcome("cancelled")
                elif kind in LOOKS:
                    await self.look(kind, note)
                else:
                    await self.act_on(kind, note)
            undo.keep()
        await self.record("closed")
        return OrderOutcome("completed")

    # Clearing: credit, rules, and the people who decide.

    async def cleared(self, undo: Undo) -> bool:
        """Whether the order may be accepted; waits as long as people need to decide."""
        with workflow.create_event_group("clear the order").scope():
            undo.push(self.ask.release_credit)
            self.credit = await self.ask.commit_credit()
            validation = await self.ask.validate(self.credit)
            if validation.outcome == "rejected":
                self.receipt = Receipt("rejected", validation.reasons)
                return False
            if validation.clearance is not None:
                return await self.cleared_by_people(validation.reasons, validation.clearance)
        return True

    async def cleared_by_people(self, reasons: list[str], clearance: Clearance) -> bool:
        """Park until holds, reviews and the customer's answers are settled; a cancellation meanwhile ends the order."""
        self.receipt = Receipt("held", reasons)
        self.state = facts.OrderState(is_held=True)
        self.clearance = clearance
        while self.clearance.state == WAITING:
            kind, note = await self.next_event()
            if kind == CANCEL_ASKED:
                self.asked_to_cancel = note.fact_id
                return False
            await self.look(kind, note)
        self.park(is_parked=False)
        if self.clearance.state != "cleared":
            return False
        self.state = facts.OrderState()
        if not self.credit.is_granted:
            self.credit = await self.ask.adjust_credit(f"forced/v{self.order.version}", is_forced=True)
        return True

    async def look(self, kind: str, note: FactNote) -> None:
        """Somebody may have decided, or a deadline has passed: the database says what became of it."""
        with workflow.create_event_group("people decide").scope():
            if kind == DEADLINE_PASSED:
                self.park(is_parked=True)
                passed, self.clearance = self.clearance, await self.ask.pass_deadline(self.clearance)
                if self.clearance == passed:  # nobody acted on it, so the same timer would fire for ever
                    workflow.logger.error("a deadline passed without effect", extra={"deadline": passed.deadline})
                    self.clearance = replace(passed, deadline="", deadline_micros=0)
            else:
                self.clearance = await self.ask.read_clearance()
        if kind == names.RECALL_ANSWERED and not self.clearance.change_id and self.state.is_reserved:
            await self.release_to_warehouses()  # while a recall was pending its lines were withheld
        # the server must know what was read: once applied, no one would read of the change again
        if self.clearance.change_id:
            await workflow.sleep(timedelta(milliseconds=1), summary=f"keep that {self.order.number} is to be changed")
        while change_id := self.clearance.change_id:
            with workflow.create_event_group("change the order").scope():
                await self.settle_change(change_id)
        self.seen[note.fact_id] = Seen(self.clearance.state)

    def park(self, *, is_parked: bool) -> None:
        """Orders that people leave waiting until a deadline passes are found in Temporal by OmsPhase."""
        if is_parked != self.is_parked:
            self.is_parked = is_parked
            workflow.upsert_search_attributes([names.PHASE.value_set("in_review" if is_parked else "open")])

    # Changes.

    async def settle_change(self, change_id: str) -> None:
        """Warehouse, credit, the new version, stock: in this order, so that whoever refuses leaves the order as it was."""
        if self.state.is_reserved:
            recall = await self.ask.request_recall(change_id)
            if recall.state != "nothing_to_recall":
                verb = "recall" if recall.state == "pending" else "reject"
                self.clearance = await self.ask.record_change(change_id, verb, recall.reason)
                self.ask.turn += 1  # a floor that has answered meanwhile is asked anew, not for its first answer
                return
        credit = await self.ask.adjust_credit(change_id, change_id)
        applied = await self.ask.apply_change(change_id, credit)
        self.clearance = applied.clearance
        if not applied.is_applied:
            await self.ask.adjust_credit(f"{change_id}/back", is_forced=True)
            return
        self.credit = credit
        self.ask.becomes(applied)
        if self.state.is_reserved:
            held = await self.ask.adjust_reservation()
            self.state = replace(self.state, backordered=held.backordered)
            await self.release_to_warehouses()
            await self.record("changed", change_id)

    # Stock and warehouses.

    async def reserve(self) -> bool:
        """Hold what stock allows, the rest waits as backorders; False when nobody can carry it to the address."""
        with workflow.create_event_group("reserve and release").scope():
            held = await self.ask.reserve()
        self.state = facts.OrderState(is_reserved=not held.is_unserved, backordered=held.backordered)
        return not held.is_unserved

    async def release_to_warehouses(self) -> None:
        """Give what is held to the warehouses, unless the order ships complete and something is still missing."""
        if self.order.is_ship_complete and self.state.backordered:
            return
        with workflow.create_event_group("reserve and release").scope():
            await self.ask.release_shipments()

    # Facts.

    async def next_event(self) -> tuple[str, FactNote]:
        """Sleep, for weeks if need be, until a fact, a person or a deadline wants something."""
        self.show()
        due = due_at(self.clearance)
        try:
            await workflow.wait_condition(
                lambda: bool(self.inbox),
                timeout=max(due - workflow.now(), timedelta()) if due else None,
                timeout_summary=deadline_words(self.clearance.deadline, self.order.number) if due else None,
            )
        except TimeoutError:
            self.ask.turn += 1
            return DEADLINE_PASSED, FactNote("")
        self.ask.turn += 1
        return self.inbox.pop(0)

    async def act_on(self, kind: str, note: FactNote) -> None:
        """Do what the fact asks for."""
        self.state = facts.apply(self.state, kind, note)
        if kind == names.STOCK_ALLOCATED:
            await self.release_to_warehouses()
            await self.record("allocated", note.subject_id)
        elif kind == names.SHIPMENT_SHIPPED:
            await self.invoice(note.subject_id)

    async def invoice(self, shipment_id: str) -> None:
        """A shipment left: take it off stock and turn it into an invoice."""
        with workflow.create_event_group("ship and invoice").scope():
            await self.ask.ship_stock(shipment_id)
            await self.ask.issue_invoice(shipment_id)

    # Ending early.

    async def cancelled(self, note: FactNote, undo: Undo) -> bool:
        """Cancel what can be cancelled: everything, or nothing once a shipment has left."""
        stopped = await self.ask.stop_whole_order()
        if stopped.shipped:
            await self.record("cancel_refused", note.fact_id)
            self.cancellations[note.fact_id] = CancelOutcome(is_cancelled=False, reason=GONE)
            return False
        await undo.take_back()
        await self.record("cancelled", note.fact_id)
        self.cancellations[note.fact_id] = CancelOutcome(is_cancelled=True)
        return True

    async def end_early(self, undo: Undo) -> str:
        """Refused, out of time, or cancelled while it waited unless people were quicker: give back what was taken."""
        await undo.take_back()
        if self.receipt is not None and self.receipt.outcome == "rejected":
            return "rejected"
        if self.clearance.state in ("rejected", "expired"):
            return self.clearance.state
        ended = (await self.record("cancelled", self.asked_to_cancel)).status
        if self.asked_to_cancel:
            reason = "" if ended == "cancelled" else f"the order is {ended} already"
            self.cancellations[self.asked_to_cancel] = CancelOutcome(is_cancelled=not reason, reason=reason)
        return ended

    # Telling.

    async def record(self, milestone: str, subject_id: str = "", waiting_for: str = "") -> Recorded:
        """The last step of a turn."""
        return await self.ask.record(milestone, subject_id, self.state, waiting_for)

    def show(self, outcome: str = "") -> None:
        """Where the order stands, or how it ended, for whoever opens it in the Temporal UI."""
        workflow.set_current_details(details(self.order, self.state, self.clearance, outcome))

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

    @workflow.signal(name=names.RECALL_ANSWERED)
    def recall_answered(self, note: FactNote) -> None:
        """The warehouse gave back what a change drops, or refused."""
        self.inbox.append((names.RECALL_ANSWERED, note))

    @workflow.update(name=names.PLACE)
    async def place(self) -> Receipt:
        """Wait for the verdict on the order; run() does the work and never depends on this."""
        await workflow.wait_condition(lambda: self.receipt is not None)
        assert self.receipt is not None
        return self.receipt

    @workflow.update(name=names.DECIDE)
    async def decide(self, look: Look) -> Seen:
        """Somebody decided a step of the review."""
        return await self.when_seen(names.DECIDE, look)

    @workflow.update(name=names.CONSENT)
    async def consent(self, look: Look) -> Seen:
        """The customer answered a proposed change."""
        return await self.when_seen(names.CONSENT, look)

    @workflow.update(name=names.AMEND)
    async def amend(self, look: Look) -> Seen:
        """Somebody proposed or withdrew a change."""
        return await self.when_seen(names.AMEND, look)

    async def when_seen(self, kind: str, look: Look) -> Seen:
        """Have the story look, and answer what it saw; nothing in the message itself is believed."""
        self.inbox.append((kind, FactNote(look.subject_id)))
        self.seen.pop(look.subject_id, None)
        await workflow.wait_condition(lambda: look.subject_id in self.seen or self.is_over)
        return self.seen.get(look.subject_id, Seen("ended"))

    @decide.validator
    def may_decide(self, look: Look) -> None:
        """Refuse without a trace in the history what the order can no longer look at."""
        self.may_look(look)

    @consent.validator
    def may_consent(self, look: Look) -> None:
        """Refuse likewise."""
        self.may_look(look)

    @amend.validator
    def may_amend(self, look: Look) -> None:
        """Refuse likewise."""
        self.may_look(look)

    def may_look(self, look: Look) -> None:
        """An order that has ended, or a message without an id, is refused."""
        if self.is_over:
            raise ValueError("the order has ended: nothing of it can be decided any more")
        if not look.subject_id:
            raise ValueError("decisions are taken through the order API, which gives them an id")

    @workflow.update(name=names.CANCEL)
    async def cancel(self, request: CancelOrder) -> CancelOutcome:
        """Cancel the whole order unless something has left."""
        asked = request.cancellation_id
        self.inbox.append((CANCEL_ASKED, FactNote(asked)))
        await workflow.wait_condition(lambda: asked in self.cancellations or self.is_over)
        return self.cancellations.get(asked, CancelOutcome(is_cancelled=False, reason="the order has ended"))

    @cancel.validator
    def may_cancel(self, request: CancelOrder) -> None:
        """Refuse without a trace in the history what can no longer be cancelled."""
        if self.is_over or self.state.is_delivered:
            raise ValueError("the order has ended: ask for a return instead")
        if self.state.shipped:
            raise ValueError(GONE)
        if not request.cancellation_id:
            raise ValueError("a cancellation is asked for through the order API, which gives it an id")
