"""What of an order is open, so that it can be planned again, and what another plan of it changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from services.inventory.domain.adjusting import Carried, Holding
from services.inventory.domain.allocation import Allocation, LineDemand, Plan
from services.inventory.domain.sourcing import Available

Units = dict[tuple[str, str, str], int]
"""(Line id, SKU, warehouse id) → units."""


@dataclass(frozen=True, slots=True)
class Open:
    """Units of an order that are held and in no shipment, and units that wait: line by line what is to be planned again.

    `serving` are the warehouses that have sent something or have something of it in shipments.
    """

    lines: tuple[LineDemand, ...]
    held: tuple[Allocation, ...]
    waiting: tuple[LineDemand, ...]
    serving: frozenset[str]


@dataclass(frozen=True, slots=True)
class Moves:
    """What the new plan frees, holds, and lets wait more or less; each without zeros."""

    freed: tuple[Allocation, ...]
    held: tuple[Allocation, ...]
    waits_less: tuple[LineDemand, ...]
    waits_more: tuple[LineDemand, ...]

    @property
    def is_none(self) -> bool:
        """Whether all stays as it is."""
        return not (self.freed or self.held or self.waits_less or self.waits_more)


def open_units(holdings: Iterable[Holding], carried: Carried) -> Open:
    """What of these holdings no shipment carries; `carried` counts what has shipped too."""
    lines: list[LineDemand] = []
    held: list[Allocation] = []
    waiting: list[LineDemand] = []
    serving: set[str] = set()
    for one in holdings:
        serving |= {place for place, units in one.shipped.items() if units}
        free = 0
        for place, units in sorted(one.held.items()):
            in_shipments = max(0, carried.get((one.line_id, place), 0) - one.shipped.get(place, 0))
            serving |= {place} if in_shipments else set()
            if units > in_shipments:
                held.append(Allocation(one.line_id, one.sku, place, units - in_shipments))
                free += units - in_shipments
        if one.waiting:
            waiting.append(LineDemand(one.line_id, one.sku, one.waiting))
        if free + one.waiting:
            lines.append(LineDemand(one.line_id, one.sku, free + one.waiting))
    return Open(tuple(lines), tuple(held), tuple(waiting), frozenset(serving))


def with_own(free: Available, held: Iterable[Allocation], places: Collection[str]) -> dict[str, dict[str, int]]:
    """What the order can have: what is free, and what it holds itself in these warehouses."""
    found = {sku: dict(units) for sku, units in free.items()}
    for part in held:
        if part.warehouse_id in places:
            there = found.setdefault(part.sku, {})
            there[part.warehouse_id] = there.get(part.warehouse_id, 0) + part.quantity
    return found


def moves(before: Open, plan: Plan) -> Moves:
    """The difference between what is held and waits and what the plan wants; what both have stays untouched."""
    old, new = _units(before.held), _units(plan.allocations)
    waited = {(line.line_id, line.sku): line.quantity for line in before.waiting}
    short = {(one.line_id, one.sku): one.quantity for one in plan.shortages}
    return Moves(
        tuple(_allocations(old, new)),
        tuple(_allocations(new, old)),
        tuple(_lines(waited, short)),
        tuple(_lines(short, waited)),
    )


def _units(parts: Sequence[Allocation]) -> Units:
    units: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for part in parts:
        units[part.line_id, part.sku, part.warehouse_id] += part.quantity
    return dict(units)


def _allocations(more: Units, less: Units) -> Iterable[Allocation]:
    for (line_id, sku, place), units in sorted((Counter(more) - Counter(less)).items()):
        yield Allocation(line_id, sku, place, units)


def _lines(more: dict[tuple[str, str], int], less: dict[tuple[str, str], int]) -> Iterable[LineDemand]:
    for (line_id, sku), units in sorted((Counter(more) - Counter(less)).items()):
        yield LineDemand(line_id, sku, units)
