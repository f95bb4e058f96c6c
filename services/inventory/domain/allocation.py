"""Decides what each warehouse gives to each line of an order, and keeps why."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.inventory.domain.sourcing import Available, Problem, Sourcing, source
from services.inventory.domain.tariffs import Candidate, SourcingPolicy, options

KEPT = 8
"""Rival plans that are kept beside the one that won."""


@dataclass(frozen=True, slots=True)
class LineDemand:
    """Units that an order line asks for."""

    line_id: str
    sku: str
    quantity: int


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
    """What to hold and what must wait, both in the order of the lines, and the sourcing behind it, where there was any."""

    allocations: tuple[Allocation, ...]
    shortages: tuple[Shortage, ...]
    sourcing: Sourcing | None = field(default=None, compare=False)

    def taken(self) -> dict[tuple[str, str], int]:
        """(SKU, warehouse id) → units, never zero, in sorted order: the order in which rows are locked."""
        taken: defaultdict[tuple[str, str], int] = defaultdict(int)
        for part in self.allocations:
            taken[part.sku, part.warehouse_id] += part.quantity
        return dict(sorted(taken.items()))


@dataclass(frozen=True, slots=True)
class Terms:
    """How an order may be sourced: who can serve it, SKU → grams of a unit, and the policy.

    `opened` warehouses serve the order already: they count as no further split. `hazardous` SKUs are dangerous goods.
    """

    candidates: tuple[Candidate, ...]
    weights: Mapping[str, int] = field(default_factory=dict)
    policy: SourcingPolicy = field(default_factory=SourcingPolicy)
    opened: frozenset[str] = frozenset()
    hazardous: frozenset[str] = frozenset()

    @property
    def most(self) -> int | None:
        """Warehouses that may serve the order beside the opened ones; None is any number."""
        splits = self.policy.maximum_splits
        return None if splits is None else max(0, splits + 1 - len(self.opened))

    def may_give(self, sku: str, warehouse_id: str) -> bool:
        """Whether a warehouse may keep and send a SKU."""
        return sku not in self.hazardous or not self.policy.of(warehouse_id).excludes_hazardous


def allocate(lines: Sequence[LineDemand], available: Available, terms: Terms) -> Plan:
    """Choose the warehouses and split what they give over the lines, in line order.

    Lines of one SKU share one demand, so together they never take more than there is. Only candidates are used. The same
    input gives the same plan, whatever the order of the mappings.
    """
    found = source(problem(lines, available, terms), KEPT)
    shelves: dict[str, dict[str, int]] = {line.sku: {} for line in lines}
    for shipment in found.best.shipments:
        for sku, units in shipment.units.items():
            shelves[sku][shipment.way.warehouse_id] = units
    return _split(lines, {sku: _most_first(shelf) for sku, shelf in shelves.items()}, found)


def allocate_whole(lines: Sequence[LineDemand], available: Available, terms: Terms) -> Plan:
    """The same where a line gets all of its units or none; a line that leaves some over leaves them to those behind it."""
    available = permitted(available, terms)
    places = {one.warehouse_id for one in terms.candidates}
    left = {sku: sum(units for place, units in shelf.items() if place in places) for sku, shelf in available.items()}
    whole: list[LineDemand] = []
    for line in lines:
        if line.quantity <= left.get(line.sku, 0):
            left[line.sku] -= line.quantity
            whole.append(line)
    plan = allocate(whole, available, terms)
    while plan.shortages:
        short = {one.line_id for one in plan.shortages}
        whole = [line for line in whole if line.line_id not in short]
        plan = allocate(whole, available, terms)
    served = {line.line_id for line in whole}
    shortages = tuple(Shortage(line.line_id, line.sku, line.quantity) for line in lines if line.line_id not in served)
    return Plan(plan.allocations, shortages, plan.sourcing)


def problem(lines: Iterable[LineDemand], available: Available, terms: Terms) -> Problem:
    """What these lines want of what is free."""
    wanted: Counter[str] = Counter()
    for line in lines:
        wanted[line.sku] += line.quantity
    policy = terms.policy
    return Problem(
        dict(wanted),
        permitted(available, terms),
        terms.weights,
        options(terms.candidates, policy),
        policy.split_penalty_minor,
        terms.most,
        terms.opened,
    )


def permitted(available: Available, terms: Terms) -> Available:
    """What is free less dangerous goods where the policy excludes them."""
    if not terms.hazardous:
        return available
    return {sku: {at: n for at, n in shelf.items() if terms.may_give(sku, at)} for sku, shelf in available.items()}


def _most_first(shelf: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(shelf.items(), key=lambda place: (-place[1], place[0])))


def _split(lines: Sequence[LineDemand], shelves: Mapping[str, dict[str, int]], found: Sourcing) -> Plan:
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
    return Plan(tuple(allocations), tuple(shortages), found)
