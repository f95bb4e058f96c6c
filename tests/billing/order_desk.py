"""What tests of orders that are invoiced at order ask of billing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.billing.invoice_runner import InvoiceRunner
from tests.billing.desk import CONTEXT, Desk, order_of


def at_order(lines: Mapping[str, tuple[int, str]], **terms: Any) -> orders_pb2.Order:
    """An order that is invoiced at order."""
    return order_of(lines, invoicing="at_order", **terms)


def grown(order: orders_pb2.Order, lines: Mapping[str, tuple[int, str]], **terms: Any) -> orders_pb2.Order:
    """Its next version."""
    after = at_order(lines, order_id=order.order_id, customer_id=order.customer_id, **terms)
    after.version = order.version + 1
    return after


def accept(desk: Desk, order: orders_pb2.Order) -> int:
    """The workflow says that an order is accepted or has changed; how many invoices are made then."""
    desk.orders[order.order_id] = order
    desk.billing.InvoiceOrder(pb.InvoiceOrderRequest(order=order), CONTEXT)
    return make(desk)


def make(desk: Desk) -> int:
    """Make what is due of orders; how many invoices that are."""
    return InvoiceRunner(desk.database, desk.orders.__getitem__, lambda: desk.now).issue_orders()


def deferred(desk: Desk) -> int:
    """What is deferred in all."""
    return -desk.balances().get("deferred_revenue", 0)
