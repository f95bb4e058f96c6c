"""Fulfilling an order: stock is held for it, and its warehouses are given what is held."""

from __future__ import annotations

from temporalio import workflow

from workflows.order_life import OrderLife

with workflow.unsafe.imports_passed_through():
    from workflows.facts import OrderState


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

    async def release(self) -> None:
        """Give what is held to the warehouses, unless the order ships complete and something is still missing."""
        if self.life.order.is_ship_complete and self.life.state.backordered:
            return
        with workflow.create_event_group("reserve and release").scope():
            await self.life.steps.release_shipments()

    async def accept(self) -> None:
        """Everything that can leave is with its warehouses."""
        await self.release()
        await self.life.record("accepted")

    async def allocate(self, receipt_id: str) -> None:
        """Stock has come for units that waited."""
        await self.release()
        await self.life.record("allocated", receipt_id)
