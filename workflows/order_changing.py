"""Changing an order that people have agreed to change."""

from __future__ import annotations

from dataclasses import replace

from workflows.order_fulfilling import Fulfilling
from workflows.order_life import OrderLife


class Changing:
    """Makes an agreed change the next version of the order."""

    def __init__(self, life: OrderLife, fulfilling: Fulfilling) -> None:
        self.life = life
        self.fulfilling = fulfilling

    async def settle(self, change_id: str) -> None:
        """Warehouse, credit, the new version, stock: in this order, so that whoever refuses leaves the order as it was."""
        life = self.life
        if life.state.is_reserved and not await self._is_given_back(change_id):
            return
        credit = await life.steps.adjust_credit(change_id, change_id)
        applied = await life.steps.apply_change(change_id, credit)
        life.clearance = applied.clearance
        if not applied.is_applied:
            await life.steps.adjust_credit(f"{change_id}/back")  # not forced: what waited for its money still does
            return
        life.credit = credit
        life.steps.becomes(applied)
        if life.state.is_reserved:
            held = await life.steps.adjust_reservation()
            life.state = replace(life.state, backordered=held.backordered)
            await self.fulfilling.release_changed()
            await life.record("changed", change_id)

    async def _is_given_back(self, change_id: str) -> bool:
        """Whether the warehouses have nothing that the change takes away; what they answer or refuse is recorded."""
        steps = self.life.steps
        recall = await steps.request_recall(change_id)
        if recall.state == "nothing_to_recall":
            return True
        verb = "recall" if recall.state == "pending" else "reject"
        self.life.clearance = await steps.record_change(change_id, verb, recall.reason)
        steps.turn += 1  # a warehouse that has answered meanwhile is asked again, not for its first answer
        return False
