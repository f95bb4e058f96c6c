"""Decides what a changed order gives up of what it holds and waits for, and what it still needs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.inventory.domain.allocation import Allocation, LineDemand
from services.inventory.domain.tariffs import Candidate
from services.kernel.errors import Refused

Carried = Mapping[tuple[str, str], int]
"""(Line id, warehouse id) → units in shipments that were not cancelled, those that have left included."""


@dataclass(frozen=True, slots=True)
class Holding:
    """All that an order line ever got: units waiting, and warehouse id → units held now, and shipped from there."""

    line_id: str
    sku: str
    waiting: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    shipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def units(self) -> int:
        """Units that wait, are held or have shipped."""
        return self.waiting + sum(self.held.values()) + sum(self.shipped.values())


@dataclass(frozen=True, slots=True)
class Change:
    """Backordered units that are waited for no more, held units that are let go, and units that are wanted more.

    All are positive; a line is in `added` or in the other two, never in both.
    """

    cancelled: tuple[LineDemand, ...] = ()
    freed: tuple[Allocation, ...] = ()
    added: tuple[LineDemand, ...] = ()

    def freed_units(self) -> dict[tuple[str, str], int]:
        """(SKU, warehouse id) → units that become free, never zero."""
        freed: defaultdict[tuple[str, str], int] = defaultdict(int)
        for part in self.freed:
            freed[part.sku, part.warehouse_id] += part.quantity
        return dict(freed)


def change(
    wanted: Iterable[LineDemand], holdings: Iterable[Holding], candidates: Iterable[Candidate], carried: Carried
) -> Change:
    """What must be given up and got so that every line has what is wanted of it; a line that is not wanted gets nothing.

    A line gives up its backorder first, then what it holds where shipping is dearest, warehouses that cannot serve the order
    any more before all others, the name last. What shipments carry is not given up. Refused BELOW_SHIPPED, RECALL_FIRST and
    LINE_SKU_CHANGED.
    """
    known = {holding.line_id: holding for holding in holdings}
    asked = {line.line_id: line for line in wanted}
    costs = {candidate.warehouse_id: candidate.cost_minor for candidate in candidates}
    cancelled: list[LineDemand] = []
    freed: list[Allocation] = []
    added: list[LineDemand] = []
    for line_id in {**asked, **known}:
        holding = known.get(line_id) or Holding(line_id, asked[line_id].sku)
        units = _wanted_of(holding, asked.get(line_id))
        if units > holding.units:
            added.append(LineDemand(line_id, holding.sku, units - holding.units))
            continue
        surplus = holding.units - units
        stopped = min(surplus, holding.waiting)
        if stopped:
            cancelled.append(LineDemand(line_id, holding.sku, stopped))
        freed += _let_go(holding, surplus - stopped, costs, carried)
    return Change(tuple(cancelled), tuple(freed), tuple(added))


def serving(holdings: Iterable[Holding]) -> frozenset[str]:
    """The warehouses that hold something for the order or have sent something."""
    places = (place for one in holdings for units in (one.held, one.shipped) for place in units if units[place])
    return frozenset(places)


def _wanted_of(holding: Holding, asked: LineDemand | None) -> int:
    if asked is not None and asked.sku != holding.sku:
        raise Refused(
            "LINE_SKU_CHANGED",
            f"line {holding.line_id} is {holding.sku}, not {asked.sku}: a substitution is a line of its own",
        )
    units, shipped = asked.quantity if asked else 0, sum(holding.shipped.values())
    if units < shipped:
        raise Refused(
            "BELOW_SHIPPED",
            f"{shipped} units of line {holding.line_id} have left and {units} are wanted: keep at least {shipped}",
            line_id=holding.line_id,
        )
    return units


def _let_go(holding: Holding, surplus: int, costs: Mapping[str, int], carried: Carried) -> list[Allocation]:
    freed: list[Allocation] = []
    missing = surplus
    for place in _dearest_first(holding.held, costs):
        in_shipments = max(0, carried.get((holding.line_id, place), 0) - holding.shipped.get(place, 0))
        given = min(missing, max(0, holding.held[place] - in_shipments))
        if given:
            freed.append(Allocation(holding.line_id, holding.sku, place, given))
            missing -= given
    if missing:
        raise Refused(
            "RECALL_FIRST",
            f"{missing} units of line {holding.line_id} to be given up are in shipments: recall them first",
            line_id=holding.line_id,
        )
    return freed


def _dearest_first(places: Iterable[str], costs: Mapping[str, int]) -> Sequence[str]:
    return sorted(places, key=lambda place: (place in costs, -costs.get(place, 0), place))
