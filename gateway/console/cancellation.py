"""Canceling an order, or lines and units of it: a page with the consequences, then a button; for staff and customers alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.forms import query_fields, whole_units
from gateway.console.lines import FirstLine, shown_lines
from gateway.console.notices import leave
from gateway.console.orders import NumberOf
from gateway.console.pages import render
from gateway.console.visitor import FormOf, VisitorOf
from gateway.http.orders import cancellation as api
from gateway.http.orders.workflow_notification import hand_over
from gateway.http.plumbing.inputs import IDENTITY
from services.kernel.errors import InvalidArgument
from services.orders.domain.cancellation import DONE, KEEPS_CASH
from services.orders.domain.cancelled_units import LineToCancel, unshipped_lines
from services.orders.lifecycle import cancel
from services.orders.lifecycle.cancel import Asked
from services.orders.order import aggregate, lookup

router = APIRouter()

_UNITS, _WAIVER = "units-", "waive_fee"


@router.get("/orders/{number}/cancel")
@router.get("/my/orders/{number}/cancel")
def cancel_page(request: Request, who: VisitorOf, number: NumberOf, first: FirstLine = 1) -> Response:
    """What canceling would do now, or what stands against it: all that has not shipped, or the units that the address names."""
    fields = who.returned.fields if who.returned else query_fields(request)
    asked = Asked(_asked(fields), waived_reason=fields.get(_WAIVER, "").strip()[:200])
    with who.deps.database.reading() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
    committed = api.committed_credit(who.deps, who.caller, order_id)
    with who.deps.database.reading() as session:
        found = aggregate.page(session, number, who.caller.scope).aggregate
        preview = cancel.preview(session, order_id, who.caller, committed, asked, who.deps.clock())
    left = {line_id: there.units for line_id, there in unshipped_lines(found.order, found.progress).items()}
    chosen = {one.line_id: one.quantity for one in asked.lines} if asked.lines else left
    return render(
        "cancel.html", who, order=found.order, standing=found.standing, lines=shown_lines(found, first), preview=preview,
        left=left, chosen=chosen, units={name: value for name, value in fields.items() if name.startswith(_UNITS)},
        waiver=asked.waived_reason, home=_home(request, number), may_keep_cash=KEEPS_CASH in who.caller.principal.roles,
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
    keeps_cash = bool(form.text("without_refund", most=10))
    asked = Asked(_asked(form.fields), waived_reason=form.text(_WAIVER, most=200), keeps_cash=keeps_cash)
    done = api.cancel(who.deps, who.caller, order_id, reason, form.version(), asked)
    is_whole = done.consequences.is_whole
    code = ("cancelled" if is_whole else "units_cancelled") if done.state == DONE else "cancellation_requested"
    return leave(RedirectResponse(_home(request, number), 303), who.deps.console, code, number)


@router.post("/orders/{number}/cancellations/{cancellation_id}/withdraw")
@router.post("/my/orders/{number}/cancellations/{cancellation_id}/withdraw")
def withdraw_cancellation(
    request: Request,
    form: FormOf,
    number: NumberOf,
    cancellation_id: Annotated[str, Path(pattern=IDENTITY, max_length=64)],
) -> Response:
    """Withdraw it while a warehouse has not answered, as the API does."""
    who, deps = form.visitor, form.visitor.deps
    with deps.database.transaction() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
        asked, intent_id = cancel.withdraw(
            session, order_id, cancellation_id, form.text("note"), who.caller, deps.contacts, deps.clock()
        )
    hand_over(deps, order_id, "amend", asked.change_id, intent_id)
    is_closing = asked.consequence is not None and asked.consequence.is_closing
    code = "closing_withdrawn" if is_closing else "cancellation_withdrawn"
    return leave(RedirectResponse(_home(request, number), 303), deps.console, code, number)


def _asked(fields: Mapping[str, str]) -> tuple[LineToCancel, ...]:
    """The units that the form names; none where it has no such field, which means all that has not shipped."""
    typed = {name.removeprefix(_UNITS): value for name, value in fields.items() if name.startswith(_UNITS)}
    asked = tuple(
        LineToCancel(line_id, whole_units(value, line_id)) for line_id, value in typed.items() if value.strip("0")
    )
    if typed and not asked:
        raise InvalidArgument("NOTHING_CHOSEN", "enter for at least one line how many units are to be canceled")
    return asked


def _home(request: Request, number: str) -> str:
    return f"/my/orders/{number}" if request.url.path.startswith("/my/") else f"/orders/{number}"
