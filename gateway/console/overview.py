"""The overview: what waits for you, how orders stand on every channel, and the list of all orders you may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from gateway.console import labels as page_labels
from gateway.console.pages import render
from gateway.console.visitor import Visitor, VisitorOf
from gateway.http.orders.orders import Sort, check_cursor
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.inputs import PRINTABLE, TYPED_KEY
from services.kernel.clock import business_day
from services.orders.domain.dashboard import Waiting
from services.orders.domain.order import CHANNELS
from services.orders.domain.overview import OverviewFilter, OverviewPage
from services.orders.domain.status import STATUS_VALUES
from services.orders.lifecycle import dead_letters, feedback
from services.orders.order import exceptions
from services.orders.overview import filters, inbox, listing
from services.orders.overview.figures import read_figures
from services.orders.returns import parcels
from services.runtime.roles import HOLD_OWNERS, SEES_MARGIN

router = APIRouter()

PAGE = 50
Word = Annotated[str, Query(pattern="^[a-z_]{0,40}$")]
_AGES = (("under 4 h", timedelta(hours=4)), ("under 1 day", timedelta(days=1)), ("under 3 days", timedelta(days=3)))
_WAITING = {"approver": "waiting for approval", "sales_rep": "waiting for sales", "warehouse": "waiting for the warehouse",
            "admin": "waiting for an administrator"}  # fmt: skip
_COLUMNS = (("customer", "Customer", False), ("total", "Total", True), ("status", "Status", False),
            ("waiting_since", "Since", True))  # fmt: skip
_GROUPS = (
    ("waits", "under review", ("received", "in_review", "awaiting_customer", "on_hold")),
    ("blocks", "backordered", ("backordered",)),
    ("moves", "in fulfillment", ("accepted", "in_fulfilment", "partially_shipped", "shipped")),
    ("done", "delivered", ("delivered", "completed", "completed_with_cancellations")),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The list that is asked for, as the address says it."""

    filter: OverviewFilter
    is_late: bool
    sort: str
    cursor: str

    def address(self, **changes: str) -> str:
        """The overview with these filters changed, from the first page on."""
        kept = {name: getattr(self.filter, name) for name in ("status", "channel", "needs", "hold", "q")}
        members = {
            **kept,
            "late": "yes" if self.is_late else "",
            "sort": self.sort if self.sort != "-placed_at" else "",
            **changes,
        }
        query = urlencode({name: value for name, value in members.items() if value})
        return f"/?{query}" if query else "/"

    @property
    def is_filtered(self) -> bool:
        """Whether it shows less than everything."""
        return self.filter != OverviewFilter()


def _wanted(
    deps: DepsOf,
    status: Word = "",
    channel: Word = "",
    needs: Word = "",
    hold: Word = "",
    late: Annotated[str, Query(pattern="^(yes)?$")] = "",
    q: Annotated[str, Query(max_length=64, pattern=PRINTABLE), TYPED_KEY] = "",
    sort: Sort = "-placed_at",
    cursor: Annotated[str, Query(max_length=300, pattern=r"^[!-~]*$")] = "",
) -> Wanted:
    check_cursor(cursor)
    due_before = business_day(deps.clock(), deps.database.time_zone) if late else None
    found = OverviewFilter(status=status, channel=channel, needs=needs, hold=hold, due_before=due_before, q=q.strip())
    return Wanted(found, bool(late), sort, cursor)


WantedOf = Annotated[Wanted, Depends(_wanted)]


@dataclass(frozen=True, slots=True)
class Tile:
    """A count that leads to what it counts."""

    label: str
    count: int
    address: str
    tone: str


@router.get("/")
def overview_page(who: VisitorOf, wanted: WantedOf) -> Response:
    """Everything at a glance; customers, and who reads no orders, have pages of their own."""
    if who.caller.principal.has("customer"):
        return RedirectResponse("/my", 303)
    if not who.may("GET /v1/orders"):
        return RedirectResponse("/reviews", 303)
    scope, now = who.caller.scope, who.deps.clock()
    with who.deps.database.reading() as session:
        page = listing.list_orders(session, scope, wanted.filter, sort=wanted.sort, limit=PAGE, cursor=wanted.cursor)
        if only := _exact(page, wanted):
            return RedirectResponse(f"/orders/{only}", 303)
        figures = _figures(session, who, now, wanted)
    return render(
        "overview.html",
        who,
        page=page,
        wanted=wanted,
        columns=_COLUMNS,
        currency=_one_currency(page),
        statuses=STATUS_VALUES,
        channels=CHANNELS,
        needs=filters.NEEDS,
        channel_name=page_labels.channel,
        **figures,
    )


def _exact(page: OverviewPage, wanted: Wanted) -> str:
    """The number of the order that was searched for by it."""
    asked = wanted.filter.q.upper()
    return next((row.number for row in page.rows if row.number == asked), "")


def _one_currency(page: OverviewPage) -> str:
    """The currency of all rows, to be said once; empty when they differ."""
    found = {row.total.currency for row in page.rows}
    return found.pop() if len(found) == 1 else ""


def _figures(session: Session, who: Visitor, now: datetime, wanted: Wanted) -> dict[str, Any]:
    """The rows above the list; later pages of the list come without them."""
    if wanted.cursor:
        return {"tiles": (), "waiting": None, "bars": (), "ages": (), "service": None, "margins": ()}
    shows_margin = who.caller.principal.has(*SEES_MARGIN)
    mine = sorted(who.caller.principal.roles & set(HOLD_OWNERS))
    ages = [age for _, age in _AGES]
    found = read_figures(session, who.caller.scope, mine, ages, now, with_margins=shows_margin)
    return {
        "tiles": _tiles(session, who, now, found.waiting),
        "waiting": found.waiting,
        "bars": _bars(found.waiting.by_channel),
        "ages": _ages(found.held),
        "service": found.service,
        "margins": found.margins,
    }


def _tiles(session: Session, who: Visitor, now: datetime, found: Waiting) -> list[Tile]:
    tiles = [
        Tile(_WAITING.get(role, f"waiting for {page_labels.role(role)}"), count, f"/?needs={role}", "waits")
        for role, count in found.for_role.items()
    ]
    if who.may("GET /reviews"):
        asked = inbox.counts(session, who.caller, now)
        tiles.append(Tile("reviews for you", asked.mine, "/reviews", "waits"))
        tiles.append(Tile("overdue reviews", asked.overdue, "/reviews?for=team", "blocks"))
    tiles += [
        Tile("on hold", found.held, "/?hold=any", "blocks"),
        Tile("late", found.past_due, "/?late=yes", "blocks"),
        Tile("backordered", found.backordered, "/?needs=supplier", "waits"),
        Tile("to ship", found.to_ship, "/?needs=warehouse", "moves"),
    ]
    if who.may("GET /cases"):
        tiles.append(Tile("support cases", feedback.count_cases(session, who.caller.scope), "/cases", "waits"))
    if who.may("GET /parcels"):
        tiles.append(Tile("parcels to match", parcels.count_waiting(session), "/parcels", "waits"))
    if who.may("GET /exceptions"):
        tiles.append(Tile("exceptions", exceptions.count_open(session, who.caller.scope), "/exceptions", "blocks"))
    if who.may("GET /dead-letters"):
        tiles.append(Tile("dead letters", dead_letters.count_outstanding(session), "/dead-letters", "blocks"))
    return tiles


@dataclass(frozen=True, slots=True)
class ChannelBar:
    """Open orders of a channel: how many, and (tone, words, count) of each part."""

    channel: str
    count: int
    parts: tuple[tuple[str, str, int], ...]

    @property
    def widths(self) -> list[tuple[str, int]]:
        """What its bar is made of."""
        return [(tone, count) for tone, _, count in self.parts]


def _bars(found: dict[str, dict[str, int]]) -> list[ChannelBar]:
    bars = []
    for channel, by_status in found.items():
        parts = tuple(
            (tone, label, sum(by_status.get(status, 0) for status in statuses)) for tone, label, statuses in _GROUPS
        )
        bars.append(ChannelBar(channel, sum(by_status.values()), parts))
    return sorted(bars, key=lambda bar: (-bar.count, bar.channel))


def _ages(counted: Sequence[int]) -> list[tuple[str, int]]:
    """(how long, how many) of the orders that wait for approval; empty when none does."""
    labels = [*(label for label, _ in _AGES), "longer"]
    return [(label, count) for label, count in zip(labels, _differences(counted), strict=True)] if counted[-1] else []


def _differences(cumulative: Sequence[int]) -> list[int]:
    return [count - before for before, count in zip([0, *cumulative], cumulative, strict=False)]
