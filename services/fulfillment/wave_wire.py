"""Protobuf ↔ domain of waves."""

from __future__ import annotations

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.domain.waves import MOST_SHIPMENTS, Wanted, Wave
from services.fulfillment.store.waves import Filter
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument
from services.kernel.text import optional_text, text
from services.runtime.wire import number_cursor, optional_micros, page_size


def wanted(request: pb.CreateWaveRequest) -> Wanted:
    """The wave that is asked for, each chosen shipment once."""
    if len(request.shipment_ids) > MOST_SHIPMENTS or not 0 <= request.next <= MOST_SHIPMENTS:
        raise InvalidArgument("WAVE_SIZE", f"a wave has 1 to {MOST_SHIPMENTS} shipments: make another one for the rest")
    chosen = sorted({text(one, "shipment_id") for one in request.shipment_ids})
    return Wanted(
        text(request.warehouse_id, "warehouse_id"),
        tuple(chosen),
        request.next,
        text(request.picker, "picker"),
        text(request.created_by, "created_by"),
    )


def wave_filter(request: pb.ListWavesRequest) -> Filter:
    """Which page of which waves."""
    place = optional_text(request.warehouse_id, "warehouse_id")
    return Filter(place, request.is_all, number_cursor(request.cursor), page_size(request.limit))


def named(request: pb.GetWaveRequest | pb.CancelWaveRequest) -> str:
    """The id or number of a wave."""
    return text(request.wave, "wave")


def wave_message(wave: Wave) -> pb.Wave:
    """A wave as it stands."""
    return pb.Wave(
        wave_id=wave.wave_id,
        number=wave.number,
        warehouse_id=wave.warehouse_id,
        picker=wave.picker,
        created_by=wave.created_by,
        created_at_micros=micros(wave.created_at),
        is_open=wave.is_open,
        closed_at_micros=optional_micros(wave.closed_at),
        shipment_count=wave.shipment_count,
        to_pick_count=wave.to_pick_count,
        is_cancelled=wave.cancelled_at is not None,
    )
