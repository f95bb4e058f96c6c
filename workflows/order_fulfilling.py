"""Fulfilling an order: stock is held for it, and its warehouses are given what is held."""

from __future__ import annotations

from temporalio import workflow

from workflows.order_life import HOLDS, OrderLife

with workflow.unsafe.imports_passed_through():
    from workflows import names
    from workflows.facts import OrderState

WAITING = "waiting"
CLEARED = "cleared"


class Fulfilling:
    """Stock and warehouses."""

    def __init__(self, life: OrderLife) -> None:
        self.life = life

    async def reserve(self) -> bool:
        """Hold what stock allows, the rest waits as backorders; False when nobody can carry it to the address."""
        with workflow.create_event_group("reserve and release").scope():
            held = await self.life.steps.reserve()
        self.life.state = OrderState(is_reserved=not held.is_undeliverable, backordered=held.backordered)
        return not held.is_undeliverable

    async def release(self, withholding_change_id: str = "") -> None:
        """Give what is held to the warehouses, unless the order ships complete and something is still missing."""
        if self.life.order.is_ship_complete and self.life.state.backordered:
            return
        with workflow.create_event_group("reserve and release").scope():
            await self.life.steps.release_shipments(withholding_change_id)

    async def release_if_clear(self) -> None:
        """Release what the rules let go today; what they or a pending change hold back stays allocated until that is over."""
        life = self.life
        if not self._is_asked_again():
            await self.release()
            return
        if life.order.is_ship_complete and life.state.backordered:
            return
        with workflow.create_event_group("clear the release").scope():
            cleared = await life.steps.clear_release()
        life.clearance = cleared.clearance
        life.withheld_by = cleared.clearance.withholding_change_id if cleared.is_clear else HOLDS
        if cleared.is_clear:
            await self.release(cleared.clearance.withholding_change_id)

    def _is_asked_again(self) -> bool:
        """Orders that were placed before releases were cleared do so from their next turn on: what is replayed stays as it was."""
        return self.life.order.clears_releases or workflow.patched(f"cleared-release/{self.life.steps.turn}")

    async def accept(self) -> None:
        """Everything that can leave is with its warehouses; a change that somebody has proposed just now is looked at first."""
        if self.life.order.clears_releases and any(kind in names.REFRESHES for kind, _ in self.life.inbox):
            await self.release_if_clear()
        else:
            await self.release()
        await self.life.record("accepted")

    async def release_changed(self) -> None:
        """The version that a change has just made, whose rules were asked with it."""
        self.life.withheld_by = HOLDS if self.life.clearance.state == WAITING else ""
        if not self.life.withheld_by:
            await self.release()

    async def release_withheld(self) -> None:
        """What the last release left out, once that no longer stands against it."""
        by, now = self.life.withheld_by, self.life.clearance
        if by and now.state == CLEARED and by != now.withholding_change_id:
            await self.release_if_clear()

    async def allocate(self, receipt_id: str) -> None:
        """Stock has come for units that waited."""
        await self.release_if_clear()
        await self.life.record("allocated", receipt_id)
