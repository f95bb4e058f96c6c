"""Fulfilling an order: stock is held for it, and its warehouses are given what is held."""

from __future__ import annotations

from dataclasses import replace

from temporalio import workflow

from workflows.order_life import OrderLife

with workflow.unsafe.imports_passed_through():
    from workflows import facts, names
    from workflows.facts import OrderState
    from workflows.messages import FactNote, Release, Reservation


class Fulfilling:
    """Stock and warehouses."""

    def __init__(self, life: OrderLife) -> None:
        self.life = life

    async def reserve(self) -> bool:
        """Hold what stock allows, the rest waits as backorders; False when nobody can carry it to the address."""
        with workflow.create_event_group("reserve and release").scope():
            held = await self._hold()
        self.life.state = OrderState(is_reserved=not held.is_undeliverable, backordered=held.backordered)
        return not held.is_undeliverable

    async def _hold(self) -> Reservation:
        """What was held for a lost run is put right: a version may have come of which stock has not heard."""
        standing = self.life.standing
        if standing is not None and standing.is_reserved:
            return await self.life.steps.adjust_reservation()
        return await self.life.steps.reserve()

    async def release(self, *, is_notified: bool = False) -> Release | None:
        """Give what is held to the warehouses, unless the order ships complete and something is still missing.

        Who `is_notified` that stock has come asks inventory: the step itself sees what is missing.
        """
        life = self.life
        if life.order.is_ship_complete and life.state.backordered and not (is_notified and life.order.reads_truth):
            return None
        with workflow.create_event_group("reserve and release").scope():
            return await life.steps.release_shipments()

    async def accept(self) -> None:
        """Everything that can leave is with its warehouses; a run that goes on says so only where it is new."""
        life = self.life
        released = await self.release()
        if life.standing is None or not life.standing.is_accepted:
            await life.record("accepted")
        elif released is not None and released.shipments:
            await life.record("allocated")

    async def allocate(self, note: FactNote) -> None:
        """Stock is said to have come for units that waited: what has come is released, and nothing is recorded of what has not."""
        life, before = self.life, self.life.state.backordered
        if not life.order.reads_truth:
            life.state = facts.apply(life.state, names.STOCK_ALLOCATED, note)
        released = await self.release(is_notified=True)
        if released is not None and released.backordered >= 0:
            life.state = replace(life.state, backordered=released.backordered)
            if life.order.reads_truth and not released.shipments and released.backordered == before:
                return
        await life.record("allocated", note.subject_id)
