"""Clearing an order: credit, rules, and the people who decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

from workflows.order_cancelling import Cancelling
from workflows.order_changing import Changing
from workflows.order_fulfilling import CLEARED, WAITING, Fulfilling
from workflows.order_life import CANCEL_ASKED, DEADLINE_PASSED, OrderLife

with workflow.unsafe.imports_passed_through():
    from workflows import names
    from workflows.compensation import Undo
    from workflows.facts import OrderState
    from workflows.messages import Acknowledged, Clearance, ClearanceRefresh, Credit, FactNote, Receipt

REFRESHED_BY = frozenset({*names.REFRESHES, names.HOLDS_RELEASED, names.RECALL_ANSWERED, DEADLINE_PASSED})
"""What makes the workflow read the clearance again: it never believes a message that somebody has decided."""

_BY_THEMSELVES = frozenset({"resume_release", "escalate_recall"})
"""Deadlines of an order that is not left waiting for people to decide: it goes on."""


class OrderClearance:
    """Whether an order may go on, as the orders service says; what people decide is read from there and nowhere else."""

    def __init__(self, life: OrderLife, changing: Changing, fulfilling: Fulfilling, cancelling: Cancelling) -> None:
        self.life = life
        self.cancelling = cancelling
        self.changing = changing
        self.fulfilling = fulfilling
        self.cancellation_id = ""
        self.acknowledged: dict[str, Acknowledged] = {}
        self.is_parked = False

    async def clear(self, undo: Undo) -> bool:
        """Whether the order may be accepted; waits as long as people need to decide."""
        life = self.life
        with workflow.create_event_group("clear the order").scope():
            undo.push(life.steps.release_credit)
            life.credit = await self._credit()
            validation = await life.steps.validate(life.credit)
            if validation.outcome == "rejected":
                life.receipt = Receipt("rejected", validation.reasons)
                return False
            if validation.clearance is not None:
                return await self._wait_for_people(validation.reasons, validation.clearance)
            if life.standing is not None and life.standing.was_held:
                await self._force_credit()
        return True

    async def _credit(self) -> Credit:
        """Whether credit covers the order; one that was validated before has what was committed to it."""
        standing = self.life.standing
        if standing is None or standing.phase == "received":
            return await self.life.steps.commit_credit()
        return Credit(standing.has_credit, 0, 0)

    async def _force_credit(self) -> None:
        """People let the order go on although credit did not cover it."""
        life = self.life
        if not life.credit.is_granted:
            life.credit = await life.steps.adjust_credit(f"forced/v{life.order.version}", is_forced=True)

    async def find_carrier(self) -> bool:
        """No carrier serves the address: support holds the order until one does; False when it ends instead."""
        return await self._wait_for_people(
            ["CARRIER_MISSING"], await self.life.steps.hold_undeliverable(self.life.state)
        )

    async def _wait_for_people(self, reasons: list[str], clearance: Clearance) -> bool:
        """Park until holds, reviews and the customer's answers are settled; a cancellation meanwhile ends the order."""
        life = self.life
        life.receipt = Receipt("held", reasons)
        life.state = OrderState(is_held=True)
        life.clearance = clearance
        while life.clearance.state == WAITING:
            kind, note = await life.next_event()
            if kind == CANCEL_ASKED:
                if await self.cancelling.is_asked(note.fact_id):
                    self.cancellation_id = note.fact_id
                    return False
                continue
            await self.refresh(kind, note)
        self._park(is_parked=False)
        if life.clearance.state != CLEARED:
            return False
        life.state = OrderState()
        await self._force_credit()
        return True

    async def refresh(self, kind: str, note: FactNote) -> None:
        """Somebody may have decided, or a deadline has passed: the database says what became of it."""
        life = self.life
        with workflow.create_event_group("people decide").scope():
            if kind == DEADLINE_PASSED:
                await self._pass_deadline()
            else:
                life.clearance = await life.steps.read_clearance()
        await self.changing.withdraw_recall()
        if kind == names.RECALL_ANSWERED and not life.clearance.change_id and life.state.is_reserved:
            await self.fulfilling.release_recalled()
        # The server must know what was read: once applied, no one would read of the change again. A timer ends this task.
        if life.clearance.change_id:
            await workflow.sleep(
                timedelta(milliseconds=1), summary=f"No wait: save that {life.order.number} is to change"
            )
        while change_id := life.clearance.change_id:
            with workflow.create_event_group("change the order").scope():
                await self.changing.settle(change_id)
        await self.fulfilling.release_withheld()
        self.acknowledged[note.fact_id] = Acknowledged(life.clearance.state)

    async def _pass_deadline(self) -> None:
        life = self.life
        if life.clearance.deadline not in _BY_THEMSELVES:
            self._park(is_parked=True)
        passed, life.clearance = life.clearance, await life.steps.pass_deadline(life.clearance)
        if life.clearance == passed:  # nobody acted on it, so the same timer would fire for ever
            workflow.logger.error("a deadline passed without effect", extra={"deadline": passed.deadline})
            life.clearance = replace(passed, deadline="", deadline_micros=0)

    def _park(self, *, is_parked: bool) -> None:
        """Orders that people leave waiting until a deadline passes are found in Temporal by OmsPhase."""
        if is_parked != self.is_parked:
            self.is_parked = is_parked
            workflow.upsert_search_attributes([names.PHASE.value_set("in_review" if is_parked else "open")])

    async def when_acknowledged(self, kind: str, refresh: ClearanceRefresh) -> Acknowledged:
        """Have the clearance read, and answer what it is; nothing in the message itself is believed."""
        self.life.take(kind, FactNote(refresh.subject_id))
        self.acknowledged.pop(refresh.subject_id, None)
        await workflow.wait_condition(lambda: refresh.subject_id in self.acknowledged or self.life.is_over)
        return self.acknowledged.get(refresh.subject_id, Acknowledged("ended"))

    def check(self, refresh: ClearanceRefresh) -> None:
        """Refuse an order that has ended, and a message without an id."""
        if self.life.is_over:
            raise ValueError("the order has ended: nothing of it can be decided any more")
        if not refresh.subject_id:
            raise ValueError("decisions are taken through the order API, which gives them an id")
