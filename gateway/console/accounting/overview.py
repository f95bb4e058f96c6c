"""The first page of accounting: what waits for whom, what is late, what cash pays nothing."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from gateway.console.accounting import asking, to_invoice
from gateway.console.accounting import refunds as owed_refunds
from gateway.console.accounting.aging import aged
from gateway.console.accounting.names import names_of
from gateway.console.accounting.receipts import page_key
from gateway.console.accounting.waiting import holds_of
from gateway.console.pages import render
from gateway.console.visitor import VisitorOf

router = APIRouter()

SHOWN = 8
"""Rows of each list; the page of its own has all."""


@router.get("/accounting")
def accounting_page(request: Request, who: VisitorOf) -> Response:
    """Everything at a glance."""
    waiting = asking.waiting(who, limit=SHOWN)
    unapplied = asking.payments(who, state="unapplied", limit=SHOWN)
    billable = to_invoice.waiting(who, policy="manual", limit=SHOWN)
    owed = owed_refunds.refunds(who, state="open", limit=SHOWN)
    receivables = asking.receivables(who)
    late = sorted((row for row in receivables if row.overdue.minor), key=lambda row: row.overdue_since)[:SHOWN]
    customers = {
        *(row.customer_id for row in waiting.rows),
        *(row.customer_id for row in unapplied.rows),
        *(row.customer_id for row in billable.rows),
        *(row.customer_id for row in late),
        *(row.customer_id for row in owed.rows),
    }
    return render(
        "accounting.html",
        who,
        waiting=waiting,
        unapplied=unapplied,
        billable=billable,
        late=late,
        aging=aged(receivables),
        holds=holds_of(who, waiting.rows),
        owed=owed,
        key=page_key(request, who),
        names=names_of(who, customers, {row.order_id for row in waiting.rows} | {row.order_id for row in owed.rows}),
    )
