"""Parcels that no return announces: taken in at the dock, and matched or decided by support."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from gateway.console.accounting.receipts import page_key
from gateway.console.goods import ROWS, goods_in
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.returns import read_body, typed_once, units_of
from gateway.console.visitor import Form, FormOf, Visitor, VisitorOf
from gateway.console.warehouses import warehouses_of
from gateway.http.orders import parcels as api
from gateway.http.orders.parcels import ParcelDecisionInput, ParcelInput, ParcelMatchInput
from gateway.http.orders.returns import check_warehouse
from gateway.http.plumbing.idempotency import Once
from gateway.http.plumbing.inputs import IDENTITY, PRINTABLE
from services.orders.domain.parcels import STATES, WAITING, Parcel
from services.orders.domain.returns import REASONS
from services.orders.order import aggregate
from services.orders.returns import parcels

router = APIRouter()

PAGE = 100
OUTCOMES = (("send_back", "Send back"), ("keep", "Keep"), ("scrap", "Scrap"))
ParcelOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]
Typed = Annotated[str, Query(max_length=64, pattern=PRINTABLE)]


@router.get("/parcels")
def parcels_page(
    request: Request,
    who: VisitorOf,
    state: Annotated[str, Query(pattern=f"^({'|'.join(STATES)})?$")] = WAITING,
    after: Annotated[str, Query(max_length=64, pattern=f"^$|{IDENTITY}")] = "",
) -> Response:
    """What waits for support, and for the warehouse the form that takes a parcel in."""
    with who.deps.database.reading() as session:
        found = parcels.page(session, state=state, after=after, limit=PAGE + 1)
    rows = found[:PAGE]
    return render(
        "parcels.html",
        who,
        rows=rows,
        state=state,
        following=rows[-1].parcel_id if len(found) > PAGE else "",
        places=warehouses_of(who.deps) if who.may("POST /parcels") else (),
        fields=range(1, ROWS + 1),
        key=page_key(request, who),
    )


@router.post("/parcels")
def record(form: FormOf) -> Response:
    """Take a parcel in, as the API does; the same page sent twice takes it in once."""
    who = form.visitor
    members = {
        "warehouse_id": form.text("warehouse", most=64),
        "lines": goods_in(form.fields),
        "reference": form.text("reference", most=64) or None,
        "note": form.text("note", most=500),
    }
    body = read_body(ParcelInput, members)
    check_warehouse(who.deps, body.warehouse_id)
    arrival = api.arrival_of(who.deps, body)

    def do(session: Session) -> tuple[str]:
        return (parcels.record(session, arrival, who.caller, who.deps.clock()).number,)

    once = Once(who.deps, "console parcel", typed_once(form, "parcel", body), is_keyed=True)
    (number,) = once.perform(body, do)
    return leave(RedirectResponse("/parcels", 303), who.deps.console, "parcel_recorded", number)


@router.get("/parcels/{parcel_id}")
def parcel_page(request: Request, who: VisitorOf, parcel_id: ParcelOf, order: Typed = "") -> Response:
    """One parcel: what is in it, and for support the lines of the order that it may be of."""
    with who.deps.database.reading() as session:
        found = parcels.one(session, parcel_id)
    may_match = who.may("POST /parcels/{parcel_id}/match") and found.state == WAITING
    reference = (order or found.order_number) if may_match else ""
    return render(
        "parcel.html",
        who,
        found=found,
        order=order or found.order_number,
        candidates=_candidates(who, reference) if reference else None,
        reasons=REASONS,
        outcomes=OUTCOMES,
        named=[found.received_by, found.decided_by],
        key=page_key(request, who),
    )


@router.post("/parcels/{parcel_id}/match")
def match(form: FormOf, parcel_id: ParcelOf) -> Response:
    """Make a return of goods in it, as the API does."""
    who, why = form.visitor, form.text("why", most=40)
    lines = [{"line_id": key, "quantity": units, "reason": why} for key, units in units_of(form.fields).items()]
    members = {"order": form.text("order", most=64), "lines": lines, "note": form.text("note", most=200)}
    body = read_body(ParcelMatchInput, members)

    def do(session: Session) -> tuple[str]:
        order_id = parcels.order_of(session, body.order)
        asked = [line.asked() for line in body.lines]
        contacts, now = who.deps.contacts, who.deps.clock()
        return (parcels.match_order(session, parcel_id, order_id, asked, who.caller, body.note, contacts, now).number,)

    once = Once(who.deps, "console match", typed_once(form, f"match/{parcel_id}", body), is_keyed=True)
    (number,) = once.perform(body, do)
    return leave(RedirectResponse(f"/returns/{number}", 303), who.deps.console, "parcel_matched", number)


@router.post("/parcels/{parcel_id}/decision")
def decide(form: FormOf, parcel_id: ParcelOf) -> Response:
    """Say what becomes of goods that become no return."""
    who = form.visitor
    members = {"outcome": form.text("outcome", most=20), "note": form.text("note", most=200)}
    body = read_body(ParcelDecisionInput, members)
    with who.deps.database.transaction() as session:
        done = parcels.decide(session, parcel_id, body.outcome, who.caller, body.note, who.deps.clock())
    return _after(form, done)


def _after(form: Form, done: Parcel) -> Response:
    return leave(RedirectResponse("/parcels", 303), form.visitor.deps.console, "parcel_decided", done.number)


def _candidates(who: Visitor, reference: str) -> dict[str, Any] | None:
    """The order that is named, its lines, and how many units of each may come back; None where there is none."""
    with who.deps.database.reading() as session:
        order_id = parcels.order_of(session, reference)
        if not order_id:
            return None
        found = aggregate.page(session, order_id, who.caller.scope).aggregate
        may = parcels.options(session, order_id, who.caller, who.deps.clock())
    return {"order": found.order, "lines": found.order.lines, "may": may}
