"""What a customer owes us, for its own page: open, overdue, cash that pays nothing yet, and each open invoice with its day."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.console.accounting import asking
from gateway.console.accounting.values import InvoiceShown, ReceivableShown
from gateway.console.visitor import Visitor
from services.kernel.clock import business_day
from services.orders.order import lookup
from services.runtime.grpc_client import Unreachable


@dataclass(frozen=True, slots=True)
class Balance:
    """One row a currency, and the oldest open invoices, the first due of them first; the rows count all.

    `opens` are the ids of their orders that the visitor may open: an account is billed for others' orders, too. `today` is an ISO
    date of the company.
    """

    rows: tuple[ReceivableShown, ...] = ()
    invoices: tuple[InvoiceShown, ...] = ()
    is_all: bool = True
    opens: frozenset[str] = frozenset()
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
    with who.deps.database.reading() as session:
        opens = lookup.headed(session, _orders_of(invoices.rows), who.caller.scope)
    return Balance(tuple(mine), tuple(invoices.rows), not invoices.next_cursor, frozenset(opens), today)


def _orders_of(invoices: list[InvoiceShown]) -> set[str]:
    alone = {one.order_id for one in invoices if one.order_id}
    return alone | {share.order_id for one in invoices for share in one.shares}
