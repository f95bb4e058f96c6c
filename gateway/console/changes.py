"""Change orders: a form, a page that says what it would come to, a button; and answering or withdrawing a proposal."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from gateway.console.change_form import NEW_LINES, request_of
from gateway.console.forms import query_fields
from gateway.console.lines import FirstLine, shown_lines
from gateway.console.notices import leave
from gateway.console.orders import NumberOf
from gateway.console.pages import render
from gateway.console.visitor import Form, FormOf, Returned, VisitorOf
from gateway.http.orders.workflow_notification import hand_over
from gateway.http.plumbing.inputs import IDENTITY
from services.kernel.errors import InvalidArgument
from services.orders.changes import amending, consent, propose
from services.orders.order import aggregate, lookup

router = APIRouter()

_NOTICES = {"withdraw": "change_withdrawn", consent.ACCEPT: "change_accepted", consent.DECLINE: "change_declined"}

ChangeOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get("/orders/{number}/change")
@router.get("/my/orders/{number}/change")
def change_page(request: Request, who: VisitorOf, number: NumberOf, first: FirstLine = 1) -> Response:
    """The form, filled with the order as it is, and with what the address says should be different."""
    fields = {name: value for name, value in query_fields(request).items() if name != "line"}
    if who.returned is None and fields:
        who = replace(who, returned=Returned(fields))
    with who.deps.database.reading() as session:
        found = aggregate.read(session, lookup.find_id(session, number, who.caller.scope), who.caller.scope)
    return render(
        "change.html", who, order=found.order, lines=shown_lines(found, first), home=_home(request, number),
        new_rows=range(1, NEW_LINES + 1), is_redacted=who.caller.reach == "own",
    )  # fmt: skip


@router.get("/orders/{number}/change/preview")
@router.get("/my/orders/{number}/change/preview")
def change_preview(request: Request, who: VisitorOf, number: NumberOf) -> Response:
    """What the change would come to now, who must agree, or what stands against it; nothing changes."""
    request.state.form = fields = query_fields(request)
    with who.deps.database.reading() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
        asked = request_of(lookup.load_order(session, order_id, who.caller.scope), fields, who.deps.database.time_zone)
    quote = amending.quote_change(who.deps.database, who.deps.taxes, order_id, asked, who.caller, who.deps.clock())
    with who.deps.database.reading() as session:
        given = propose.preview(session, order_id, asked, who.caller, who.deps.clock(), quote)
    return render(
        "change_preview.html", who, order=given.before, given=given, fields=fields, home=_home(request, number),
        reason=asked.reason, consent=asked.consent,
    )  # fmt: skip


@router.post("/orders/{number}/change")
@router.post("/my/orders/{number}/change")
def change_order(request: Request, form: FormOf, number: NumberOf) -> Response:
    """Put the change on its way, as the API does."""
    who, deps = form.visitor, form.visitor.deps
    with deps.database.reading() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
        asked = request_of(lookup.load_order(session, order_id, who.caller.scope), form.fields, deps.database.time_zone)
    quote = amending.quote_change(deps.database, deps.taxes, order_id, asked, who.caller, deps.clock())
    with deps.database.transaction() as session:
        done = propose.propose(session, order_id, asked, who.caller, deps.contacts, deps.clock(), form.version(), quote)
    hand_over(deps, order_id, "amend", done.change.change_id, done.intent_id)
    return leave(RedirectResponse(_home(request, number), 303), deps.console, "change_submitted", number)


@router.post("/orders/{number}/changes/{change_id}/answer")
@router.post("/my/orders/{number}/changes/{change_id}/answer")
def answer_change(request: Request, form: FormOf, number: NumberOf, change_id: ChangeOf) -> Response:
    """The customer's answer, or support's on its behalf."""
    return _settle(request, form, number, change_id, "consent", form.text("answer", most=10))


@router.post("/orders/{number}/changes/{change_id}/withdraw")
def withdraw_change(request: Request, form: FormOf, number: NumberOf, change_id: ChangeOf) -> Response:
    """Withdraw a proposal."""
    return _settle(request, form, number, change_id, "amend", "withdraw")


def _settle(
    request: Request, form: Form, number: str, change_id: str, update: Literal["consent", "amend"], verb: str
) -> Response:
    deps = form.visitor.deps
    with deps.database.transaction() as session:
        order_id = lookup.find_id(session, number, form.visitor.caller.scope)
        intent_id = _act(session, form, order_id, change_id, verb)
    hand_over(deps, order_id, update, change_id, intent_id)
    return leave(RedirectResponse(_home(request, number), 303), deps.console, _NOTICES[verb], number)


def _act(session: Session, form: Form, order_id: str, change_id: str, verb: str) -> str:
    who, deps, note = form.visitor.caller, form.visitor.deps, form.text("note")
    if verb == "withdraw":
        return consent.withdraw(session, order_id, change_id, note, who, deps.contacts, deps.clock())[1]
    if verb not in (consent.ACCEPT, consent.DECLINE):
        raise InvalidArgument("ANSWER_UNKNOWN", "accept or decline: go back and press one of the two buttons")
    return consent.consent(session, order_id, change_id, verb, note, who, deps.contacts, deps.clock(), form.version())[
        1
    ]


def _home(request: Request, number: str) -> str:
    return f"/my/orders/{number}" if request.url.path.startswith("/my/") else f"/orders/{number}"
