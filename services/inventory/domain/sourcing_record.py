"""Why an order is served from where it is: the plan that won, its rivals part by part, and what each of them lost by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from services.inventory.domain.allocation import LineDemand, Plan, Terms, problem
from services.inventory.domain.sourcing import Available, Problem, Solution, Sourcing, source
from services.kernel.formats import amount
from services.kernel.money import MAX_MINOR, Money

MOST_CANDIDATES = 12
MOST_UNUSED = 20
MOST_PAIRED = 12
MOST_PAIRED_SKUS = 200
RIVAL_FILLS = 50_000
"""SKUs that are filled at most to find what some warehouses could do."""
BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class CandidatePlan:
    """A way to serve the order, and in a sentence why it was chosen or not."""

    solution: Solution
    reason: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class UnusedWarehouse:
    """A warehouse that could give nothing, and why."""

    warehouse_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SourcingRecord:
    """What was planned for an order at once, in minor units of `currency`; the chosen plan comes first.

    `bound_minor` is what no plan that serves as much can cost less than; None where that is not known. `cause` says why it was planned again.
    """

    currency: str
    wanted: int
    served: int
    bound_minor: int | None
    is_optimal: bool
    gap_bp: int | None
    why: str
    candidates: tuple[CandidatePlan, ...]
    unused: tuple[UnusedWarehouse, ...]
    cause: str = ""


def record(
    lines: Sequence[LineDemand],
    available: Available,
    terms: Terms,
    plan: Plan,
    warehouses: Mapping[str, bool],
    currency: str,
) -> SourcingRecord | None:
    """What to keep of a plan; None where nothing was sourced. `warehouses` is every warehouse id → whether it is open."""
    found = plan.sourcing
    if found is None:
        return None
    asked = problem(lines, available, terms)
    rivals = _rivals(asked, found)
    wanted = sum(line.quantity for line in lines)
    chosen = [CandidatePlan(found.best, _certificate(found, currency), is_chosen=True)] if found.best.shipments else []
    barred = _barred(available, asked, terms)
    lost = [
        CandidatePlan(one, _with_delays(_lost_by(one, asked, terms, found.best, currency, barred), one, found.best))
        for one in rivals
    ]
    return SourcingRecord(
        currency=currency,
        wanted=wanted,
        served=found.best.units,
        bound_minor=found.bound_minor,
        is_optimal=found.is_optimal,
        gap_bp=gap_bp(found),
        why=_why(found, rivals, currency),
        candidates=(*chosen, *lost)[:MOST_CANDIDATES],
        unused=_unused(asked, terms, warehouses, barred),
    )


def gap_bp(found: Sourcing) -> int | None:
    """How far above the best possible the plan is at most, in basis points, rounded up; None where that is not known."""
    if found.is_optimal:
        return 0
    if not found.bound_minor:
        return None
    return -(-(found.best.parts.total - found.bound_minor) * BASIS_POINTS // found.bound_minor)


def _rivals(asked: Problem, found: Sourcing) -> list[Solution]:
    """Other plans, best first: those that the search tried, each warehouse alone, and each pair where there are few."""
    places = sorted({way.warehouse_id for way in asked.ways if _has_some(asked, way.warehouse_id)})
    sets: list[Collection[str]] = [(place,) for place in places[: 2 * MOST_PAIRED]]
    if len(places) <= MOST_PAIRED and len(asked.wanted) <= MOST_PAIRED_SKUS:
        sets += combinations(places, 2)
    plans = [*found.others, *(_only(asked, some) for some in sets)]
    known = {one.places: one for one in plans if one.shipments}
    known.pop(found.best.places, None)
    return sorted(known.values(), key=lambda one: one.rank)


def _only(asked: Problem, places: Collection[str]) -> Solution:
    """The best that these warehouses can do, however many splits are allowed."""
    ways = tuple(way for way in asked.ways if way.warehouse_id in places)
    return source(replace(asked, ways=ways, most=None), most_fills=RIVAL_FILLS).best


def _has_some(asked: Problem, place: str) -> bool:
    return any(asked.available.get(sku, {}).get(place, 0) > 0 for sku in asked.wanted)


def _barred(available: Available, asked: Problem, terms: Terms) -> frozenset[str]:
    """The warehouses that have dangerous goods which are wanted and may not give them."""
    return frozenset(
        place
        for sku in terms.hazardous & asked.wanted.keys()
        for place, units in available.get(sku, {}).items()
        if units > 0 and not terms.may_give(sku, place)
    )


def _lost_by(
    one: Solution, asked: Problem, terms: Terms, best: Solution, currency: str, barred: Collection[str]
) -> str:
    if asked.most is not None and len(set(one.places) - asked.opened) > asked.most:
        rule = (
            "this customer's orders are never split"
            if _is_never_split(terms)
            else "more than the sourcing policy allows"
        )
        return f"needs {len(one.places)} shipments: {rule}"
    if one.units < best.units:
        excluding = [place for place in one.places if place in barred]
        said = f": {_named(excluding)} may send no dangerous goods" if excluding else ""
        return f"serves {one.units} of the {best.units} units{said}"
    more = one.parts.total - best.parts.total
    if more:
        return f"costs {_money(more, currency)} more"
    if one.promised_on > best.promised_on:
        return f"costs the same and is promised for {one.promised_on}, not {best.promised_on}"
    if len(one.places) > len(best.places):
        return "costs the same in more shipments"
    return "costs the same; the warehouse id decides"


def _with_delays(reason: str, one: Solution, best: Solution) -> str:
    """The reason, with what makes it late where that is later than the one that won."""
    if one.promised_on <= best.promised_on:
        return reason
    return "; ".join([reason, *_delays(one)])


def _delays(one: Solution) -> list[str]:
    return [f"{each.way.warehouse_id} {each.way.delay}" for each in one.shipments if each.way.delay]


def _is_never_split(terms: Terms) -> bool:
    return terms.policy.of_customer is not None and terms.policy.of_customer.is_never_split


def _why(found: Sourcing, rivals: Sequence[Solution], currency: str) -> str:
    """The sentence for people: what was chosen, at what cost, what it beat, and what makes it wait."""
    if not found.best.shipments:
        return "no warehouse that can serve the address has any of it"
    return "; ".join([_choice(found, rivals, currency), *_delays(found.best)])


def _choice(found: Sourcing, rivals: Sequence[Solution], currency: str) -> str:
    best = found.best
    chosen = f"{_named(best.places)} for {_money(best.parts.total, currency)}"
    rival = next((one for one in rivals if one.units == best.units and one.parts.total >= best.parts.total), None)
    if rival is None:
        return f"{chosen}: no other choice serves as much; {_certificate(found, currency)}"
    less = rival.parts.total - best.parts.total
    beaten = f"{_money(less, currency)} less than" if less else "the same cost as"
    return f"{chosen}: {beaten} {_named(rival.places)}; {_certificate(found, currency)}"


def _certificate(found: Sourcing, currency: str) -> str:
    if found.is_optimal:
        return "nothing that serves as much costs less"
    if found.bound_minor is None:
        return "the best of those that were tried"
    gap, more = gap_bp(found), found.best.parts.total - found.bound_minor
    if gap is None or gap >= BASIS_POINTS:
        return f"at most {_money(more, currency)} above the best possible"
    return f"at most {gap / 100:.2f} % above the best possible"


def _unused(
    asked: Problem, terms: Terms, warehouses: Mapping[str, bool], barred: Collection[str]
) -> tuple[UnusedWarehouse, ...]:
    carried = {one.warehouse_id for one in terms.candidates}
    reasons = {
        place: _no_use(asked, terms, place, place in carried, barred, is_open=warehouses[place]) for place in warehouses
    }
    return tuple(UnusedWarehouse(place, why) for place, why in sorted(reasons.items()) if why)[:MOST_UNUSED]


def _no_use(
    asked: Problem,
    terms: Terms,
    place: str,
    is_carried: bool,  # said at the call
    barred: Collection[str],
    *,
    is_open: bool,
) -> str:
    if not is_open:
        return "closed"
    if terms.policy.of(place).is_excluded:
        theirs = terms.policy.of_customer
        of_customer = theirs is not None and place in theirs.excluded
        return "excluded for this customer" if of_customer else "excluded by the sourcing policy"
    if not is_carried:
        return "no carrier from there to the address"
    if _has_some(asked, place):
        return ""
    return "may send no dangerous goods, and has nothing else of it" if place in barred else "has none of it"


def _named(places: Iterable[str]) -> str:
    *first, last = places
    return f"{', '.join(first)} and {last}" if first else last


def _money(minor: int, currency: str) -> str:
    return f"{amount(Money(min(minor, MAX_MINOR), currency))} {currency}" if currency else f"{minor} minor units"
