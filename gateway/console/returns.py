"""Returns: what is to be authorized, received and inspected, one return with its acts, and asking for one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from gateway.console.accounting.receipts import page_key, request_id
from gateway.console.exchanges import replaced
from gateway.console.forms import whole_units
from gateway.console.goods import ROWS, goods_in
from gateway.console.lines import FirstLine, shown_lines
from gateway.console.notices import leave
from gateway.console.orders import NumberOf
from gateway.console.pages import render
from gateway.console.photo_forms import PhotoFormOf
from gateway.console.visitor import Form, FormOf, VisitorOf
from gateway.console.warehouses import warehouses_of
from gateway.http.orders import returns as api
from gateway.http.orders.return_photos import add_all
from gateway.http.orders.return_shapes import (
    ReturnAuthorizationInput,
    ReturnInput,
    ReturnInspectionInput,
    ReturnReceiptInput,
)
from gateway.http.plumbing.idempotency import Once
from gateway.http.plumbing.inputs import IDENTITY
from services.kernel.errors import InvalidArgument
from services.kernel.ids import new_id
from services.orders.domain.kept_returns import may_credit_early, may_keep
from services.orders.domain.returns import AUTHORIZED, REASONS, REQUESTED, FeeRule, Return
from services.orders.lifecycle import exchange
from services.orders.order import aggregate, lookup
from services.orders.returns import advance, ask, decide, parcels, photos, reading

router = APIRouter()

PAGE = 200
Body = TypeVar("Body", bound=BaseModel)
GROUPS = (
    ("To authorize", "support"), ("To receive", "customer"), ("To inspect", "warehouse"), ("To credit", ""), ("Halted", "halted"),
)  # fmt: skip
_UNITS = "units-"
ReturnOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get("/returns")
def returns_page(
    who: VisitorOf, after: Annotated[str, Query(max_length=64, pattern=f"^$|{IDENTITY}")] = ""
) -> Response:
    """What is under way, by whom it waits for."""
    with who.deps.database.reading() as session:
        found = reading.page(session, who.caller.scope, states=(REQUESTED, AUTHORIZED), after=after, limit=PAGE + 1)
    rows = found[:PAGE]
    groups = [(title, [one for one in rows if _group(one) == group]) for title, group in GROUPS]
    following = rows[-1].return_id if len(found) > PAGE else ""
    with who.deps.database.reading() as session:
        waiting = parcels.count_waiting(session) if who.may("GET /parcels") else 0
    return render("returns.html", who, groups=groups, waiting=waiting, following=following)


def _group(one: Return) -> str:
    is_coming = one.waits_for == "carrier" or (one.waits_for == "warehouse" and one.received == one.inspected)
    return "halted" if one.halted else "customer" if is_coming else one.waits_for


@router.get("/returns/{return_id}")
def return_page(request: Request, who: VisitorOf, return_id: ReturnOf) -> Response:
    """One return: its units, what was found, what it comes to, and the acts of whoever looks at it."""
    found = api.found_return(who.deps, who.caller, return_id)
    places = warehouses_of(who.deps) if who.may("POST /returns/{return_id}/receive") and found.is_open else ()
    named = [found.requested_by, found.decided_by, found.keep_asked_by]
    with who.deps.database.reading() as session:
        came = parcels.page(session, return_id=found.return_id) if who.may("GET /parcels") else []
        _, taken = photos.of_return(session, found.return_id, who.caller.scope)
    fields = range(1, ROWS + 1)
    requests = found.is_open and not found.received and not who.may("POST /returns/{return_id}/receive")
    inspects = (found.received > 0 or found.state == AUTHORIZED) and who.may("POST /returns/{return_id}/receive")
    adds = who.may("POST /returns/{return_id}/photos") and (requests or inspects)
    return render(
        "return.html",
        who,
        found=found,
        came=came,
        fields=fields,
        photos=taken,
        adds=adds,
        removes=who.may("POST /returns/{return_id}/photos/{photo_id}/remove"),
        sends=who.may("POST /returns/{return_id}/in-transit"),
        may_keep=may_keep(found),
        may_credit_early=may_credit_early(found),
        places=places,
        named=named,
        key=page_key(request, who),
    )


@router.post("/returns/{return_id}/authorize")
def authorize(form: FormOf, return_id: ReturnOf) -> Response:
    """Let goods come back."""
    who, fee = form.visitor, form.text("fee", most=8)
    with who.deps.database.transaction() as session:
        found, _ = reading.find_id(session, return_id, who.caller.scope)
        rule = FeeRule(_percent(fee)) if fee else None
        done = exchange.authorize(
            session, found, who.caller, form.text("note", most=200), who.deps.contacts, who.deps.clock(), rule
        )
    return after(form, done, "return_authorized")


@router.post("/returns/{return_id}/deny")
def deny(form: FormOf, return_id: ReturnOf) -> Response:
    """Let none come back."""
    return after(form, decided(form, return_id, note_of(form), decide.deny), "return_denied")


@router.post("/returns/{return_id}/cancel")
def cancel(form: FormOf, return_id: ReturnOf) -> Response:
    """Call it off."""
    return after(form, _cancelled(form, return_id), "return_cancelled")


@router.post("/my/returns/{return_id}/cancel")
def cancel_own(form: FormOf, return_id: ReturnOf) -> Response:
    """Call one's own off."""
    done = _cancelled(form, return_id)
    answer = RedirectResponse(f"/my/orders/{done.order_number}", 303)
    return leave(answer, form.visitor.deps.console, "return_cancelled", done.number)


def _cancelled(form: Form, return_id: str) -> Return:
    return decided(form, return_id, form.text("note", most=200), decide.cancel)


def decided(form: Form, return_id: str, note: str, act: api.Decide) -> Return:
    """Decide of a return that the visitor may see."""
    who = form.visitor
    with who.deps.database.transaction() as session:
        found, _ = reading.find_id(session, return_id, who.caller.scope)
        return act(session, found, who.caller, note, who.deps.contacts, who.deps.clock())


@router.post("/returns/{return_id}/receive")
def receive(form: FormOf, return_id: ReturnOf) -> Response:
    """Count what came."""
    who = form.visitor
    found = api.found_return(who.deps, who.caller, return_id)
    others = goods_in(form.fields)
    counted = units_of(form.fields, may_be_none=bool(others))
    lines = [{"line_id": key, "quantity": units} for key, units in counted.items()]
    members = {"warehouse_id": form.text("warehouse", most=64), "lines": lines, "others": others}
    body = read_body(ReturnReceiptInput, members)
    api.receive(who.deps, who.caller, return_id, body, typed_once(form, f"receive/{found.return_id}", body))
    return after(form, found, "return_received")


@router.post("/returns/{return_id}/inspect")
def inspect(form: FormOf, return_id: ReturnOf) -> Response:
    """Say in which condition counted units are."""
    who = form.visitor
    found = api.found_return(who.deps, who.caller, return_id)
    words = {name: form.text(name, most=20) for name in ("grade", "disposition", "responsible")}
    units = [
        {"line_id": key, "quantity": count, "note": form.text("note", most=200), **words}
        for key, count in units_of(form.fields).items()
    ]
    body = read_body(ReturnInspectionInput, {"warehouse_id": form.text("warehouse", most=64), "units": units})
    api.inspect(who.deps, who.caller, return_id, body, typed_once(form, f"inspect/{found.return_id}", body))
    return after(form, found, "return_inspected")


@router.post("/returns/{return_id}/refund")
def refund(form: FormOf, return_id: ReturnOf) -> Response:
    """Give its cash back, once."""
    who = form.visitor
    found = api.found_return(who.deps, who.caller, return_id)
    done = api.refund(who.deps, who.caller, return_id, new_id("req"))
    return after(form, found, "return_refunded" if done.payment_ids else "return_settled")


@router.post("/returns/{return_id}/repair")
def repair(form: FormOf, return_id: ReturnOf) -> Response:
    """Have it go on."""
    who = form.visitor
    with who.deps.database.transaction() as session:
        found, _ = reading.find_id(session, return_id, who.caller.scope)
        done = advance.repair(session, found, who.deps.clock())
    return after(form, done, "return_repaired")


@router.get("/orders/{number}/return")
@router.get("/my/orders/{number}/return")
def ask_page(request: Request, who: VisitorOf, number: NumberOf, first: FirstLine = 1) -> Response:
    """What of an order may come back, and why not more."""
    with who.deps.database.reading() as session:
        found = aggregate.page(session, number, who.caller.scope).aggregate
        options = ask.options(session, found.order_id, who.caller, who.deps.clock())
    return render(
        "return_new.html", who, order=found.order, lines=shown_lines(found, first), options=options, reasons=REASONS,
        home=_home(request, number), key=page_key(request, who),
    )  # fmt: skip


@router.post("/orders/{number}/return")
@router.post("/my/orders/{number}/return")
def ask_for(request: Request, form: PhotoFormOf, number: NumberOf) -> Response:
    """Ask for it, as the API does; the same page sent twice asks once."""
    who, why = form.visitor, form.text("why", most=40)
    with who.deps.database.reading() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
    if why not in REASONS:
        raise InvalidArgument("REASON_UNKNOWN", "choose why the goods come back")
    lines = [
        {"line_id": key, "quantity": units, "reason": why, **replaced(form.fields, key)}
        for key, units in units_of(form.fields).items()
    ]
    wanted = {
        "order": number,
        "lines": lines,
        "reason": form.text("reason"),
        "override_reason": form.text("override_reason", most=200) or None,
        "advance": form.text("advance", most=3) == "yes",
    }
    body = read_body(ReturnInput, wanted)

    def do(session: Session) -> tuple[str, str]:
        done = api.requested(session, who.deps, who.caller, order_id, body)
        listed.update(add_all(session, done.return_id, who.caller, form.photos, who.deps))
        return done.state, done.number

    once = Once(who.deps, "console return", typed_once(form, f"return/{order_id}", body), is_keyed=True)
    with who.deps.photos.unless_listed(form.photos) as listed:
        state, asked_for = once.perform(body, do)
    code = "return_authorized" if state == AUTHORIZED else "return_requested"
    return leave(RedirectResponse(_home(request, number), 303), who.deps.console, code, asked_for)


def units_of(fields: Mapping[str, str], *, may_be_none: bool = False) -> dict[str, int]:
    """Line id → units, of those lines for which any were entered; InvalidArgument NOTHING_CHOSEN unless there may be none."""
    typed = {name.removeprefix(_UNITS): value for name, value in fields.items() if name.startswith(_UNITS)}
    units = {line_id: whole_units(value, line_id) for line_id, value in typed.items() if value.strip("0")}
    if not units and not may_be_none:
        raise InvalidArgument("NOTHING_CHOSEN", "enter for at least one line how many units")
    return units


def read_body(shape: type[Body], fields: Mapping[str, Any]) -> Body:
    """What the API would take; InvalidArgument for what no page of ours sends."""
    try:
        return shape.model_validate(fields)
    except ValidationError as wrong:
        raise InvalidArgument("FORM_UNREADABLE", "enter units and choose what the page offers: reload it") from wrong


def typed_once(form: Form, button: str, body: BaseModel) -> str:
    """The business key of a page and what was typed there: sent twice it is done once, typed anew it is another request."""
    return request_id(form, f"{button}/{body.model_dump_json()}")


def note_of(form: Form) -> str:
    """Why it is decided so; InvalidArgument REASON_MISSING."""
    note = form.text("note", most=200)
    if not note:
        raise InvalidArgument("REASON_MISSING", "say why: the customer reads it")
    return note


def _percent(given: str) -> Decimal:
    try:
        return Decimal(ReturnAuthorizationInput(fee_percent=given).fee_percent or 0)
    except ValidationError as wrong:
        raise InvalidArgument("FEE_PERCENT", "the restocking fee is a percentage from 0 to 100, such as 7.5") from wrong


def after(form: Form, found: Return, code: str) -> Response:
    """Back on the page of the return, which says what was done."""
    return leave(RedirectResponse(f"/returns/{found.number}", 303), form.visitor.deps.console, code, found.number)


def _home(request: Request, number: str) -> str:
    return f"/my/orders/{number}" if request.url.path.startswith("/my/") else f"/orders/{number}"
