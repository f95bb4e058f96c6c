"""The deposit invoices of an order and credit notes of them, for its pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.console.accounting.values import money
from gateway.console.visitor import Visitor
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.money import Money
from services.orders.domain.order import Order
from services.runtime.grpc_client import Unreachable

_DEADLINE_S = 2.0
_MOST = 500


@dataclass(frozen=True, slots=True)
class DepositInvoiceShown:
    """A deposit invoice, or a credit note that `corrects` the one of that number; `invoices` are those that deduct it."""

    number: str
    corrects: str
    reason: str
    order_number: str
    customer_id: str
    invoiced_on: str
    total: Money
    tax: Money
    open: Money
    invoices: tuple[str, ...]

    @classmethod
    def of(cls, row: pb.DepositInvoice) -> DepositInvoiceShown:
        """From the wire."""
        currency = row.total.currency
        return cls(
            row.number,
            row.corrects,
            row.reason,
            row.order_number,
            row.customer_id,
            row.invoiced_on,
            money(row.total, currency),
            money(row.tax, currency),
            money(row.open, currency),
            tuple(one.invoice_number for one in row.deductions),
        )


def deposit_invoices_of(who: Visitor, order: Order) -> Sequence[DepositInvoiceShown]:
    """Oldest first; none while billing is away, and of an order without a deposit. The caller has closed its transaction."""
    if not (order.deposit_terms and who.may("GET /v1/deposit-invoices")):
        return ()
    wanted = pb.ListDepositInvoicesRequest(order_id=order.order_id, customer_id=who.caller.company or "", limit=_MOST)
    try:
        rows = who.deps.billing.ListDepositInvoices(wanted, timeout=_DEADLINE_S).deposit_invoices
    except Unreachable:
        return ()
    return [DepositInvoiceShown.of(row) for row in rows]
