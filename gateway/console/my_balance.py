"""What a customer owes us, for its own page: open, overdue, cash that pays nothing yet, and each open invoice with its day."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.console.accounting import asking
from gateway.console.accounting.values import InvoiceShown, ReceivableShown
from gateway.console.visitor import Visitor
from services.kernel.clock import business_day
from services.runtime.grpc_client import Unreachable

INVOICES = 50
"""Most open invoices on the page; its figures count all."""


@dataclass(frozen=True, slots=True)
class Balance:
    """One row a currency, and the invoices that are due first; `today` is an ISO date of the company."""

    rows: tuple[ReceivableShown, ...] = ()
    invoices: tuple[InvoiceShown, ...] = ()
    today: str = ""
    is_away: bool = False


def balance_of(who: Visitor) -> Balance:
    """The balance of the visitor's own company; the caller has closed its transaction."""
    company = who.caller.company
    assert company, "the page is a customer's"
    try:
        rows = asking.receivables(who, company)
        invoices = asking.unpaid(who, company)
    except Unreachable:
        return Balance(is_away=True)
    today = business_day(who.deps.clock(), who.deps.database.time_zone).isoformat()
    mine = [row for row in rows if row.customer_id == company]
    return Balance(tuple(mine), tuple(invoices[:INVOICES]), today)
