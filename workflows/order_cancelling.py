"""Cancelling an order, and giving back what was taken for one that ends early."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.order_life import CANCEL_ASKED, OrderLife
from workflows.order_settling import Settling

with workflow.unsafe.imports_passed_through():
    from workflows import names
    from workflows.compensation import Undo
    from workflows.messages import CancelOrder, CancelOutcome, FactNote

GONE = "a shipment has left meanwhile: cancel again what has not shipped, and ask for a return of the rest"
NOT_ASKED = "no such cancellation waits: ask for one through the order API"


class Cancelling:
    """Everything is cancelled, or nothing once a shipment has left."""

    def __init__(self, life: OrderLife, settling: Settling) -> None:
        self.life = life
        self.settling = settling
        self.outcomes: dict[str, CancelOutcome] = {}

    async def cancel(self, cancellation_id: str, undo: Undo) -> bool:
        """Cancel what can be cancelled; False when a shipment was quicker, or nobody asked for it, and the order goes on."""
        stopped = await self.life.steps.stop_whole_order(cancellation_id)
        if not stopped.is_asked:
            self._decline(cancellation_id, NOT_ASKED)
            return False
        if stopped.shipped:
            await self.life.record("cancel_refused", cancellation_id)
            self._decline(cancellation_id, GONE)
            return False
        for shipment_id in stopped.never_left:  # the order's end may be quicker than who tells of it
            await self.settling.take_back(shipment_id)
        await undo.take_back()
        await self.life.record("cancelled", cancellation_id)
        self.outcomes[cancellation_id] = CancelOutcome(is_cancelled=True)
        return True

    async def is_asked(self, cancellation_id: str) -> bool:
        """Whether the orders service knows of the cancellation, before anything of an order that waits is given back."""
        if not self.life.order.reads_truth:
            return True
        self.life.clearance = await self.life.steps.read_clearance()
        if self.life.clearance.cancellation_id == cancellation_id:
            return True
        self._decline(cancellation_id, NOT_ASKED)
        return False

    def _decline(self, cancellation_id: str, reason: str) -> None:
        self.outcomes[cancellation_id] = CancelOutcome(is_cancelled=False, reason=reason)

    async def end_early(self, cancellation_id: str, undo: Undo) -> str:
        """Refused, out of time, or cancelled while it waited unless people were quicker: gives how the order ended."""
        await undo.take_back()
        receipt, clearance = self.life.receipt, self.life.clearance
        if receipt is not None and receipt.outcome == "rejected":
            return "rejected"
        if clearance.state in ("rejected", "expired") and not cancellation_id:
            return clearance.state
        ended = (await self.life.record("cancelled", cancellation_id)).status
        if cancellation_id:
            reason = "" if ended == "cancelled" else f"the order is {ended} already"
            self.outcomes[cancellation_id] = CancelOutcome(is_cancelled=not reason, reason=reason)
        return ended

    async def when_settled(self, request: CancelOrder) -> CancelOutcome:
        """Have the order cancelled, and answer what became of it."""
        asked = request.cancellation_id
        self.life.take(CANCEL_ASKED, FactNote(asked))
        self.outcomes.pop(asked, None)
        await workflow.wait_condition(lambda: asked in self.outcomes or self.life.is_over)
        if self.life.is_interrupted and asked not in self.outcomes:
            raise ApplicationError("the workflow was interrupted: the next one answers", type=names.INTERRUPTED)
        return self.outcomes.get(asked, CancelOutcome(is_cancelled=False, reason="the order has ended"))

    def check(self, request: CancelOrder) -> None:
        """Refuse what can no longer be cancelled, and a request without an id; what was only told is no reason."""
        if self.life.is_over:
            raise ValueError("the order has ended: ask for a return instead")
        if self.life.state.shipped:
            raise ValueError(GONE)
        if not request.cancellation_id:
            raise ValueError("a cancellation is asked for through the order API, which gives it an id")
