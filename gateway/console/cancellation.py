"""Canceling an order: a page with the consequences, then a button; for staff and for the customer alike."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.lines import shown_lines
from gateway.console.notices import leave
from gateway.console.orders import NumberOf
from gateway.console.pages import render
from gateway.console.visitor import FormOf, VisitorOf
from gateway.http.orders import cancellation as api
from services.kernel.errors import InvalidArgument
from services.orders.domain.cancellation import DONE
from services.orders.lifecycle import cancel
from services.orders.order import aggregate, lookup

router = APIRouter()


@router.get("/orders/{number}/cancel")
@router.get("/my/orders/{number}/cancel")
def cancel_page(request: Request, who: VisitorOf, number: NumberOf) -> Response:
    """What canceling would do now, or what stands against it."""
    with who.deps.database.reading() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
    committed = api.committed_credit(who.deps, who.caller, order_id)
    with who.deps.database.reading() as session:
        found = aggregate.page(session, number, who.caller.scope).aggregate
        preview = cancel.preview(session, order_id, who.caller.scope, committed)
    return render(
        "cancel.html", who, order=found.order, standing=found.standing, lines=shown_lines(found), preview=preview,
        home=_home(request, number),
    )  # fmt: skip


@router.post("/orders/{number}/cancel")
@router.post("/my/orders/{number}/cancel")
def cancel_order(request: Request, form: FormOf, number: NumberOf) -> Response:
    """Cancel it, as the API does; while the workflow is away the request is kept and carried out later."""
    who, reason = form.visitor, form.text("reason", most=200)
    with who.deps.database.reading() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
    if not reason:
        raise InvalidArgument("REASON_MISSING", "say why you are canceling: go back and enter a reason")
    done = api.cancel(who.deps, who.caller, order_id, reason, form.version())
    code = "cancelled" if done.state == DONE else "cancellation_requested"
    return leave(RedirectResponse(_home(request, number), 303), who.deps.console, code, number)


def _home(request: Request, number: str) -> str:
    return f"/my/orders/{number}" if request.url.path.startswith("/my/") else f"/orders/{number}"
