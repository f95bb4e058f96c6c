"""What customers owe: by age, and invoice by invoice."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.console.accounting import asking
from gateway.console.accounting.aging import aged
from gateway.console.accounting.names import choices, known_customer, names_of
from gateway.console.accounting.queries import Cursor, Typed, Word, after, next_page
from gateway.console.pages import render
from gateway.console.visitor import VisitorOf
from services.kernel.clock import business_day

router = APIRouter()

_INVOICES = "/accounting/invoices"

ALL = "all"
STATUSES = ("unpaid", "open", "part_paid", "paid", "credited", "written_off", ALL)
"""What the invoices may be narrowed to."""


@router.get("/accounting/receivables")
def receivables_page(who: VisitorOf, customer: Typed = "") -> Response:
    """Every customer that owes or has cash left, the longest overdue first."""
    customer_id = known_customer(who, customer).customer_id if customer else ""
    rows = asking.receivables(who, customer_id)
    rows.sort(key=lambda row: (row.overdue_since or "9999", row.customer_id))
    return render(
        "receivables.html",
        who,
        rows=rows,
        ages=aged(rows),
        customer=customer,
        names=names_of(who, {row.customer_id for row in rows}),
        customers=choices(who),
    )


@router.get(_INVOICES)
def invoices_page(
    who: VisitorOf, customer: Typed = "", number: Typed = "", status: Word = "unpaid", cursor: Cursor = ""
) -> Response:
    """Invoices by number, those with something open unless others are asked for."""
    status = status or ALL
    customer_id = known_customer(who, customer).customer_id if customer else ""
    found = asking.invoices(
        who,
        customer_id=customer_id,
        number=number.upper(),
        status="" if number or status == ALL else status,
        cursor=after(_INVOICES, cursor),
    )
    here = {"customer": customer, "number": number, "status": status}
    return render(
        "invoices.html",
        who,
        page=found,
        wanted=here,
        following=next_page(_INVOICES, found.next_cursor, **here),
        names=names_of(who, {row.customer_id for row in found.rows}),
        customers=choices(who),
        statuses=STATUSES,
        today=business_day(who.deps.clock(), who.deps.database.time_zone).isoformat(),
    )
