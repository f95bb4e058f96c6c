"""What an order's workflow remembers between its turns, and how it waits for what happens next: its acts share it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import CancelledError

with workflow.unsafe.imports_passed_through():
    from workflows.details import details, due_at
    from workflows.facts import OrderState
    from workflows.messages import Clearance, Credit, FactNote, OrderRef, Receipt, Recorded, Standing
    from workflows.order_steps import OrderSteps, deadline_summary

CANCEL_ASKED = "cancellation"
DEADLINE_PASSED = "deadline"
HOLDS = "holds"

Event = tuple[str, FactNote]
"""What woke the workflow, by the name of its signal or update, and whom or what it is about."""


class OrderLife:
    """One order: its steps, where it stands, what stands between it and its warehouses, and what has come in.

    `withheld_by` says what kept goods from the last release: HOLDS, the id of a change, or nothing. `standing` is what a run that
    goes on for a lost one found; None in the first run. It `is_stopped` once somebody cancelled the workflow in Temporal. `left` are the
    shipments that were invoiced, and `never_left` those of which that was taken back.
    """

    def __init__(self, order: OrderRef) -> None:
        self.steps = OrderSteps(order)
        self.state = OrderState()
        self.credit = Credit(is_granted=True, exposure_minor=0, limit_minor=0)
        self.clearance = Clearance("cleared")
        self.receipt: Receipt | None = None
        self.inbox: list[Event] = []
        self.withheld_by = ""
        self.is_sourcing_asked = False
        self.is_over = False
        self.is_interrupted = False
        self.is_stopped = False
        self.standing: Standing | None = None
        self.left: set[str] = set()
        self.never_left: set[str] = set()

    @property
    def order(self) -> OrderRef:
        """The order at the version in force."""
        return self.steps.order

    def take(self, kind: str, note: FactNote) -> None:
        """Keep what has come in until its turn comes."""
        self.inbox.append((kind, note))

    def stop(self, living: asyncio.Future[Any]) -> None:
        """Temporal was asked to cancel the run: it ends once all that has come in is done.

        It is noted, for a CancelledError that meets the end of a step is lost. Runs from before are broken off wherever they are.
        """
        if workflow.patched("stops-at-rest"):
            self.is_stopped = True
        else:
            living.cancel()

    async def next_event(self) -> Event:
        """Sleep, for weeks if need be, until a fact, a person or a deadline wants something; CancelledError once stopped."""
        self.show()
        due = due_at(self.clearance)
        try:
            await workflow.wait_condition(
                lambda: bool(self.inbox) or self.is_stopped,
                timeout=max(due - workflow.now(), timedelta()) if due else None,
                timeout_summary=deadline_summary(self.clearance, self.order.number) if due else None,
            )
        except TimeoutError:
            self.steps.turn += 1
            return DEADLINE_PASSED, FactNote("")
        if not self.inbox:
            raise CancelledError("somebody stopped the workflow")
        self.steps.turn += 1
        return self.inbox.pop(0)

    async def record(self, milestone: str, subject_id: str = "", reason: str = "") -> Recorded:
        """The last step of a turn."""
        return await self.steps.record(milestone, subject_id, self.state, reason)

    def count_left(self) -> None:
        """How many shipments have left and are invoiced, those that a lost run invoiced included."""
        before = self.standing.invoiced if self.standing else []
        self.state = replace(self.state, shipped=len(self.left.union(before) - self.never_left))

    def show(self, outcome: str = "") -> None:
        """Where the order stands, or how it ended, for whoever opens it in the Temporal UI."""
        workflow.set_current_details(details(self.order, self.state, self.clearance, outcome))
