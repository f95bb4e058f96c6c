"""What should have happened between services and did not: each service tells what it knows, and no fact between them is believed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from oms.billing.v1 import billing_pb2 as billing
from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from services.kernel.clock import from_micros
from services.kernel.invoicing import PER_SHIPMENT
from services.kernel.quantity import is_covered
from services.orders.order.aggregate import OrderAggregate
from services.orders.overview.overdue import Due
from services.runtime.audit import Finding, finding_of

Document = TypeVar(
    "Document", fulfillment.Shipment, billing.Invoice, billing.BillableShipment, billing.InvoicedShipment
)

_LEFT = (fulfillment.SHIPMENT_STATE_SHIPPED, fulfillment.SHIPMENT_STATE_DELIVERED)
_CANCELLED = fulfillment.SHIPMENT_STATE_CANCELLED
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Way:
    """An accepted order, with what fulfillment and billing say of it themselves.

    Shipments that are `waiting` are invoiced later, and those that were `invoiced_before` they left have no invoice of their own.
    """

    order: OrderAggregate
    shipments: Sequence[fulfillment.Shipment] = field(default_factory=list)
    invoices: Sequence[billing.Invoice] = field(default_factory=list)
    waiting: Sequence[billing.BillableShipment] = field(default_factory=list)
    invoiced_before: Sequence[billing.InvoicedShipment] = field(default_factory=list)

    @property
    def number(self) -> str:
        """The order's number."""
        return self.order.order.number

    @property
    def wanted(self) -> dict[str, int]:
        """Line id → units that the customer still wants or has."""
        return {line_id: line.wanted for line_id, line in self.order.lines().items()}

    @property
    def is_delivered(self) -> bool:
        """Whether fulfillment has delivered all of it."""
        arrived = [one for one in self.shipments if one.state == fulfillment.SHIPMENT_STATE_DELIVERED]
        return is_covered(self.wanted, _units(line for one in arrived for line in one.lines))

    @property
    def is_settled(self) -> bool:
        """Whether billing has invoiced all of it, and nothing is open on its invoices."""
        is_paid = all(one.open.minor_units == 0 for one in self.invoices)
        return is_paid and is_covered(self.wanted, self._invoiced())

    def _invoiced(self) -> Counter[str]:
        """Line id → units that are invoiced; those of a shipment that never left are credited again."""
        billed = {one for invoice in self.invoices for one in invoice.shipment_ids}
        reversed_ones = [one for one in self.shipments if one.state == _CANCELLED and one.shipment_id in billed]
        units = _units(line for one in self.invoices for line in one.lines)
        units.subtract(_units(line for one in reversed_ones for line in one.lines))
        return units

    @property
    def last_change(self) -> datetime:
        """When orders heard of it last, or a shipment of it arrived, whichever was later."""
        arrivals = [from_micros(one.delivered_at_micros) for one in self.shipments if one.delivered_at_micros]
        return max([self.order.changed_at, *arrivals])


def _units(lines: Iterable[fulfillment.ShipmentLine | billing.InvoiceLine]) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in lines:
        units[line.line_id] += line.quantity
    return units


def findings(ways: Sequence[Way], due: Due) -> list[Finding]:
    """The three rules of an order on its way."""
    return [
        finding_of(
            "overdue.shipped_and_not_invoiced",
            "A shipment that has left is invoiced, or billing knows when it is to be.",
            [offender for way in ways for offender in _not_invoiced(way, due)],
        ),
        finding_of(
            "overdue.delivered_and_not_closed",
            "An order of which all is delivered and settled is closed.",
            [
                f"{way.number}: delivered and settled, and not closed for {due.age(way.last_change)}"
                for way in ways
                if way.is_delivered and way.is_settled and due.is_late(way.last_change)
            ],
        ),
        finding_of(
            "overdue.paid_and_not_settled",
            "An order whose invoices are all paid is shown as settled.",
            [
                f"{way.number}: all its invoices are paid, and it is not settled for {due.age(way.last_change)}"
                for way in ways
                if way.is_settled and not way.order.is_settled and due.is_late(way.last_change)
            ],
        ),
    ]


def _not_invoiced(way: Way, due: Due) -> Iterator[str]:
    billed = {one for invoice in way.invoices for one in invoice.shipment_ids}
    billed.update(one.shipment_id for one in way.waiting)
    billed.update(one.shipment_id for one in way.invoiced_before)
    for one in way.shipments:
        left_at = from_micros(one.shipped_at_micros)
        if one.state in _LEFT and one.shipment_id not in billed and due.is_late(left_at):
            yield f"{way.number}: {one.number} left {due.age(left_at)} ago and is not invoiced"


def ways_of(
    orders: Sequence[OrderAggregate],
    list_shipments: Callable[[fulfillment.ListShipmentsRequest], fulfillment.ListShipmentsResponse],
    list_invoices: Callable[[billing.ListInvoicesRequest], billing.ListInvoicesResponse],
    list_billable: Callable[[billing.ListBillableRequest], billing.ListBillableResponse],
) -> list[Way]:
    """The orders with their shipments, invoices and what waits for one, read from the services that own them."""
    order_ids = [one.order_id for one in orders]
    shipments = _by_order(_all_shipments(order_ids, list_shipments))
    invoices = _by_order(_all_invoices(order_ids, list_invoices))
    deferred = [one.order_id for one in orders if one.order.invoicing != PER_SHIPMENT]
    known = (
        list_billable(billing.ListBillableRequest(order_ids=deferred)) if deferred else billing.ListBillableResponse()
    )
    waiting, invoiced_before = _by_order(known.shipments), _by_order(known.invoiced_at_order)
    return [
        Way(
            one,
            shipments.get(one.order_id, []),
            invoices.get(one.order_id, []),
            waiting.get(one.order_id, []),
            invoiced_before.get(one.order_id, []),
        )
        for one in orders
    ]


def _by_order(documents: Iterable[Document]) -> Mapping[str, list[Document]]:
    found: defaultdict[str, list[Document]] = defaultdict(list)
    for one in documents:
        found[one.order_id].append(one)
    return found


def _all_shipments(
    order_ids: Sequence[str],
    ask: Callable[[fulfillment.ListShipmentsRequest], fulfillment.ListShipmentsResponse],
) -> Iterator[fulfillment.Shipment]:
    request = fulfillment.ListShipmentsRequest(order_ids=order_ids, limit=_PAGE)
    while True:
        page = ask(request)
        yield from page.shipments
        if not page.next_cursor:
            return
        request.cursor = page.next_cursor


def _all_invoices(
    order_ids: Sequence[str], ask: Callable[[billing.ListInvoicesRequest], billing.ListInvoicesResponse]
) -> Iterator[billing.Invoice]:
    request = billing.ListInvoicesRequest(order_ids=order_ids, limit=_PAGE)
    while True:
        page = ask(request)
        yield from page.invoices
        if not page.next_cursor:
            return
        request.cursor = page.next_cursor
