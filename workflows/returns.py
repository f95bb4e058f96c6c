"""The life of a return: announced to the warehouse, and with each inspection its stock and its money follow."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from workflows import names
    from workflows.interruption import reason_of
    from workflows.messages import Done
    from workflows.return_messages import (
        ANNOUNCE,
        CREDIT,
        NET,
        OVER,
        SETTLE,
        WAIT,
        Following,
        ReturnNote,
        ReturnRef,
        ReturnStep,
    )
    from workflows.steps import step


@workflow.defn(name=names.RETURN_WORKFLOW)
class ReturnWorkflow:
    """A return's life: authorized, announced, inspected, taken into stock, credited, and ended.

    The orders database says what comes next, so a run that goes on for a lost one goes on from there.
    """

    @workflow.init
    def __init__(self, ref: ReturnRef) -> None:
        self.ref = ref
        self.news = 0
        self.heard = 0
        self.turn = 0

    @workflow.run
    async def run(self, ref: ReturnRef) -> str:  # noqa: ARG002  # the SDK gives __init__ and run the same
        """Live until nothing more comes and all that came is credited; gives the state in which it ended.

        A step that is refused for good ends this run and never the return: support is told, and a repair starts the next.
        """
        try:
            state = await self._live()
        except (FailureError, asyncio.CancelledError) as interruption:
            halted = ReturnStep(self._key("halted"), self.ref.return_id, halted=reason_of(interruption))
            await self._ask(halted, f"record that nobody carries {self.ref.number} on")
            raise
        workflow.set_current_details(f"{self.ref.number} of {self.ref.order_number}: {state}")
        await workflow.wait_condition(workflow.all_handlers_finished)
        return state

    async def _live(self) -> str:
        following = await self._refresh()
        while following.next != OVER:
            self.turn += 1
            following = await self._wait(following) if following.next == WAIT else await self._act(following)
        return following.state

    async def _act(self, following: Following) -> Following:
        """Do what comes next; each step records what it did and says what comes then."""
        number, inspection = self.ref.number, following.inspection_id
        self.heard = self.news
        if following.next == ANNOUNCE:
            asked = ReturnStep(self._key("announce"), self.ref.return_id)
            summary = f"announce {self.ref.units} units of {number} to the warehouse"
            return await step("fulfillment.ExpectReturn", asked, Following, summary=summary)
        if following.next == CREDIT:
            stock = ReturnStep(self._key(f"stock/{inspection}"), self.ref.return_id, inspection)
            summary = f"take what was inspected of {number} back at its original cost"
            await step("inventory.TakeReturn", stock, Done, summary=summary)
            money = ReturnStep(self._key(f"credit/{inspection}"), self.ref.return_id, inspection)
            summary = f"credit what was inspected of {number}"
            return await step("billing.CreditReturn", money, Following, summary=summary)
        if following.next == NET:
            netted = ReturnStep(self._key(f"net/{inspection}"), self.ref.return_id, inspection)
            summary = f"pay what replaces goods of {number} with their credit"
            return await step("billing.NetExchange", netted, Following, summary=summary)
        if following.next == SETTLE:
            settled = ReturnStep(self._key("settle"), self.ref.return_id)
            summary = f"charge what was sent in advance for goods of {number} that did not come"
            return await step("billing.SettleExchange", settled, Following, summary=summary)
        closed = ReturnStep(self._key("close"), self.ref.return_id)
        return await step("fulfillment.CloseReturn", closed, Following, summary=f"take no more goods for {number}")

    async def _wait(self, following: Following) -> Following:
        """Sleep, for weeks if need be, until somebody decides, a warehouse inspects, or goods are overdue."""
        due = following.deadline_micros
        until = datetime.fromtimestamp(due / 1_000_000, UTC) if due else None
        workflow.set_current_details(self._details(following, until))
        try:
            await workflow.wait_condition(
                lambda: self.news > self.heard,
                timeout=max(until - workflow.now(), timedelta()) if until else None,
                timeout_summary=f"Deadline: goods of {self.ref.number}" if until else None,
            )
        except TimeoutError:
            return await self._refresh(due)
        return await self._refresh()

    async def _refresh(self, passed_micros: int = 0) -> Following:
        self.heard = self.news
        asked = ReturnStep(self._key(f"next/{self.turn}"), self.ref.return_id, passed_micros=passed_micros)
        return await self._ask(asked, f"what comes next for {self.ref.number}?")

    async def _ask(self, asked: ReturnStep, summary: str) -> Following:
        return await step("orders.AdvanceReturn", asked, Following, summary=summary)

    def _details(self, following: Following, until: datetime | None) -> str:
        by = f", goods are awaited until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        return f"{self.ref.number} of {self.ref.order_number}: {following.state}{by}"

    def _key(self, action: str) -> str:
        """The business key of an action: the same for every try, and for a run that goes on for a lost one."""
        return f"return/{self.ref.return_id}/{action}"

    # Handlers record; run() acts.

    @workflow.signal(name=names.RETURN_DECIDED)
    def return_decided(self, note: ReturnNote) -> None:  # noqa: ARG002  # it says only that there is news
        """Support authorized or denied it."""
        self.news += 1

    @workflow.signal(name=names.RETURN_INSPECTED)
    def return_inspected(self, note: ReturnNote) -> None:  # noqa: ARG002  # it says only that there is news
        """A warehouse has inspected goods of it."""
        self.news += 1

    @workflow.signal(name=names.RETURN_CANCELLED)
    def return_cancelled(self, note: ReturnNote) -> None:  # noqa: ARG002  # it says only that there is news
        """It was called off."""
        self.news += 1
