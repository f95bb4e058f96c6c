"""What is true of an order: read from the services that own it, by id, before its workflow ends or goes on for a lost one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence

from temporalio import activity

from oms.billing.v1 import billing_pb2
from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from oms.orders.v1 import orders_pb2
from services.kernel.invoicing import EXCHANGE, PER_SHIPMENT
from services.kernel.quantity import is_covered
from workflows.activities.calls import CARD, Services, shipments_of
from workflows.activities.documents import LEFT
from workflows.activities.orders import clearance_of
from workflows.messages import Completeness, OrderStep, Standing

PAGE = 500


class StandingActivities:
    """All services together, asked about one order."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @activity.defn(name="orders.CheckCompleteness")
    async def check_completeness(self, step: OrderStep) -> Completeness:
        """Whether all is delivered and settled, and what has left without an invoice."""
        order, shipments, invoices = await asyncio.gather(
            self._services.orders.GetOrder(orders_pb2.GetOrderRequest(order_id=step.order_id)),
            shipments_of(self._services, step.order_id),
            self._invoices(step.order_id),
        )
        return completeness(order.order, shipments, invoices, await self._waiting(order.order))

    @activity.defn(name="orders.GetStanding")
    async def get_standing(self, step: OrderStep) -> Standing:
        """Where the goods and the money are."""
        order_id = step.order_id
        found, order, shipments, invoices, held, credit = await asyncio.gather(
            self._services.orders.GetClearance(orders_pb2.GetClearanceRequest(order_id=order_id)),
            self._services.orders.GetOrder(orders_pb2.GetOrderRequest(order_id=order_id)),
            shipments_of(self._services, order_id),
            self._invoices(order_id),
            self._services.inventory.GetReservation(inventory_pb2.GetReservationRequest(order_id=order_id)),
            self._services.billing.GetCommitment(billing_pb2.GetCommitmentRequest(order_id=order_id)),
        )
        asked = inventory_pb2.GetSourcingRequestsRequest(order_id=order_id)
        sourcing = await self._services.inventory.GetSourcingRequests(asked)
        true = completeness(order.order, shipments, invoices, await self._waiting(order.order))
        return Standing(
            phase=found.phase,
            clearance=clearance_of(found.clearance),
            completeness=true,
            was_held=found.was_held,
            is_accepted=found.is_accepted,
            has_credit=credit.HasField("remaining"),
            is_reserved=bool(held.allocations or held.shortages or held.shipped),
            invoiced=[
                each.shipment_id for each in shipments if each.state in LEFT and each.shipment_id not in true.left
            ],
            unpaid_hold_id=found.unpaid_hold_id,
            never_left=[each.shipment_id for each in shipments if each.HasField("reversal")],
            is_sourcing_asked=bool(sourcing.requests),
            is_on_credit=await self._is_on_credit(order.order, is_committed=credit.HasField("remaining")),
        )

    async def _is_on_credit(self, order: orders_pb2.Order, *, is_committed: bool) -> bool:
        """Whether billing counts an order by card against credit, as it does those from before cards were taken."""
        if order.payment_method != CARD:
            return False
        asked = billing_pb2.GetOrderMoneyRequest(order_id=order.order_id, currency=order.total.currency)
        money = await self._services.billing.GetOrderMoney(asked)
        return (is_committed or bool(money.waiting_since_micros)) and not money.card

    async def _waiting(self, order: orders_pb2.Order) -> Sequence[str]:
        """Shipments that billing knows of and invoices later, or has invoiced at order; only orders with such a policy have any."""
        if order.invoicing in ("", PER_SHIPMENT):
            return ()
        asked = billing_pb2.ListBillableRequest(order_ids=[order.order_id])
        found = await self._services.billing.ListBillable(asked)
        return [*(one.shipment_id for one in found.shipments), *(one.shipment_id for one in found.invoiced_at_order)]

    async def _invoices(self, order_id: str) -> Sequence[billing_pb2.Invoice]:
        found: list[billing_pb2.Invoice] = []
        asked = billing_pb2.ListInvoicesRequest(order_id=order_id, limit=PAGE)
        while True:
            page = await self._services.billing.ListInvoices(asked)
            found.extend(page.invoices)
            if not page.next_cursor:
                return found
            asked.cursor = page.next_cursor


def completeness(
    order: orders_pb2.Order,
    shipments: Sequence[fulfillment_pb2.Shipment],
    invoices: Sequence[billing_pb2.Invoice],
    waiting: Sequence[str] = (),
) -> Completeness:
    """What its shipments and invoices say of an order; an invoice is settled when billing has nothing open on it.

    What never left counts as not invoiced, and a fee bills no units. Shipments that are `waiting` are invoiced later, or were before they
    left: billing has heard of them, so they are not left behind.
    """
    wanted = {line.line_id: line.quantity for line in order.lines}
    on_invoices = {one for invoice in invoices for one in invoice.shipment_ids}
    invoiced = _units(line for each in invoices if not each.fee_id for line in each.lines)
    for line in (one for each in invoices for one in each.lines):
        invoiced[line.line_id] -= line.reversed_quantity
    arrived = [each for each in shipments if _is_over(each)]
    billed = on_invoices.union(waiting)
    is_paid = all(invoice.open.minor_units == 0 for invoice in invoices)
    if order.invoicing == EXCHANGE:
        gone = _units(line for each in shipments if each.state in LEFT for line in each.lines)
        owes = any(invoiced[key] < min(units, gone[key]) for key, units in order.charged.items())
        is_billed = is_covered(wanted, gone) and not order.is_exchange_open and not owes
    else:
        is_billed = is_covered(wanted, invoiced)
    return Completeness(
        is_delivered=is_covered(wanted, _units(line for each in arrived for line in each.lines)),
        is_settled=is_paid and is_billed,
        left=[each.shipment_id for each in shipments if each.state in LEFT and each.shipment_id not in billed],
    )


def _is_over(shipment: fulfillment_pb2.Shipment) -> bool:
    """Whether it is on its way no more: delivered, or stopped there by its carrier, so that it comes back."""
    is_delivered = shipment.state == fulfillment_pb2.SHIPMENT_STATE_DELIVERED
    return is_delivered or shipment.interception.state == "intercepted"


def _units(lines: Iterable[fulfillment_pb2.ShipmentLine | billing_pb2.InvoiceLine]) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in lines:
        units[line.line_id] += line.quantity
    return units
