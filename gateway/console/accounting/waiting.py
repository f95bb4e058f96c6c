"""Orders that wait for credit or for their cash: the longest first, with what is missing and where to decide."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Response

from gateway.console.accounting import asking
from gateway.console.accounting.names import choices, known_customer, names_of
from gateway.console.accounting.queries import Cursor, Typed, after, next_page
from gateway.console.accounting.values import WaitingShown
from gateway.console.pages import render
from gateway.console.visitor import Visitor, VisitorOf
from services.orders.domain.holds import Hold
from services.orders.overview.waiting_money import money_holds

router = APIRouter()

_LIST = "/accounting/waiting"


@router.get(_LIST)
def waiting_page(who: VisitorOf, customer: Typed = "", cursor: Cursor = "") -> Response:
    """Every order that neither credit nor its own cash covers."""
    customer_id = known_customer(who, customer).customer_id if customer else ""
    found = asking.waiting(who, customer_id=customer_id, cursor=after(_LIST, cursor))
    return render(
        "waiting.html",
        who,
        page=found,
        customer=customer,
        following=next_page(_LIST, found.next_cursor, customer=customer),
        names=names_of(who, {row.customer_id for row in found.rows}, {row.order_id for row in found.rows}),
        holds=holds_of(who, found.rows),
        customers=choices(who),
    )


def holds_of(who: Visitor, rows: Sequence[WaitingShown]) -> dict[str, Hold]:
    """Order id → the hold that keeps it, of those that have one."""
    with who.deps.database.reading() as session:
        return money_holds(session, [row.order_id for row in rows])
