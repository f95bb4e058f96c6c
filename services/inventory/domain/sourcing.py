"""Finds the cheapest way to serve an order from its warehouses, and says how far from the best possible it can be at most.

Most units first, then lowest cost, then the earliest promise, the fewest shipments, the warehouse ids. Each set of ways is either
tried or ruled out: what its units would cost at least is known before it is opened. Where freight has no steps the answer is the
best there is; where started kilograms are charged as whole ones, a lower bound comes with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.inventory.domain.tariffs import GRAMS_PER_KG, CostParts, Option, is_stepped

MOST_FILLS = 4_000_000
"""SKUs that are filled from a set of ways, over all sets, at most: then what was found so far stands, with its certificate."""
MOST_REPACKED = 64
"""Plans whose started kilograms are packed anew, at most."""
MOST_MOVES = 250_000
"""Moves of a SKU between two shipments that are weighed for that, over all plans, at most."""

Available = Mapping[str, Mapping[str, int]]
"""SKU → warehouse id → units free to promise there; warehouses without any may be left out."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wanted and how it may be served: SKU → units, units free, grams a unit.

    At most `most` warehouses serve it beside the `opened` ones; None is any number.
    """

    wanted: Mapping[str, int]
    available: Available
    weights: Mapping[str, int]
    ways: tuple[Option, ...]
    split_penalty_minor: int = 0
    most: int | None = None
    opened: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Shipment:
    """What one warehouse sends: SKU → units, positive."""

    way: Option
    units: Mapping[str, int]
    parts: CostParts


@dataclass(frozen=True, slots=True)
class Solution:
    """A way to serve the order, its shipments by warehouse id."""

    shipments: tuple[Shipment, ...]
    parts: CostParts

    @property
    def places(self) -> tuple[str, ...]:
        """The warehouses that send something, by id."""
        return tuple(one.way.warehouse_id for one in self.shipments)

    @property
    def units(self) -> int:
        """Units served."""
        return sum(sum(one.units.values()) for one in self.shipments)

    @property
    def promised_on(self) -> str:
        """The ISO date by which all of it is delivered; empty where nobody promises."""
        return max((one.way.tariff.promised_on for one in self.shipments), default="")

    @property
    def rank(self) -> tuple[int, int, str, int, tuple[str, ...]]:
        """The better plan ranks lower."""
        return -self.units, self.parts.total, self.promised_on, len(self.shipments), self.places


@dataclass(frozen=True, slots=True)
class Sourcing:
    """The plan that won, what nothing can cost less than (None where that is not known), and other sets of ways that were tried."""

    best: Solution
    bound_minor: int | None
    tried: int
    others: tuple[Solution, ...] = ()

    @property
    def is_optimal(self) -> bool:
        """Whether nothing can be cheaper."""
        return self.bound_minor == self.best.parts.total


Fill = tuple[int, int, int]
"""Of a SKU: what its units cost in thousandths of a minor unit, how many there are, and the ways that give some, as bits."""
Rung = tuple[int, int, int, int]
"""A way that has a SKU: its bit, the bits of all ways of its warehouse, cost of a unit in thousandths, units there."""


@dataclass(frozen=True, slots=True)
class _Branch:
    """Sets of ways that have all `included` ones and none outside `allowed`; `fills` are the cheapest among those, a SKU each."""

    included: int
    allowed: int
    fills: list[Fill]


def source(problem: Problem, keep: int = 0, most_fills: int = MOST_FILLS) -> Sourcing:
    """The best way to serve what can be served, and up to `keep` other sets of warehouses that were tried, best first."""
    return _Search(problem).run(keep, most_fills)


@dataclass(slots=True)
class _Search:
    problem: Problem
    skus: list[str] = field(init=False)
    ladders: list[list[Rung]] = field(init=False)
    masks: list[int] = field(init=False)
    fixed: list[int] = field(init=False)
    siblings: dict[int, int] = field(init=False)
    stepped: bool = field(init=False)
    known: list[dict[int, Fill]] = field(init=False)
    best: Solution = field(init=False, default=Solution((), CostParts()))
    seen: dict[int, tuple[int, int]] = field(init=False, default_factory=dict)
    gaps: list[tuple[int, int]] = field(init=False, default_factory=list)
    repacked: int = field(init=False, default=0)
    moves: int = field(init=False, default=MOST_MOVES)

    def __post_init__(self) -> None:
        asked = self.problem
        served = {way.warehouse_id for way in asked.ways}
        free = {sku: {at: n for at, n in asked.available.get(sku, {}).items() if n > 0} for sku in asked.wanted}
        self.skus = sorted(sku for sku, units in asked.wanted.items() if units and served & free[sku].keys())
        self.fixed = [way.fixed_minor for way in asked.ways]
        places = [way.warehouse_id for way in asked.ways]
        self.siblings = {
            1 << at: sum(1 << other for other, same in enumerate(places) if same == place)
            for at, place in enumerate(places)
        }
        self.stepped = is_stepped(asked.ways, {sku: asked.weights.get(sku, 0) for sku in self.skus})
        self.ladders = [self._ladder(sku, free[sku]) for sku in self.skus]
        self.masks = [sum(rung[0] for rung in ladder) for ladder in self.ladders]
        self.known = [{} for _ in self.skus]

    def _ladder(self, sku: str, free: Mapping[str, int]) -> list[Rung]:
        """The ways that have a SKU, cheapest unit first, then whoever can give most of it."""
        ways, wanted, grams = self.problem.ways, self.problem.wanted[sku], self.problem.weights.get(sku, 0)
        having = [at for at, way in enumerate(ways) if way.warehouse_id in free]
        having.sort(key=lambda at: (ways[at].unit_cost(grams), -min(wanted, free[ways[at].warehouse_id]), at))
        return [
            (1 << at, self.siblings[1 << at], ways[at].unit_cost(grams), free[ways[at].warehouse_id]) for at in having
        ]

    def run(self, keep: int, most_fills: int) -> Sourcing:
        every = (1 << len(self.problem.ways)) - 1
        stack = [_Branch(0, every, [self._fill(at, every) for at in range(len(self.skus))])]
        filled = 0
        while stack and filled < most_fills:
            filled += len(self.skus) + 1
            stack += self._branch(stack.pop())
        return Sourcing(self.best, self._bound(stack), len(self.seen), self._others(keep))

    def _fill(self, at: int, allowed: int) -> Fill:
        allowed &= self.masks[at]
        found = self.known[at].get(allowed)
        if found is None:
            found = self.known[at][allowed] = self._climb(at, allowed)
        return found

    def _climb(self, at: int, allowed: int) -> Fill:
        missing, cost, used = self.problem.wanted[self.skus[at]], 0, 0
        for bit, siblings, unit_cost, units in self.ladders[at]:
            if allowed & bit:
                given = min(missing, units)
                cost += given * unit_cost
                missing -= given
                used |= bit
                if not missing:
                    break
                allowed &= ~siblings
        return cost, self.problem.wanted[self.skus[at]] - missing, used

    def _branch(self, branch: _Branch) -> list[_Branch]:
        """Try the cheapest plan among these sets, and split them on a way it opens; nothing where none of them can win."""
        used = units = 0
        for _, count, bits in branch.fills:
            units += count
            used |= bits
        lower = self._lower(branch)
        if (-units, lower) > (-self.best.units, self.best.parts.total) and self.best.shipments:
            return []
        if self._is_allowed(used):
            self._try(used, branch.fills, units)
        opened = used & ~branch.included
        if not opened:
            if self.stepped:
                self.gaps.append((units, lower))
            return []
        bit = max((one for one in _bits(opened)), key=lambda one: (self.fixed[one.bit_length() - 1], one))
        return [self._without(branch, bit), *self._with(branch, bit)]

    def _without(self, branch: _Branch, bit: int) -> _Branch:
        allowed = branch.allowed & ~bit
        fills = [self._fill(at, allowed) if fill[2] & bit else fill for at, fill in enumerate(branch.fills)]
        return _Branch(branch.included, allowed, fills)

    def _with(self, branch: _Branch, bit: int) -> list[_Branch]:
        """The sets that have the way too, and then no other one of its warehouse; none where that would be a warehouse too many."""
        included = branch.included | bit
        if not self._is_allowed(included):
            return []
        gone = self.siblings[bit] & ~bit
        if self.problem.most is not None and self._opens(included) == self.problem.most:
            gone |= sum(one for one in _bits(branch.allowed & ~included) if self._opens(one))
        allowed = branch.allowed & ~gone
        fills = [self._fill(at, allowed) if fill[2] & gone else fill for at, fill in enumerate(branch.fills)]
        return [_Branch(included, allowed, fills)]

    def _opens(self, ways: int) -> int:
        """How many of these ways are of warehouses that serve nothing yet."""
        named = (self.problem.ways[bit.bit_length() - 1].warehouse_id for bit in _bits(ways))
        return sum(place not in self.problem.opened for place in named)

    def _is_allowed(self, ways: int) -> bool:
        """Whether these ways are of different warehouses, and not of too many."""
        if self.problem.most is not None and self._opens(ways) > self.problem.most:
            return False
        return all(not self.siblings[bit] & ways & ~bit for bit in _bits(ways))

    def _lower(self, branch: _Branch) -> int:
        """What no set of this branch that serves as much can cost less than."""
        milli = sum(fill[0] for fill in branch.fills)
        if self.stepped and self.problem.most is None:
            grams = sum(
                fill[1] * self.problem.weights.get(sku, 0) for sku, fill in zip(self.skus, branch.fills, strict=True)
            )
            least = min(
                (self.problem.ways[bit.bit_length() - 1].tariff.per_kg_minor for bit in _bits(branch.allowed)),
                default=0,
            )
            milli += least * (-grams % GRAMS_PER_KG)
        return self._opening(branch.included) - -milli // GRAMS_PER_KG

    def _opening(self, ways: int) -> int:
        """What it costs to open these ways."""
        fixed = sum(self.fixed[bit.bit_length() - 1] for bit in _bits(ways))
        return fixed + self.problem.split_penalty_minor * max(0, ways.bit_count() - 1)

    def _try(self, used: int, fills: Sequence[Fill], units: int) -> None:
        if used in self.seen:
            return
        cost = self._opening(used) - -sum(fill[0] for fill in fills) // GRAMS_PER_KG
        self.seen[used] = -units, cost
        if self.best.shipments and (-units, cost) > (-self.best.units, self.best.parts.total):
            return
        found = self._solution(used)
        if self.stepped and self.repacked < MOST_REPACKED:
            self.repacked += 1
            found, self.moves = repack(self.problem, found, self.moves)
        if not self.best.shipments or found.rank < self.best.rank:
            self.best = found

    def _solution(self, allowed: int) -> Solution:
        """The plan that fills each SKU from the cheapest of these ways on."""
        units: dict[int, dict[str, int]] = {bit: {} for bit in _bits(allowed)}
        for at, sku in enumerate(self.skus):
            missing = self.problem.wanted[sku]
            for bit, _, _, there in self.ladders[at]:
                given = min(missing, there) if allowed & bit else 0
                if given:
                    units[bit][sku] = given
                    missing -= given
        loads = {self.problem.ways[bit.bit_length() - 1]: given for bit, given in units.items() if given}
        return solution(self.problem, loads)

    def _bound(self, stack: Sequence[_Branch]) -> int | None:
        """The least that anything can cost which serves as much as the best; None where more might be served."""
        left = [(sum(fill[1] for fill in one.fills), self._lower(one)) for one in stack]
        if any(units > self.best.units for units, _ in left):
            return None
        rivals = (lower for units, lower in [*left, *self.gaps] if units == self.best.units)
        return min([self.best.parts.total, *rivals])

    def _others(self, keep: int) -> tuple[Solution, ...]:
        ranked = sorted(self.seen, key=lambda used: (*self.seen[used], used))[: keep + 1]
        plans = [self._solution(used) for used in ranked] if keep else []
        others = {one.places: one for one in sorted(plans, key=lambda one: one.rank, reverse=True)}
        others.pop(self.best.places, None)
        return tuple(sorted(others.values(), key=lambda one: one.rank))[:keep]


def solution(problem: Problem, loads: Mapping[Option, Mapping[str, int]]) -> Solution:
    """What these shipments come to; one of nothing is none."""
    made = []
    for way, units in sorted(loads.items(), key=lambda load: load[0].warehouse_id):
        if units:
            grams = sum(count * problem.weights.get(sku, 0) for sku, count in units.items())
            made.append(Shipment(way, dict(units), way.cost(sum(units.values()), grams)))
    parts = CostParts(splits=problem.split_penalty_minor * max(0, len(made) - 1))
    return Solution(tuple(made), sum((one.parts for one in made), parts))


def repack(problem: Problem, plan: Solution, moves: int) -> tuple[Solution, int]:
    """The plan with units moved between its shipments as long as that saves started kilograms: one SKU, one pair at a time.

    So many moves are weighed at most; also gives how many are left.
    """
    found = plan
    better: Solution | None = plan
    while better is not None:
        found = better
        better, moves = _next_repacked(problem, found, moves)
    return found, moves


def _next_repacked(problem: Problem, plan: Solution, moves: int) -> tuple[Solution | None, int]:
    loads = [(one, sum(one.units.values()), _grams(problem, one)) for one in plan.shipments]
    for load in loads:
        over = load[2] % GRAMS_PER_KG
        for other in loads:
            if not over or load is other:
                continue
            if moves < len(load[0].units):
                return None, 0
            moves -= len(load[0].units)
            if sku := _worth_moving(problem, load, other, over):
                return _moved(problem, plan, load[0], other[0], sku, _count(problem, sku, over)), moves
    return None, moves


def _worth_moving(
    problem: Problem, load: tuple[Shipment, int, int], other: tuple[Shipment, int, int], over: int
) -> str | None:
    """A SKU of which enough units fit into the other shipment to spare this one its last started kilogram, and more than they cost there."""
    (one, units, grams), (into, _, weight) = load, other
    for sku, count in one.units.items():
        moving = _count(problem, sku, over)
        room = problem.available[sku].get(into.way.warehouse_id, 0) - into.units.get(sku, 0)
        if 0 < moving <= min(count, room) and moving < units:
            moved = moving * problem.weights[sku]
            if _added(into.way, moving, weight, moved) + _added(one.way, -moving, grams, -moved) < 0:
                return sku
    return None


def _added(way: Option, units: int, grams: int, more: int) -> int:
    """What so many units and grams more, or fewer, add to what a shipment of these grams costs."""
    kilograms = -(-(grams + more) // GRAMS_PER_KG) + -grams // GRAMS_PER_KG
    return way.per_unit_minor * units + way.tariff.per_kg_minor * kilograms


def _moved(problem: Problem, plan: Solution, one: Shipment, other: Shipment, sku: str, moving: int) -> Solution:
    loads = {shipment.way: dict(shipment.units) for shipment in plan.shipments}
    loads[other.way][sku] = loads[other.way].get(sku, 0) + moving
    loads[one.way][sku] -= moving
    if not loads[one.way][sku]:
        del loads[one.way][sku]
    return solution(problem, loads)


def _count(problem: Problem, sku: str, over: int) -> int:
    """Units of a SKU that weigh so much together; none of one that weighs nothing."""
    grams = problem.weights.get(sku, 0)
    return -(-over // grams) if grams else 0


def _grams(problem: Problem, one: Shipment) -> int:
    return sum(count * problem.weights.get(sku, 0) for sku, count in one.units.items())


def _bits(ways: int) -> list[int]:
    """Each bit that is set, lowest first."""
    found = []
    while ways:
        found.append(ways & -ways)
        ways &= ways - 1
    return found
