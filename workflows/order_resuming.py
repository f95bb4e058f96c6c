"""Going on with an order whose workflow was lost: from where its goods and its money are, as the services say."""

from __future__ import annotations

from dataclasses import replace

from temporalio import workflow

from workflows.order_cancelling import Cancelling
from workflows.order_life import OrderLife
from workflows.order_settling import Settling

with workflow.unsafe.imports_passed_through():
    from workflows import names
    from workflows.compensation import Undo
    from workflows.messages import FactNote, Standing

ENDED = frozenset({"rejected", "cancelled", "expired", "failed"})
CLOSED = "closed"


class Resuming:
    """Enters a life in its middle. What was done before is done again only where a service does not know of it."""

    def __init__(self, life: OrderLife, cancelling: Cancelling, settling: Settling) -> None:
        self.life = life
        self.cancelling = cancelling
        self.settling = settling

    async def enter(self, undo: Undo) -> str:
        """Read where the order stands; gives how it ended when nothing is left but to give back, empty when it goes on."""
        life = self.life
        with workflow.create_event_group("go on for a lost workflow").scope():
            standing = life.standing = await life.steps.read_standing()
            life.clearance = standing.clearance
            if standing.is_on_credit:
                life.steps.counts_on_credit()
            for shipment_id in standing.never_left:
                await self.settling.take_back(shipment_id)
            if standing.phase == CLOSED:
                return "completed"
            asked = standing.clearance.cancellation_id
            if not asked and standing.phase not in ENDED:
                self._wake(standing)
                return ""
            return await self._end(standing, asked, undo)

    async def _end(self, standing: Standing, cancellation_id: str, undo: Undo) -> str:
        """What an order that ended, or is to be cancelled, may still hold is given back; empty when a shipment was quicker."""
        steps = self.life.steps
        for action in (steps.release_credit, steps.release_stock, steps.stop_shipments):
            undo.push(action)
        if standing.phase in ENDED:
            await undo.take_back()
            return standing.phase
        if await self.cancelling.cancel(cancellation_id, undo):
            return "cancelled"
        undo.keep()
        self._wake(standing)
        return ""

    def _wake(self, standing: Standing) -> None:
        """What happened while nobody listened, as the messages that would have told of it."""
        if standing.clearance.change_id:
            self.life.take(names.AMEND, FactNote(""))
        if standing.unpaid_hold_id:
            self.life.take(names.PAYMENT_REVERSED, FactNote("", standing.unpaid_hold_id))
        if standing.is_sourcing_asked:
            self.life.take(names.SOURCING_ASKED, FactNote(""))
        for shipment_id in standing.completeness.left:
            self.life.take(names.SHIPMENT_SHIPPED, FactNote("", shipment_id))

    def recall(self) -> None:
        """Once the order is with its warehouses again: how far it had come."""
        standing = self.life.standing
        if standing is not None:
            true = standing.completeness
            self.life.state = replace(self.life.state, is_delivered=true.is_delivered, is_settled=true.is_settled)
            self.life.count_left()
