"""Parcels that no return announces: taken in by the warehouse, and matched to an order or ended otherwise by support."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from gateway.http.orders.return_shapes import GoodsInput, ReturnedLineInput, ReturnShape, goods_of, return_shape
from gateway.http.orders.returns import check_warehouse
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Identity, Input, Name, Percent, Reference, Text, example
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from gateway.http.plumbing.parameters import OfWarehouse, path_id
from gateway.http.plumbing.shapes import rfc3339
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.bounds import MAX_LINES
from services.orders.domain.parcels import Parcel
from services.orders.domain.returns import FeeRule
from services.orders.order import lookup
from services.orders.returns import parcels, reading

router = APIRouter(tags=["returns"])

ParcelReference = Annotated[str, path_id("The parcel's id or its number.", "PCL-1001")]
State = Literal["waiting", "matched", "sent_back", "kept", "scrapped"]


class ParcelInput(Input):
    """A parcel as it stands at the dock, with whatever can be read on it."""

    warehouse_id: Identity = Field(examples=["wh_dallas"])
    lines: list[GoodsInput] = Field(min_length=1, max_length=MAX_LINES)
    reference: Reference | None = Field(
        default=None,
        description="An order, shipment, tracking or return number that is on it; one that is none of ours is kept as it was read.",
    )
    note: Text = Field(default="", description="What else may help support to find its order.")

    model_config = example(
        warehouse_id="wh_dallas",
        lines=[{"sku": "PUMP-100", "quantity": 1}],
        reference="SO-1001",
        note="no papers in it",
    )


class ParcelMatchInput(Input):
    """The order that goods of a parcel are of."""

    order: Identity = Field(description="The order's id or its number.")
    lines: list[ReturnedLineInput] = Field(min_length=1, max_length=MAX_LINES)
    note: Text = ""
    fee_percent: Percent | None = Field(default=None, description="Another restocking fee than the policy's.")

    model_config = example(order="SO-1001", lines=[{"line_id": "1", "quantity": 1, "reason": "other"}])


class ParcelDecisionInput(Input):
    """What becomes of goods that become no return, and why."""

    outcome: Literal["send_back", "keep", "scrap"]
    note: Name

    model_config = example(outcome="send_back", note="bought elsewhere")


class ParcelLineShape(BaseModel):
    """Units that are alike."""

    sku: str | None
    description: str
    quantity: int
    seems: Literal["of_order", "own_article", "foreign"] = Field(
        description="An article of the order that the parcel names, another one of our catalog, or none of ours."
    )
    matched: int = Field(description="Units that became returns.")


class ParcelShape(BaseModel):
    """Goods that came without a return, or with one that does not announce them."""

    parcel_id: str
    number: str = Field(examples=["PCL-1001"])
    warehouse_id: str
    state: State
    waits_for: Literal["support"] | None
    lines: list[ParcelLineShape]
    order_id: str | None
    order_number: str | None
    return_id: str | None = Field(description="The return that they came with.")
    return_number: str | None
    reference: str | None
    note: str
    received_at: str
    decided_at: str | None
    decision_note: str


@router.post("/v1/parcels", status_code=201, response_model=ParcelShape)
def record_parcel(deps: DepsOf, who: CallerOf, once: OnceWithKey, body: ParcelInput) -> Response:
    """Record a parcel that no return announces, by whatever is on it, or with nothing known. Support matches it to an order."""
    check_warehouse(deps, body.warehouse_id)
    arrival = arrival_of(deps, body)
    return once.answer_here(
        body, lambda session: parcel_shape(parcels.record(session, arrival, who, deps.clock())), 201
    )


@router.get("/v1/parcels")
def list_parcels(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    warehouse_id: OfWarehouse = None,
) -> Page[ParcelShape]:
    """Parcels that no return announces, oldest first: which return they came with, where they are, and what seems to be in them."""
    with deps.database.reading() as session:
        found = parcels.page(
            session,
            state=state or "",
            warehouse_id=warehouse_id or "",
            after=paging.after("parcels"),
            limit=paging.limit + 1,
        )
    page, following = cut(found, paging.limit, lambda one: one.parcel_id)
    return Page(rows=[parcel_shape(one) for one in page], next_cursor=sealed("parcels", following or "") or None)


@router.get("/v1/parcels/{parcel_id}")
def get_parcel(deps: DepsOf, _who: CallerOf, parcel_id: ParcelReference) -> ParcelShape:
    """One parcel."""
    with deps.database.reading() as session:
        return parcel_shape(parcels.one(session, parcel_id))


@router.post("/v1/parcels/{parcel_id}/match", status_code=201, response_model=ReturnShape)
def create_return_of_parcel(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, parcel_id: ParcelReference, body: ParcelMatchInput
) -> Response:
    """Create a return of goods that are in a parcel: authorized and received, it goes on through inspection and credit as any other.

    No more than is in the parcel, and than has shipped and is in no other return: what is left of it still waits.
    """
    fee = FeeRule(Decimal(body.fee_percent)) if body.fee_percent is not None else None

    def do(session: Session) -> ReturnShape:
        order_id = lookup.find_id(session, body.order, who.scope)
        lines = [line.asked() for line in body.lines]
        made = parcels.match_order(
            session, parcel_id, order_id, lines, who, body.note, deps.contacts, deps.clock(), fee
        )
        return return_shape(made, who)

    return once.answer_here(body, do, 201)


@router.post("/v1/parcels/{parcel_id}/decision", response_model=ParcelShape)
def decide_parcel(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, parcel_id: ParcelReference, body: ParcelDecisionInput
) -> Response:
    """Decide what becomes of goods that become no return: they are credited to nobody and come into no stock."""

    def do(session: Session) -> ParcelShape:
        return parcel_shape(parcels.decide(session, parcel_id, body.outcome, who, body.note, deps.clock()))

    return once.answer_here(body, do)


def arrival_of(deps: Deps, body: ParcelInput) -> parcels.Arrival:
    """The parcel with the return or the order that what is on it leads to."""
    order_id = return_id = ""
    if body.reference:
        with deps.database.reading() as session:
            return_id = reading.known_id(session, body.reference)
            order_id = "" if return_id else parcels.order_of(session, body.reference)
        order_id = order_id or ("" if return_id else _order_of_shipment(deps, body.reference))
    return parcels.Arrival(
        body.warehouse_id, goods_of(body.lines), order_id, return_id, body.reference or "", body.note
    )


def _order_of_shipment(deps: Deps, reference: str) -> str:
    """The order of a shipment that is known by its own number or its carrier's; empty for none of ours."""
    for wanted in ({"number": reference.upper()}, {"tracking_number": reference}):
        found = deps.fulfillment.ListShipments(pb.ListShipmentsRequest(limit=1, **wanted)).shipments  # type: ignore[arg-type]  # members by name
        if found:
            with deps.database.reading() as session:
                return parcels.order_of(session, found[0].order_id)
    return ""


def parcel_shape(found: Parcel) -> ParcelShape:
    """A parcel as it is shown."""
    return ParcelShape(
        parcel_id=found.parcel_id,
        number=found.number,
        warehouse_id=found.warehouse_id,
        state=found.state,  # type: ignore[arg-type]  # one of STATES
        waits_for="support" if found.state == "waiting" else None,
        lines=[
            ParcelLineShape(
                sku=line.sku or None,
                description=line.description,
                quantity=line.quantity,
                seems=line.seems,  # type: ignore[arg-type]  # one of three words
                matched=line.matched,
            )
            for line in found.lines
        ],
        order_id=found.order_id or None,
        order_number=found.order_number or None,
        return_id=found.return_id or None,
        return_number=found.return_number or None,
        reference=found.reference or None,
        note=found.note,
        received_at=rfc3339(found.received_at),
        decided_at=rfc3339(found.decided_at) if found.decided_at else None,
        decision_note=found.decision_note,
    )
