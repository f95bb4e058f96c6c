"""Availability of an order's lines: what is there for each, what is short, and what comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.orders.domain.order import Line
from services.orders.domain.projection import LineQuantities


@dataclass(frozen=True, slots=True)
class Inbound:
    """An expected receipt that has not come yet."""

    expected_on: date
    quantity: int
    reference: str


@dataclass(frozen=True, slots=True)
class SkuStock:
    """What there is of a SKU at all open warehouses together.

    `backordered` are units that orders wait for; `inbound` are the earliest expected receipts, `inbound_quantity` the units of all.
    """

    on_hand: int = 0
    available: int = 0
    backordered: int = 0
    inbound: tuple[Inbound, ...] = ()
    inbound_quantity: int = 0


@dataclass(frozen=True, slots=True)
class LineAvailability:
    """A line, how many units of it are still to ship, and what is there for them.

    `held` units are allocated to this order; `available` are free to promise, before its other lines take any; `short` is what
    neither covers. `waiting` are units that other orders wait for, which get what comes first.
    """

    line_id: str
    sku: str
    to_ship: int
    held: int
    on_hand: int
    available: int
    short: int
    waiting: int
    inbound: tuple[Inbound, ...]
    inbound_quantity: int


def availability(
    lines: Sequence[Line], reached: Mapping[str, LineQuantities], stock: Mapping[str, SkuStock]
) -> tuple[LineAvailability, ...]:
    """In line order, without services; lines of one SKU take what is free one after the other.

    `reached` is line id → its quantities, without lines that a change adds; a SKU that is missing in `stock` has none.
    """
    own = _own_backorders(lines, reached)
    free = {sku: one.available for sku, one in stock.items()}
    return tuple(
        _of_line(line, reached.get(line.line_id), stock.get(line.sku, SkuStock()), free, own)
        for line in lines
        if line.kind != "service"
    )


def _own_backorders(lines: Sequence[Line], reached: Mapping[str, LineQuantities]) -> dict[str, int]:
    own: dict[str, int] = {}
    for line in lines:
        if line.line_id in reached:
            own[line.sku] = own.get(line.sku, 0) + reached[line.line_id].backordered
    return own


def _of_line(
    line: Line, so_far: LineQuantities | None, stock: SkuStock, free: dict[str, int], own: Mapping[str, int]
) -> LineAvailability:
    shipped, kept = (so_far.shipped, so_far.kept) if so_far else (0, 0)
    to_ship = max(0, line.quantity - shipped)
    held = min(kept, to_ship)
    taken = min(free.get(line.sku, 0), to_ship - held)
    free[line.sku] = free.get(line.sku, 0) - taken
    return LineAvailability(
        line_id=line.line_id,
        sku=line.sku,
        to_ship=to_ship,
        held=held,
        on_hand=stock.on_hand,
        available=stock.available,
        short=to_ship - held - taken,
        waiting=max(0, stock.backordered - own.get(line.sku, 0)),
        inbound=stock.inbound,
        inbound_quantity=stock.inbound_quantity,
    )
