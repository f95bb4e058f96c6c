"""Waves: shipments of one warehouse that one person picks together, and their pick list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.bins import bins_of
from gateway.http.neighbors.pick_lists import PickListLine, pick_list, to_pick
from gateway.http.neighbors.shipments import State
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Identity, Input, Subject, example
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfWarehouse, path_id
from gateway.http.plumbing.shapes import instant, rfc3339
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.clock import from_micros
from services.orders.access.matrix import Caller

router = APIRouter(tags=["shipments"])

MOST_SHIPMENTS = 100
WaveReference = Annotated[str, path_id("The wave's id or its number.", "WV-1001")]


class WaveInput(Input):
    """Shipments that are chosen, or as many of the next as are due."""

    warehouse_id: Identity
    shipment_ids: Annotated[list[Identity], Field(max_length=MOST_SHIPMENTS)] = Field(
        default=[], description="Released shipments of the warehouse, in no other wave."
    )
    next: Annotated[int, Field(strict=True, ge=1, le=MOST_SHIPMENTS)] | None = Field(
        default=None,
        description="Without shipment_ids: at most so many that are released, in no wave and not asked back, the soonest promised first.",
    )
    picker: Subject | None = Field(default=None, description="Who picks, by login; without it who makes the wave.")

    model_config = example(warehouse_id="wh_dallas", next=20, picker="pat")


class Wave(BaseModel):
    """Shipments that are picked together. It is open while one of them is to be picked, and closes by itself."""

    wave_id: str
    number: str = Field(examples=["WV-1001"])
    warehouse_id: str
    picker: str
    created_by: str
    created_at: str
    is_open: bool
    closed_at: str | None = Field(description="When nothing of it was to be picked any more.")
    is_cancelled: bool = Field(description="It was canceled: what was not picked is in it no more.")
    shipment_count: int
    to_pick_count: int = Field(description="Shipments of it that are to be picked.")


class WaveShipment(BaseModel):
    """A shipment of a wave."""

    shipment_id: str
    number: str
    order_number: str
    state: State
    promised_on: str | None
    quantity: int = Field(description="Units in it.")
    recall_requested: bool = Field(description="Units are asked back and not answered for: picking it refuses.")


class PickListTake(BaseModel):
    """Units of a line of a pick list that are for a shipment."""

    shipment_number: str
    quantity: int


class PickListRow(BaseModel):
    """Units of a SKU to take from a bin."""

    bin: str | None = Field(description="Null where nobody has said where it lies.")
    sku: str
    description: str
    quantity: int
    takes: list[PickListTake]


class WaveDetail(Wave):
    """A wave with its shipments and its pick list."""

    shipments: list[WaveShipment] = Field(description="The soonest promised first.")
    pick_list: list[PickListRow] = Field(description="What is still to be picked, by bin, then SKU.")


@router.get("/v1/waves")
def list_waves(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    warehouse_id: OfWarehouse = None,
    is_all: Annotated[bool, Query(alias="all", description="Those that are closed, too.")] = False,
) -> Page[Wave]:
    """Waves, the newest first."""
    wanted = pb.ListWavesRequest(
        warehouse_id=warehouse_id or "", is_all=is_all, limit=paging.limit, cursor=paging.cursor
    )
    found = deps.fulfillment.ListWaves(wanted)
    return Page(rows=[wave_shape(one) for one in found.waves], next_cursor=found.next_cursor or None)


@router.post("/v1/waves", status_code=201, response_model=Wave)
def create_wave(deps: DepsOf, who: CallerOf, once: OnceWithKey, body: WaveInput) -> Response:
    """Put released shipments of a warehouse into a wave, each into one at most."""
    return once.answer(body, lambda request_id: wave_shape(created(deps, who, body, request_id)), 201)


def created(deps: Deps, who: Caller, body: WaveInput, request_id: str) -> pb.Wave:
    """Have fulfillment make a wave."""
    sub = who.principal.sub
    wanted = pb.CreateWaveRequest(
        request_id=request_id,
        warehouse_id=body.warehouse_id,
        shipment_ids=body.shipment_ids,
        next=body.next or 0,
        picker=body.picker or sub,
        created_by=sub,
    )
    return deps.fulfillment.CreateWave(wanted).wave


@router.get("/v1/waves/{wave}")
def get_wave(deps: DepsOf, _who: CallerOf, wave: WaveReference) -> WaveDetail:
    """A wave with its shipments, and what is still to be picked of them from which bin."""
    found = deps.fulfillment.GetWave(pb.GetWaveRequest(wave=wave))
    return WaveDetail(
        **wave_shape(found.wave).model_dump(),
        shipments=[_shipment(one) for one in found.shipments],
        pick_list=[_line(one) for one in pick_list_of(deps, found)],
    )


@router.post("/v1/waves/{wave}/cancel")
def cancel_wave(deps: DepsOf, _who: CallerOf, wave: WaveReference) -> Wave:
    """Close a wave: what is not picked of it is free for another. The same again changes nothing."""
    return wave_shape(deps.fulfillment.CancelWave(pb.CancelWaveRequest(wave=wave)).wave)


def pick_list_of(deps: Deps, found: pb.GetWaveResponse) -> Sequence[PickListLine]:
    """What is still to be picked of a wave, by bin, then SKU."""
    skus = {line.sku for one in to_pick(found.shipments) for line in one.lines}
    return pick_list(found.shipments, bins_of(deps, found.wave.warehouse_id, skus))


def wave_shape(one: pb.Wave) -> Wave:
    """A wave as it is shown."""
    return Wave(
        wave_id=one.wave_id,
        number=one.number,
        warehouse_id=one.warehouse_id,
        picker=one.picker,
        created_by=one.created_by,
        created_at=rfc3339(from_micros(one.created_at_micros)),
        is_open=one.is_open,
        closed_at=instant(one.closed_at_micros),
        is_cancelled=one.is_cancelled,
        shipment_count=one.shipment_count,
        to_pick_count=one.to_pick_count,
    )


def _shipment(one: pb.Shipment) -> WaveShipment:
    return WaveShipment(
        shipment_id=one.shipment_id,
        number=one.number,
        order_number=one.order_number,
        state=pb.ShipmentState.Name(one.state).removeprefix("SHIPMENT_STATE_").lower(),  # type: ignore[arg-type]  # one of six words
        promised_on=one.promised_on or None,
        quantity=sum(line.quantity for line in one.lines),
        recall_requested=one.recall_requested,
    )


def _line(one: PickListLine) -> PickListRow:
    takes = [PickListTake(shipment_number=number, quantity=units) for number, units in one.takes.items()]
    return PickListRow(
        bin=one.bin or None, sku=one.sku, description=one.description, quantity=one.quantity, takes=takes
    )
