"""Marketplaces and tills: what they owe sale by sale, and what they have paid out."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.accounting.payout_form import lines_of, named_sales, open_sales, payout_of, settled, total_of
from gateway.console.accounting.queries import Cursor, Word, after, next_page
from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.accounting.values import PayoutShown, SaleShown
from gateway.console.forms import query_fields
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, Returned, VisitorOf
from gateway.http.neighbors.payouts import wanted_payout
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.money import Money
from services.kernel.text import fold_key

router = APIRouter()

CHANNELS = ("amazon", "ebay", "pos")
STATUSES = ("open", "settled", "overpaid")
PAGE = 50
_SALES, _PAYOUTS = "/accounting/marketplaces", "/accounting/payouts"


@router.get(_SALES)
def marketplaces_page(who: VisitorOf, channel: Word = "", status: Word = "", cursor: Cursor = "") -> Response:
    """Sales whose buyers paid elsewhere, by channel and reference."""
    wanted = pb.ListMarketplaceSalesRequest(channel=channel, status=status, limit=PAGE, cursor=after(_SALES, cursor))
    found = who.deps.billing.ListMarketplaceSales(wanted)
    here = {"channel": channel, "status": status}
    return render(
        "marketplaces.html",
        who,
        rows=[SaleShown.of(row) for row in found.sales],
        wanted=here,
        next_cursor=found.next_cursor,
        following=next_page(_SALES, found.next_cursor, **here),
        channels=CHANNELS,
        statuses=STATUSES,
    )


@router.get(_PAYOUTS)
def payouts_page(who: VisitorOf, channel: Word = "", cursor: Cursor = "") -> Response:
    """What marketplaces and tills have paid out, the oldest first."""
    found = who.deps.billing.ListPayouts(
        pb.ListPayoutsRequest(channel=channel, limit=PAGE, cursor=after(_PAYOUTS, cursor))
    )
    return render(
        "payouts.html",
        who,
        rows=[PayoutShown.of(row) for row in found.payouts],
        channel=channel,
        next_cursor=found.next_cursor,
        following=next_page(_PAYOUTS, found.next_cursor, channel=channel),
        channels=CHANNELS,
    )


@router.get("/accounting/payouts/new")
def new_payout_page(request: Request, who: VisitorOf, channel: Word = "") -> Response:
    """The form: first the channel, then what it paid of which sale."""
    fields = query_fields(request)
    if who.returned is None and len(fields) > 1:
        who = replace(who, returned=Returned(fields))
    known = channel if channel in CHANNELS else ""
    sales = open_sales(who, known) if known else []
    return render(
        "payout_new.html",
        who,
        channel=known,
        channels=CHANNELS,
        lines=lines_of(sales, who.returned.fields if who.returned else {}),
        currency=sales[0].due.currency if sales else who.deps.database.currency,
    )


@router.get("/accounting/payouts/new/preview")
def new_payout_preview(request: Request, who: VisitorOf) -> Response:
    """What the payout comes to and settles; nothing is recorded."""
    request.state.form = fields = query_fields(request)
    body = payout_of(fields)
    sales = named_sales(who, body)
    return render(
        "payout_preview.html",
        who,
        body=body,
        settled=[settled(line, sales.get(fold_key(line.reference)), body.amount.currency) for line in body.sales],
        total=total_of(body),
        paid=Money.parse(body.amount.amount, body.amount.currency),
        fees=Money.parse(body.fees, body.amount.currency),
        fields=fields,
        key=page_key(request, who),
    )


@router.post(_PAYOUTS)
def record_payout(form: FormOf) -> Response:
    """Record it, as the API does; the same page sent twice records it once."""
    deps, body = form.visitor.deps, payout_of(form.fields)
    deps.billing.RecordPayout(wanted_payout(body, request_id(form)))
    return leave(RedirectResponse(f"{_PAYOUTS}?channel={body.channel}", 303), deps.console, "payout_recorded")
