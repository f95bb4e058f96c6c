"""Returns: asked for, decided, counted and inspected by the warehouse, and their cash given back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import Session

from gateway.http.orders.return_shapes import (
    RefundShape,
    ReturnAuthorizationInput,
    ReturnDecisionInput,
    ReturnInput,
    ReturnInspectionInput,
    ReturnReceiptInput,
    ReturnShape,
    State,
    goods_of,
    return_shape,
)
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import Once, OnceWithKey
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from gateway.http.plumbing.parameters import OfOrder, path_id
from gateway.http.plumbing.shapes import MoneyShape
from oms.billing.v1 import billing_pb2 as billing
from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.inventory.v1 import inventory_pb2
from oms.types.v1 import types_pb2
from services.kernel.errors import NotFound
from services.orders.access.matrix import Caller
from services.orders.domain.mails import Contacts
from services.orders.domain.returns import FeeRule, Return
from services.orders.lifecycle import exchange
from services.orders.order import aggregate, lookup
from services.orders.returns import advance, decide, parcels, reading

router = APIRouter(tags=["returns"])

ReturnReference = Annotated[str, path_id("The return's id or its number.", "RMA-1001")]


@router.post("/v1/returns", status_code=201, response_model=ReturnShape)
def request_return(deps: DepsOf, who: CallerOf, once: OnceWithKey, body: ReturnInput) -> Response:
    """Ask for a return of shipped goods; a small one is authorized at once. A refusal says how many units may come back.

    At most what has shipped, is invoiced, and is in no other return, within the policy's days from delivery. Articles that are not returnable
    come back when support says why (`override_reason`).
    """

    def do(session: Session) -> ReturnShape:
        order_id = lookup.find_id(session, body.order, who.scope)
        return return_shape(requested(session, deps, who, order_id, body), who)

    return once.answer_here(body, do, 201)


@router.get("/v1/returns")
def list_returns(
    deps: DepsOf,
    who: CallerOf,
    paging: PagingOf,
    order_id: OfOrder = None,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
) -> Page[ReturnShape]:
    """Returns, oldest first."""
    after = paging.after("returns")
    with deps.database.reading() as session:
        found = reading.page(
            session,
            who.scope,
            order_id=order_id or "",
            states=[state] if state else [],
            after=after,
            limit=paging.limit + 1,
        )
    page, following = cut(found, paging.limit, lambda one: one.return_id)
    return Page(rows=[return_shape(one, who) for one in page], next_cursor=sealed("returns", following or "") or None)


@router.get("/v1/returns/{return_id}")
def get_return(deps: DepsOf, who: CallerOf, return_id: ReturnReference) -> ReturnShape:
    """One return."""
    return return_shape(found_return(deps, who, return_id), who)


@router.post("/v1/returns/{return_id}/authorize", response_model=ReturnShape)
def authorize_return(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, return_id: ReturnReference, body: ReturnAuthorizationInput
) -> Response:
    """Let goods come back; the warehouse expects them from then on."""
    fee = FeeRule(Decimal(body.fee_percent)) if body.fee_percent is not None else None

    def do(session: Session) -> ReturnShape:
        found, _ = reading.find_id(session, return_id, who.scope)
        return return_shape(exchange.authorize(session, found, who, body.note, deps.contacts, deps.clock(), fee), who)

    return once.answer_here(body, do)


@router.post("/v1/returns/{return_id}/deny", response_model=ReturnShape)
def deny_return(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, return_id: ReturnReference, body: ReturnDecisionInput
) -> Response:
    """Let no goods come back."""
    return decided(deps, who, once, return_id, body, decide.deny)


@router.post("/v1/returns/{return_id}/cancel", response_model=ReturnShape)
def cancel_return(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, return_id: ReturnReference, body: ReturnDecisionInput
) -> Response:
    """Call a return off, while nothing of it has come."""
    return decided(deps, who, once, return_id, body, decide.cancel)


@router.post("/v1/returns/{return_id}/receive", response_model=ReturnShape)
def receive_return(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, return_id: ReturnReference, body: ReturnReceiptInput
) -> Response:
    """Count what came: fewer than announced, or the rest later. The return shows it a moment later.

    What was not announced goes to `others`: it waits for support and is credited only once it is matched to an order.
    """

    def act(request_id: str) -> ReturnShape:
        return receive(deps, who, return_id, body, request_id)

    return once.answer(body, act)


@router.post("/v1/returns/{return_id}/inspect", response_model=ReturnShape)
def inspect_return(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, return_id: ReturnReference, body: ReturnInspectionInput
) -> Response:
    """Say in which condition counted units are. What the warehouse says decides the credit, which follows by itself."""

    def act(request_id: str) -> ReturnShape:
        return inspect(deps, who, return_id, body, request_id)

    return once.answer(body, act)


@router.post("/v1/returns/{return_id}/refund", response_model=RefundShape)
def refund_return(deps: DepsOf, who: CallerOf, once: OnceWithKey, return_id: ReturnReference) -> Response:
    """Give the cash that the credit notes of a return left on account back to its payers: each part once, however often it is asked.

    To the card that it came from; other cash is paid out by hand. Nothing goes back of an invoice that was not paid.
    """

    def act(request_id: str) -> RefundShape:
        return refund(deps, who, return_id, request_id)

    return once.answer(None, act)


@router.post("/v1/returns/{return_id}/repair", response_model=ReturnShape)
def repair_return(deps: DepsOf, who: CallerOf, once: OnceWithKey, return_id: ReturnReference) -> Response:
    """Have somebody carry a return on that was halted or whose workflow is lost; one that goes on stays as it is."""

    def do(session: Session) -> ReturnShape:
        found, _ = reading.find_id(session, return_id, who.scope)
        return return_shape(advance.repair(session, found, deps.clock()), who)

    return once.answer_here(None, do)


Decide = Callable[[Session, str, Caller, str, Contacts, datetime], Return]
"""Decides of a return by its id: within a transaction, by whom, with which note, and when."""


def decided(deps: Deps, who: Caller, once: Once, reference: str, body: ReturnDecisionInput, decide: Decide) -> Response:
    """Decide of a return that the caller may see, once a key, and show it."""

    def do(session: Session) -> ReturnShape:
        found, _ = reading.find_id(session, reference, who.scope)
        return return_shape(decide(session, found, who, body.note, deps.contacts, deps.clock()), who)

    return once.answer_here(body, do)


def keep_apart(deps: Deps, who: Caller, found: Return, body: ReturnReceiptInput, request_id: str) -> None:
    """List for support what came with a return and is none of it, once."""
    arrival = parcels.Arrival(body.warehouse_id, goods_of(body.others), return_id=found.return_id)

    def do(session: Session) -> tuple[str, ...]:
        return (parcels.record(session, arrival, who, deps.clock()).number,)

    Once(deps, "receive", request_id, is_keyed=True).perform(body, do)


def requested(session: Session, deps: Deps, who: Caller, order_id: str, body: ReturnInput) -> Return:
    """A return as it was asked for, and with it what replaces its goods in advance."""
    skus = {line.line_id: line.sku for line in aggregate.read(session, order_id, who.scope).order.lines}
    lines = [line.asked(skus.get(line.line_id, "")) for line in body.lines]
    override, now = body.override_reason or "", deps.clock()
    return exchange.request(
        session, order_id, who, lines, body.reason, deps.contacts, now, override, is_advance=body.advance
    )


def found_return(deps: Deps, who: Caller, reference: str) -> Return:
    """A return that the caller may see."""
    with deps.database.reading() as session:
        return reading.one(session, reference, who.scope)


def receive(deps: Deps, who: Caller, reference: str, body: ReturnReceiptInput, request_id: str) -> ReturnShape:
    """Have the warehouse count, and show the return as it then stands here."""
    found = found_return(deps, who, reference)
    check_warehouse(deps, body.warehouse_id)
    lines = [types_pb2.LineQuantity(line_id=line.line_id, quantity=line.quantity) for line in body.lines]
    if lines:
        deps.fulfillment.ReceiveReturn(
            pb.ReceiveReturnRequest(
                request_id=request_id,
                reference=found.return_id,
                warehouse_id=body.warehouse_id,
                lines=lines,
                received_by=who.principal.sub,
            )
        )
    if body.others:
        keep_apart(deps, who, found, body, request_id)
    return return_shape(found_return(deps, who, reference), who)


def inspect(deps: Deps, who: Caller, reference: str, body: ReturnInspectionInput, request_id: str) -> ReturnShape:
    """Have the warehouse say what it found, and show the return as it then stands here."""
    found = found_return(deps, who, reference)
    check_warehouse(deps, body.warehouse_id)
    units = [facts_pb2.InspectedUnits(**one.model_dump()) for one in body.units]
    deps.fulfillment.InspectReturn(
        pb.InspectReturnRequest(
            request_id=request_id,
            reference=found.return_id,
            warehouse_id=body.warehouse_id,
            units=units,
            inspected_by=who.principal.sub,
        )
    )
    return return_shape(found_return(deps, who, reference), who)


def refund(deps: Deps, who: Caller, reference: str, request_id: str) -> RefundShape:
    """Give what is left of a return's cash back."""
    found = found_return(deps, who, reference)
    wanted = billing.RefundReturnRequest(request_id=request_id, return_id=found.return_id)
    parts = deps.billing.RefundReturn(wanted).refunded
    total = sum(one.amount.minor_units for one in parts)
    return RefundShape(
        return_id=found.return_id,
        number=found.number,
        refunded=MoneyShape.of_minor(total, found.currency),
        payment_ids=[one.payment_id for one in parts],
    )


def check_warehouse(deps: Deps, warehouse_id: str) -> None:
    """NotFound WAREHOUSE_UNKNOWN."""
    known = deps.inventory.ListWarehouses(inventory_pb2.ListWarehousesRequest()).warehouses
    if warehouse_id not in {one.warehouse_id for one in known}:
        raise NotFound("WAREHOUSE_UNKNOWN", f"there is no warehouse {warehouse_id}: check its id")
