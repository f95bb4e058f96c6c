"""Counts: protobuf to domain and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oms.inventory.v1 import counts_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.inventory.counting import Counted
from services.inventory.domain.allocation_policy import ORDER_COMPLETE
from services.inventory.domain.counting import (
    Carried,
    Count,
    Difference,
    Holder,
    LosingOrder,
    OpenCount,
    ShortPick,
    ShortUnits,
)
from services.inventory.wire import identity, optional_identity, optional_price, sku, within
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import MAX_QUANTITY
from services.kernel.text import text


def count(request: pb.CountStockRequest) -> Count:
    """What was counted."""
    carried = {(one.order_id, one.line_id): _carried(one) for one in request.carried}
    if len(carried) < len(request.carried):
        raise InvalidArgument("LINE_TWICE", "each order line may come once in carried")
    return Count(
        identity(request.warehouse_id, "warehouse_id"),
        sku(request.sku),
        within(request.counted, 0, MAX_QUANTITY, "counted"),
        text(request.reason, "reason"),
        text(request.counted_by, "counted_by"),
        carried,
        unit_cost=optional_price(request.unit_cost, request.currency, "unit_cost"),
        standard_cost=optional_price(request.standard_cost, request.standard_currency, "standard_cost"),
    )


def short_pick(request: pb.BookShortPickRequest) -> ShortPick:
    """What a picker did not find."""
    return ShortPick(
        identity(request.warehouse_id, "warehouse_id"),
        sku(request.sku),
        identity(request.order_id, "order_id"),
        identity(request.line_id, "line_id"),
        within(request.short_quantity, 1, MAX_QUANTITY, "short_quantity"),
        text(request.reason, "reason"),
        text(request.picker, "picker"),
        request.is_begun,
        optional_identity(request.shipment_id, "shipment_id"),
        request.is_damaged,
    )


def _carried(sent: pb.CarriedUnits) -> Carried:
    return Carried(
        within(sent.released_quantity, 0, MAX_QUANTITY, "released_quantity"),
        within(sent.picked_quantity, 0, MAX_QUANTITY, "picked_quantity"),
        within(sent.left_quantity, 0, MAX_QUANTITY, "left_quantity"),
        sent.is_begun,
    )


def holders(found: Iterable[Holder]) -> pb.ListHoldersResponse:
    """Who holds what, first to be served first."""
    in_turn = sorted(found, key=lambda one: one.line.turn)
    return pb.ListHoldersResponse(
        holders=[
            pb.Holder(order_id=one.line.order_id, line_id=one.line.line_id, held_quantity=one.held) for one in in_turn
        ]
    )


def counted(kept: Counted) -> pb.CountStockResponse:
    """A count that was kept."""
    answer = previewed(kept.found)
    answer.count_id, answer.movement_id, answer.on_hand = kept.count_id, kept.movement_id, kept.on_hand
    return answer


def previewed(found: Difference) -> pb.CountStockResponse:
    """What a count comes to."""
    return pb.CountStockResponse(
        on_hand_before=found.on_hand,
        on_hand=found.on_hand + found.delta,
        delta=found.delta,
        losses=[
            pb.CountLoss(
                order_id=one.holder.line.order_id,
                line_id=one.holder.line.line_id,
                quantity=one.quantity,
                released_quantity=one.released,
                is_whole_order=one.holder.line.place.delivery == ORDER_COMPLETE and not one.is_begun,
            )
            for one in found.losses
        ],
    )


def open_count(count: OpenCount, orders: Sequence[LosingOrder]) -> pb.OpenCount:
    """A count that is open, with who lost by it."""
    return pb.OpenCount(
        count_id=count.count_id,
        sku=count.sku,
        why=count.why,
        orders=[
            pb.LosingOrder(
                order_id=one.order_id,
                is_whole_order=one.is_whole_order,
                short=_short_units(one.short),
                covered=[
                    pb.CoveredUnits(line_id=line_id, warehouse_id=count.warehouse_id, quantity=units)
                    for line_id, units in sorted(one.covered.items())
                ],
            )
            for one in orders
        ],
    )


def _short_units(short: ShortUnits | None) -> types.ShortUnits | None:
    if short is None:
        return None
    return types.ShortUnits(shipment_id=short.shipment_id, line_id=short.line_id, quantity=short.quantity)
