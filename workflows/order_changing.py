"""Changing an order that people have agreed to change."""

from __future__ import annotations

from dataclasses import replace

from temporalio import workflow

from workflows.order_fulfilling import Fulfilling
from workflows.order_life import OrderLife


class Changing:
    """Makes an agreed change the next version of the order."""

    def __init__(self, life: OrderLife, fulfilling: Fulfilling) -> None:
        self.life = life
        self.fulfilling = fulfilling
        self.asked_back = ""

    def resume(self) -> None:
        """A change that waited when the last run was lost may have been asked back from the warehouses."""
        standing = self.life.standing
        if standing is not None and standing.clearance.withholding_change_id and workflow.patched("resumed-recall"):
            self.asked_back = standing.clearance.withholding_change_id

    async def withdraw_recall(self) -> None:
        """Whoever canceled has taken it back while the warehouses were asked: they are asked no more."""
        asked, now = self.asked_back, self.life.clearance
        if asked and asked not in (now.change_id, now.withholding_change_id):
            self.asked_back = ""
            await self.life.steps.withdraw_recall(asked)

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
        self.asked_back = ""
        recall = await steps.request_recall(change_id)
        if recall.state == "nothing_to_recall":
            return True
        verb = "recall" if recall.state == "pending" else "reject"
        self.asked_back = change_id if recall.state == "pending" and recall.may_be_withdrawn else ""
        self.life.clearance = await steps.record_change(change_id, verb, recall.reason)
        steps.turn += 1  # a warehouse that has answered meanwhile is asked again, not for its first answer
        return False
