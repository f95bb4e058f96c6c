"""Support cases: what discontented customers said, newest first, each with the order it is about."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from gateway.console.pages import render
from gateway.console.visitor import VisitorOf
from services.orders.lifecycle import feedback

router = APIRouter()

PAGE = 50


@router.get("/cases")
def cases_page(
    who: VisitorOf, before: Annotated[str, Query(max_length=32, pattern=r"^(CASE-[0-9]+)?$")] = ""
) -> Response:
    """The cases of the orders that the visitor may see; nobody closes them here, so all are shown."""
    with who.deps.database.reading() as session:
        found = feedback.list_cases(session, who.caller.scope, before=before, limit=PAGE + 1)
    rows = found[:PAGE]
    return render(
        "cases.html",
        who,
        rows=rows,
        before=rows[-1].number if len(found) > PAGE else "",
        named=[row.feedback.given_by for row in rows],
    )
