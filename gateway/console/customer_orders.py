"""The customer's own pages: orders in plain words, tracking, invoices. Never notes, margins or reasons of ours."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from gateway.console import labels
from gateway.console.checkouts import takes_cards
from gateway.console.credit_notes import credit_notes_of
from gateway.console.deposit_invoices import deposit_invoices_of
from gateway.console.lines import FirstLine, shown_lines
from gateway.console.my_balance import Balance, balance_of
from gateway.console.order_money import order_money
from gateway.console.orders import (
    NumberOf,
    cancelling,
    changing,
    is_cancellable,
    is_cancelling,
    kept_by_warehouses,
    may_change,
    may_return,
    recalled,
)
from gateway.console.pages import render
from gateway.console.visitor import VisitorOf
from gateway.console.warehouses import warehouse_names
from gateway.http.orders.orders import check_cursor
from services.orders.domain.changes import AWAITING_CUSTOMER
from services.orders.domain.overview import OverviewFilter
from services.orders.lifecycle import feedback
from services.orders.order import aggregate
from services.orders.overview import listing

router = APIRouter()

PAGE = 25


@router.get("/my")
def my_orders(who: VisitorOf, cursor: Annotated[str, Query(max_length=300, pattern=r"^[!-~]*$")] = "") -> Response:
    """The orders of the customer's own company, newest first."""
    check_cursor(cursor)
    with who.deps.database.reading() as session:
        page = listing.list_orders(session, who.caller.scope, OverviewFilter(), limit=PAGE, cursor=cursor)
    balance = Balance() if cursor else balance_of(who)
    return render(
        "my_orders.html",
        who,
        page=page,
        balance=balance,
        is_first=not cursor,
        plain=labels.plain,
        takes_cards=takes_cards(who),
    )


@router.get("/my/orders/{number}")
def my_order(who: VisitorOf, number: NumberOf, first: FirstLine = 1) -> Response:
    """One order of the customer's own company."""
    with who.deps.database.reading() as session:
        page = aggregate.page(session, number, who.caller.scope)
        given = feedback.find(session, page.aggregate.order_id)
    order, progress, pending = page.aggregate.order, page.aggregate.progress, page.aggregate.asked.change
    reached = page.aggregate.lines().values()
    shipments = sorted(progress.shipments.values(), key=lambda each: each.number)
    is_asked = pending is not None and pending.state == AWAITING_CUSTOMER
    return render(
        "my_order.html",
        who,
        order=order,
        standing=page.aggregate.standing,
        plain=labels.plain("awaiting_customer" if is_asked else page.aggregate.standing.status),
        lines=shown_lines(page.aggregate, first),
        shipments=shipments,
        warehouses=warehouse_names(who.deps, shipments),
        invoices=sorted(progress.invoices.values(), key=lambda each: each.number),
        credit_notes=credit_notes_of(who, order, progress.invoices.values()),
        deposit_invoices=deposit_invoices_of(who, order),
        money=order_money(who, order, progress),
        takes_cards=takes_cards(who),
        pending=None if is_cancelling(page) else pending,
        changing=changing(page.aggregate),
        given=given,
        missing=sum(line.backordered for line in reached),
        may_rate=given is None and any(line.delivered for line in reached),
        may_cancel=is_cancellable(page),
        may_change=may_change(page) and who.may("POST /my/orders/{number}/change"),
        may_return=may_return(page) and who.may("POST /my/orders/{number}/return"),
        returns=page.returns,
        replaces=page.replaces,
        cancelling=cancelling(page),
        recalled=recalled(page),
        kept=kept_by_warehouses(page),
        sequence=page.event_sequence,
    )
