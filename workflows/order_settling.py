"""Settling an order: what has left becomes an invoice, until all is delivered and paid."""

from __future__ import annotations

from temporalio import workflow

from workflows.order_life import OrderLife


class Settling:
    """Invoices, and the end of an order that went well."""

    def __init__(self, life: OrderLife) -> None:
        self.life = life

    async def invoice(self, shipment_id: str) -> None:
        """A shipment left: take it off stock and turn it into an invoice."""
        with workflow.create_event_group("ship and invoice").scope():
            await self.life.steps.ship_stock(shipment_id)
            await self.life.steps.issue_invoice(shipment_id)

    async def close(self) -> None:
        """Every unit is delivered or cancelled and every invoice settled."""
        await self.life.record("closed")
