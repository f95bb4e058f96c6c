"""The ledger of promises: every day that was promised, to whom, by what, kept or broken and why; and the on-time figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.inputs import Day
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed_instant
from gateway.http.plumbing.parameters import OfOrder, OfSku
from gateway.http.plumbing.shapes import rfc3339
from services.orders.approvals import kept_promises
from services.orders.domain.promise_ledger import KeptPromise, OnTime, PromiseFilter
from services.orders.masterdata import catalog

router = APIRouter(tags=["promises"])

Outcome = Literal["open", "kept", "broken", "moved", "withdrawn"]
GivenBy = Literal["acceptance", "change", "supply_change", "fill", "sourcing"]
_LIST = "promises"
_USUAL_SPAN = timedelta(days=30)


class PromiseShape(BaseModel):
    """Units of an order line that were promised for a day, and what became of that."""

    promise_id: str
    order_id: str
    order_number: str
    customer_id: str
    customer_name: str
    line_id: str
    sku: str
    quantity: int
    promised_on: str | None = Field(description="Null where units lost their day.")
    first_on: str = Field(description="The day they were first promised for.")
    given_at: str
    given_by: GivenBy = Field(
        description="acceptance: with the order; change: of a changed order; supply_change: supply has another day; fill: stock came, or a count took it; sourcing: it was sourced again."
    )
    reason: str = Field(description="The supply that gives the day; empty for stock.")
    outcome: Outcome = Field(
        description="kept and broken: delivered in time or late; moved: to another day; withdrawn: the units are wanted no more."
    )
    is_late: bool = Field(description="Open, and its day has passed.")
    ended_at: str | None
    delivered_on: str | None
    moved_to: str | None
    why: str


class OnTimeFigures(BaseModel):
    """Units delivered in a span of days, and how many of them in time."""

    since: str
    until: str
    delivered: int
    on_time: int = Field(description="By the day that was promised last.")
    on_time_to_first: int = Field(description="By the day that was promised first.")
    on_time_percent: str | None = Field(description="One decimal; null while nothing was delivered.")
    on_time_to_first_percent: str | None
    open: int = Field(description="Units promised and not delivered, now.")
    late: int = Field(description="Of those, units whose day has passed.")
    moved_later: int = Field(description="Units whose day was moved to a later one or none, at any time.")


@router.get("/v1/promises")
def list_promises(
    deps: DepsOf,
    who: CallerOf,
    paging: PagingOf,
    order_id: OfOrder = None,
    sku: OfSku = None,
    outcome: Annotated[Outcome | None, Query(description="Only with this outcome.")] = None,
    given_by: Annotated[GivenBy | None, Query(description="Only those given by this.")] = None,
    late: Annotated[bool, Query(description="Only open ones whose day has passed.")] = False,
) -> Page[PromiseShape]:
    """Every promise that was given, the newest first: when, to whom, by what, and whether it was kept."""
    with deps.database.reading() as session:
        today = kept_promises.today(session, deps.clock()).isoformat()
        known = catalog.known_sku(session, sku) if sku else ""
        wanted = PromiseFilter(order_id or "", known, outcome or "", given_by or "", late, today)
        found = kept_promises.listed(
            session, wanted, who.scope, after=paging.after_instant(_LIST), limit=paging.limit + 1
        )
    page, cursor = cut(found, paging.limit, lambda row: sealed_instant(_LIST, row.given_at, row.promise_id))
    return Page(rows=[shape(row, today) for row in page], next_cursor=cursor)


@router.get("/v1/promises/on-time")
def get_on_time(
    deps: DepsOf,
    who: CallerOf,
    since: Annotated[Day | None, Query(description="Delivered on this day or later; 30 days before until.")] = None,
    until: Annotated[Day | None, Query(description="Delivered on this day or earlier; today.")] = None,
) -> OnTimeFigures:
    """On-time delivery by the ledger: of what was delivered, how much came by the day that was promised last, and first."""
    now = deps.clock()
    with deps.database.reading() as session:
        last = until or kept_promises.today(session, now)
        first = since or last - _USUAL_SPAN
        found = kept_promises.on_time(session, first, last, who.scope, now)
    return figures(found, first.isoformat(), last.isoformat())


def figures(found: OnTime, since: str, until: str) -> OnTimeFigures:
    """The figures as they are shown."""
    return OnTimeFigures(
        since=since,
        until=until,
        delivered=found.delivered,
        on_time=found.kept,
        on_time_to_first=found.kept_first,
        on_time_percent=_percent(found.kept, found.delivered),
        on_time_to_first_percent=_percent(found.kept_first, found.delivered),
        open=found.open,
        late=found.late,
        moved_later=found.moved_later,
    )


def _percent(part: int, whole: int) -> str | None:
    """One decimal, rounded down: 100.0 is all of it."""
    return f"{part * 1000 // whole / 10:.1f}" if whole else None


def shape(one: KeptPromise, today: str) -> PromiseShape:
    """A promise as it is shown."""
    return PromiseShape(
        promise_id=one.promise_id,
        order_id=one.order_id,
        order_number=one.order_number,
        customer_id=one.customer_id,
        customer_name=one.customer_name,
        line_id=one.line_id,
        sku=one.sku,
        quantity=one.quantity,
        promised_on=one.promised_on or None,
        first_on=one.first_on,
        given_at=rfc3339(one.given_at),
        given_by=one.given_by,  # type: ignore[arg-type]  # one of five words
        reason=one.reason,
        outcome=one.outcome,  # type: ignore[arg-type]  # one of five words
        is_late=one.is_late_on(today),
        ended_at=rfc3339(one.ended_at) if one.ended_at else None,
        delivered_on=one.ended_on or None,
        moved_to=one.moved_to or None,
        why=one.why,
    )
