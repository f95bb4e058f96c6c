"""Settling an order: what has left becomes an invoice, until all is delivered and paid."""

from __future__ import annotations

from dataclasses import replace

from temporalio import workflow

from workflows.order_life import OrderLife

with workflow.unsafe.imports_passed_through():
    from workflows import names
    from workflows.messages import FactNote


class Settling:
    """Invoices, and the end of an order that went well."""

    def __init__(self, life: OrderLife) -> None:
        self.life = life

    async def invoice(self, shipment_id: str) -> None:
        """A shipment is said to have left: if fulfillment says so, take it off stock and turn it into an invoice."""
        with workflow.create_event_group("ship and invoice").scope():
            shipped = await self.life.steps.ship_stock(shipment_id)
            if not shipped.is_done:
                return
            issued = await self.life.steps.issue_invoice(shipment_id)
            if not issued.is_done:
                return
            if self.life.order.pays_by_card:
                await self.life.steps.capture_invoice(shipment_id)
        self.life.left.add(shipment_id)
        self.life.count_left()

    async def take_back(self, shipment_id: str) -> None:
        """A ship confirm is said to be reversed: if fulfillment says so, stock and invoice are as before it, once."""
        life = self.life
        if shipment_id in life.never_left:
            return
        with workflow.create_event_group("ship confirm reversed").scope():
            back = await life.steps.put_stock_back(shipment_id)
            if not back.is_done:
                return
            await life.steps.reverse_billing(shipment_id)
        life.never_left.add(shipment_id)
        life.state = replace(life.state, is_delivered=False, is_settled=False)
        life.count_left()

    async def capture_for_lost(self) -> None:
        """What a lost run invoiced of an order by card it may not have captured; what is captured stays so."""
        standing = self.life.standing
        if standing is None or not self.life.order.pays_by_card:
            return
        for shipment_id in standing.invoiced:
            await self.life.steps.capture_invoice(shipment_id)

    async def is_complete(self) -> bool:
        """Whether the order may be closed, as its services say and not as it was told; otherwise it knows now what is true."""
        life = self.life
        if not life.order.reads_truth:
            return True
        true = await life.steps.check_completeness()
        life.state = replace(life.state, is_delivered=true.is_delivered, is_settled=true.is_settled)
        for shipment_id in true.left:  # whoever should have told of it did not, or has yet to
            life.take(names.SHIPMENT_SHIPPED, FactNote("", shipment_id))
        return not life.state.is_open

    async def close(self) -> None:
        """Every unit is delivered or cancelled and every invoice settled."""
        await self.life.record("closed")
