"""Orders: the overview over all channels, and the whole order."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import StringConstraints

from gateway.http.orders import redaction
from gateway.http.orders.order_shapes import OrderDocument, OrderSummary
from gateway.http.orders.order_views import axes_shape, order_document, standing_for, waiting_shape
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.body import check_document
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.inputs import PRINTABLE, TYPED_KEY, Instant
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfCustomer, OrderReference
from gateway.http.plumbing.problems import ApiError
from gateway.http.plumbing.shapes import MoneyShape, rfc3339
from services.kernel.errors import InvalidArgument
from services.orders.access.matrix import Caller
from services.orders.domain.order import CHANNELS, PHASES
from services.orders.domain.overview import OverviewFilter, OverviewRow
from services.orders.domain.status import STATUS_VALUES
from services.orders.order import aggregate
from services.orders.overview import filters, listing

router = APIRouter(tags=["orders"])

Sort = Literal[
    "placed_at", "changed_at", "waiting_since", "total", "customer", "status",
    "-placed_at", "-changed_at", "-waiting_since", "-total", "-customer", "-status",
]  # fmt: skip
SearchWords = Annotated[str, StringConstraints(max_length=64, pattern=PRINTABLE), TYPED_KEY]
Word = Annotated[str, Query(min_length=1, max_length=40, pattern=PRINTABLE)]


async def _filter(
    status: Annotated[Word | None, Query(description=", ".join(STATUS_VALUES))] = None,
    phase: Annotated[Word | None, Query(description=", ".join(PHASES))] = None,
    channel: Annotated[Word | None, Query(description=", ".join(CHANNELS))] = None,
    customer_id: OfCustomer = None,
    hold: Annotated[
        Word | None, Query(description="A type of hold that there is, or any; a customer says any.")
    ] = None,
    needs: Annotated[
        Word | None,
        Query(description=f"Who must act: {', '.join(filters.NEEDS)}; a customer names none of ours."),
    ] = None,
    placed_from: Annotated[Instant | None, Query(description="Placed then or later.")] = None,
    placed_to: Annotated[Instant | None, Query(description="Placed before; exclusive.")] = None,
    q: Annotated[
        SearchWords | None,
        Query(
            description="Part of a number, purchase order, reference or name; a whole SKU; or a support case.",
        ),
    ] = None,
) -> OverviewFilter:
    return OverviewFilter(
        status=status or "",
        phase=phase or "",
        channel=channel or "",
        customer_id=customer_id or "",
        hold=hold or "",
        needs=needs or "",
        placed_from=placed_from,
        placed_to=placed_to,
        q=q or "",
    )


@router.get("/v1/orders")
def list_orders(
    deps: DepsOf,
    who: CallerOf,
    paging: PagingOf,
    wanted: Annotated[OverviewFilter, Depends(_filter)],
    sort: Annotated[Sort, Query(description="A leading - turns it round.")] = "-placed_at",
) -> Page[OrderSummary]:
    """The overview of all channels, as far as the caller may see; a word that no order can have is refused with those there are."""
    check_cursor(paging.cursor)
    redaction.check_filter(who, wanted)
    with deps.database.reading() as session:
        found = listing.list_orders(session, who.scope, wanted, sort=sort, limit=paging.limit, cursor=paging.cursor)
    return Page(rows=[_summary(row, who) for row in found.rows], next_cursor=found.next_cursor or None)


@router.get("/v1/orders/{order_id}")
def get_order(deps: DepsOf, who: CallerOf, order_id: OrderReference) -> OrderDocument:
    """The whole order: lines with their quantities, axes, holds, promised dates, shipments, invoices, whom it waits for."""
    with deps.database.reading() as session:
        return order_document(aggregate.page(session, order_id, who.scope), who)


def check_cursor(cursor: str) -> None:
    """Refuse a made-up cursor whose figures no database takes; the list itself checks the rest."""
    if not cursor:
        return
    try:
        check_document(base64.urlsafe_b64decode(cursor))
    except (ApiError, binascii.Error) as unreadable:
        raise InvalidArgument(
            "CURSOR_INVALID", "give back next_cursor as it was given, or leave it out"
        ) from unreadable


def _summary(row: OverviewRow, who: Caller) -> OrderSummary:
    standing = standing_for(row.standing, who)
    return OrderSummary(
        order_id=row.order_id,
        number=row.number,
        version=row.version,
        status=standing.status,
        phase=row.phase,
        axes=axes_shape(standing),
        channel=row.channel,
        channel_ref=row.channel_ref,
        customer_id=row.customer_id,
        customer_name=row.customer_name,
        po_number=row.po_number,
        total=MoneyShape.of(row.total),
        placed_at=rfc3339(row.placed_at),
        changed_at=rfc3339(row.changed_at),
        waiting_for=waiting_shape(standing.waiting_for),
    )
