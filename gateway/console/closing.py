"""Closing lines of an order at what has shipped: a page with the consequences, then a button; for staff alone."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.forms import query_fields
from gateway.console.lines import FirstLine, shown_lines
from gateway.console.notices import leave
from gateway.console.orders import NumberOf
from gateway.console.pages import render
from gateway.console.visitor import FormOf, VisitorOf
from gateway.http.orders import cancellation as api
from services.kernel.errors import InvalidArgument
from services.orders.domain.cancellation import DONE
from services.orders.domain.cancelled_units import LineToCancel, unshipped_lines
from services.orders.lifecycle import cancel
from services.orders.lifecycle.cancel import Asked
from services.orders.order import aggregate, lookup

router = APIRouter()

_LINE = "close-"


@router.get("/orders/{number}/close")
def close_page(request: Request, who: VisitorOf, number: NumberOf, first: FirstLine = 1) -> Response:
    """What closing would do now, or what stands against it: all open lines, or those that the address names."""
    marked = _marked(who.returned.fields if who.returned else query_fields(request))
    asked = _asked(marked)
    with who.deps.database.reading() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
    committed = api.committed_credit(who.deps, who.caller, order_id)
    with who.deps.database.reading() as session:
        found = aggregate.page(session, number, who.caller.scope).aggregate
        preview = cancel.preview(session, order_id, who.caller, committed, asked, who.deps.clock())
    left = {line_id: there.units for line_id, there in unshipped_lines(found.order, found.progress).items()}
    chosen = {one.line_id for one in asked.lines} or {line_id for line_id, units in left.items() if units}
    return render(
        "close.html", who, order=found.order, standing=found.standing, lines=shown_lines(found, first), preview=preview,
        left=left, chosen=chosen, marked=marked, home=f"/orders/{number}",
    )  # fmt: skip


@router.post("/orders/{number}/close")
def close_lines(form: FormOf, number: NumberOf) -> Response:
    """Close them, as the API does; while the workflow is away the request is kept and carried out later."""
    who, reason = form.visitor, form.text("reason", most=200)
    with who.deps.database.reading() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
    if not reason:
        raise InvalidArgument("REASON_MISSING", "say why you are closing it: go back and enter a reason")
    asked = _asked(_marked(form.fields))
    done = api.cancel(who.deps, who.caller, order_id, reason, form.version(), asked)
    code = "units_closed" if done.state == DONE else "closing_requested"
    return leave(RedirectResponse(f"/orders/{number}", 303), who.deps.console, code, number)


def _marked(fields: Mapping[str, str]) -> list[str]:
    return [name for name in fields if name.startswith(_LINE)]


def _asked(marked: list[str]) -> Asked:
    """The lines that the form marks; none mean all that are open."""
    return Asked(tuple(LineToCancel(name.removeprefix(_LINE)) for name in marked), is_closing=True)
