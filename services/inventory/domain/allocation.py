"""Decides which warehouses serve an order: most units, then fewest shipments, then the cheapest, then by name."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

EXACT_UP_TO = 10
"""Candidates up to which every set of warehouses is tried; above it the choice is greedy."""

Available = Mapping[str, Mapping[str, int]]
"""SKU → warehouse id → units free to promise there; warehouses without any may be left out."""


@dataclass(frozen=True, slots=True)
class LineDemand:
    """Units that an order line asks for."""

    line_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A warehouse that can serve the order, and what that would cost in minor units."""

    warehouse_id: str
    cost_minor: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """Units of a line taken in one warehouse, positive."""

    line_id: str
    sku: str
    warehouse_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """Units of a line that no candidate has, positive."""

    line_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to hold and what must wait, both in the order of the lines."""

    allocations: tuple[Allocation, ...]
    shortages: tuple[Shortage, ...]

    def taken(self) -> dict[tuple[str, str], int]:
        """(SKU, warehouse id) → units, never zero, in sorted order: the order in which rows are locked."""
        taken: defaultdict[tuple[str, str], int] = defaultdict(int)
        for part in self.allocations:
            taken[part.sku, part.warehouse_id] += part.quantity
        return dict(sorted(taken.items()))


def allocate(lines: Sequence[LineDemand], available: Available, candidates: Iterable[Candidate]) -> Plan:
    """Choose the warehouses and split what they give over the lines, in line order.

    Lines of one SKU share one demand, so together they never take more than there is. Only candidates are used. The same
    input gives the same plan, whatever the order of the mappings.
    """
    costs = {candidate.warehouse_id: candidate.cost_minor for candidate in candidates}
    wanted: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        wanted[line.sku] += line.quantity
    useful = {
        sku: {place: units for place, units in available.get(sku, {}).items() if units > 0 and place in costs}
        for sku in wanted
    }
    target = {sku: min(units, sum(useful[sku].values())) for sku, units in wanted.items()}
    chosen = _choose(target, useful, costs)
    return _split(lines, {sku: _in_turn(target[sku], useful[sku], chosen, costs) for sku in wanted})


def _choose(target: Mapping[str, int], useful: Available, costs: Mapping[str, int]) -> tuple[str, ...]:
    """The smallest, then cheapest, then first-named set that serves the whole target."""
    places = sorted({place for stock in useful.values() for place in stock})
    if len(places) > EXACT_UP_TO:
        return _choose_greedily(places, target, useful, costs)
    for size in range(1, len(places)):
        serving = [chosen for chosen in combinations(places, size) if _serves(chosen, target, useful)]
        if serving:
            return min(serving, key=lambda chosen: (sum(costs[place] for place in chosen), chosen))
    return tuple(places)


def _choose_greedily(
    places: Sequence[str], target: Mapping[str, int], useful: Available, costs: Mapping[str, int]
) -> tuple[str, ...]:
    """The place that serves most of what is missing, again and again; then drop, dearest first, whoever is not needed."""
    chosen: list[str] = []
    missing = dict(target)
    while any(missing.values()):
        gains = {
            place: sum(min(units, useful[sku].get(place, 0)) for sku, units in missing.items())
            for place in places
            if place not in chosen
        }
        best = min(gains, key=lambda place: (-gains[place], costs[place], place))
        chosen.append(best)
        missing = {sku: max(0, units - useful[sku].get(best, 0)) for sku, units in missing.items()}
    for place in sorted(chosen, key=lambda place: (-costs[place], place)):
        others = [other for other in chosen if other != place]
        if _serves(others, target, useful):
            chosen = others
    return tuple(sorted(chosen))


def _serves(chosen: Sequence[str], target: Mapping[str, int], useful: Available) -> bool:
    return all(sum(useful[sku].get(place, 0) for place in chosen) >= units for sku, units in target.items())


def _in_turn(units: int, stock: Mapping[str, int], chosen: Sequence[str], costs: Mapping[str, int]) -> dict[str, int]:
    """Warehouse id → units there: whoever can give most of it first, so that a SKU comes from as few places as it can."""
    giving = (place for place in chosen if place in stock)
    turn = sorted(giving, key=lambda place: (-min(units, stock[place]), costs[place], place))
    return {place: stock[place] for place in turn}


def _split(lines: Sequence[LineDemand], shelves: Mapping[str, dict[str, int]]) -> Plan:
    """Hand what is there to the lines, first line first; `shelves` is SKU → warehouse id → units, in turn."""
    allocations: list[Allocation] = []
    shortages: list[Shortage] = []
    for line in lines:
        missing = line.quantity
        left = shelves[line.sku]
        for place in list(left):
            given = min(missing, left[place])
            if given:
                allocations.append(Allocation(line.line_id, line.sku, place, given))
                left[place] -= given
                missing -= given
        if missing:
            shortages.append(Shortage(line.line_id, line.sku, missing))
    return Plan(tuple(allocations), tuple(shortages))
