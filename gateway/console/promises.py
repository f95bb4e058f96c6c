"""Promises: on-time delivery by the ledger, and what was promised, kept, broken or moved."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from gateway.console.pages import render
from gateway.console.visitor import VisitorOf
from gateway.http.orders.promises import figures, shape
from gateway.http.plumbing.paging import Paging, cut, sealed_instant
from services.orders.approvals import kept_promises
from services.orders.domain.promise_ledger import PromiseFilter

router = APIRouter()

PAGE = 100
SPAN = timedelta(days=30)
_LIST = "promises"
SHOWN = (
    ("late", "Late now"),
    ("broken", "Broken"),
    ("moved", "Moved"),
    ("kept", "Kept"),
    ("open", "Open"),
    ("", "All"),
)
Show = Annotated[Literal["late", "broken", "moved", "kept", "open", ""], Query()]


@router.get("/promises")
def promises_page(who: VisitorOf, show: Show = "late", after: Annotated[str, Query(max_length=300)] = "") -> Response:
    """The figures of the last 30 days, and promises of one kind, the newest first."""
    now, scope = who.deps.clock(), who.caller.scope
    with who.deps.database.reading() as session:
        today = kept_promises.today(session, now)
        found = kept_promises.on_time(session, today - SPAN, today, scope, now)
        outcome = "" if show == "late" else show
        wanted = PromiseFilter(outcome=outcome, is_late=show == "late", today=today.isoformat())
        place = Paging(cursor=after).after_instant(_LIST)
        listed = kept_promises.listed(session, wanted, scope, after=place, limit=PAGE + 1)
    page, following = cut(listed, PAGE, lambda one: sealed_instant(_LIST, one.given_at, one.promise_id))
    return render(
        "promises.html",
        who,
        figures=figures(found, (today - SPAN).isoformat(), today.isoformat()),
        rows=[shape(one, today.isoformat()) for one in page],
        show=show,
        shown=SHOWN,
        following=following or "",
    )
