"""What it costs to send goods from a warehouse: the carrier's tariff and the company's sourcing policy, part by part."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

GRAMS_PER_KG = 1000


@dataclass(frozen=True, slots=True)
class Tariff:
    """What one carrier charges from a warehouse, in minor units: a shipment, each started kilogram, each unit's handling.

    `promised_on` is the ISO date it would deliver on, `late_days` the days behind the requested date.
    """

    carrier: str = ""
    base_minor: int = 0
    per_kg_minor: int = 0
    per_unit_minor: int = 0
    promised_on: str = ""
    late_days: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A warehouse that can serve the order: what the whole order would cost from there, and the tariffs of its carriers.

    Without tariffs a shipment costs the same whatever is in it. `lead_days` are the working days from when goods are there until
    the customer has them; `delay` says when it takes an order up where that is not today, and why. It gives nothing of `barred` SKUs.
    """

    warehouse_id: str
    cost_minor: int
    tariffs: tuple[Tariff, ...] = ()
    lead_days: int = 0
    delay: str = ""
    barred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeTerms:
    """What sourcing from one warehouse costs beside its carrier: third-party fees, and how little it is preferred.

    One that `excludes_hazardous` may not keep or send dangerous goods.
    """

    warehouse_id: str
    order_fee_minor: int = 0
    unit_fee_minor: int = 0
    avoidance_minor: int = 0
    is_excluded: bool = False
    excludes_hazardous: bool = False


@dataclass(frozen=True, slots=True)
class CustomerTerms:
    """Where a customer's orders come from: a preferred warehouse may be dearer by `preference_minor` than any other one."""

    customer_id: str
    preferred: tuple[str, ...] = ()
    preference_minor: int = 0
    excluded: tuple[str, ...] = ()
    is_never_split: bool = False


@dataclass(frozen=True, slots=True)
class SourcingPolicy:
    """How warehouses are chosen, in minor units of the rate table's currency; `maximum_splits` None is any number of shipments.

    `version` counts what was stored of it. It is one customer's once it is `for_customer`.
    """

    split_penalty_minor: int = 0
    late_day_minor: int = 0
    maximum_splits: int | None = None
    nodes: tuple[NodeTerms, ...] = ()
    customers: tuple[CustomerTerms, ...] = ()
    version: int = field(default=0, compare=False)
    of_customer: CustomerTerms | None = field(default=None, compare=False)

    def of(self, warehouse_id: str) -> NodeTerms:
        """The terms of a warehouse, for the customer it is for; nothing extra where none are set."""
        found = next((one for one in self.nodes if one.warehouse_id == warehouse_id), NodeTerms(warehouse_id))
        theirs = self.of_customer
        if theirs is None:
            return found
        is_other = bool(theirs.preferred) and warehouse_id not in theirs.preferred
        return replace(
            found,
            avoidance_minor=found.avoidance_minor + (theirs.preference_minor if is_other else 0),
            is_excluded=found.is_excluded or warehouse_id in theirs.excluded,
        )

    def for_customer(self, customer_id: str) -> SourcingPolicy:
        """The policy as it holds for one customer's orders."""
        theirs = next((one for one in self.customers if customer_id and one.customer_id == customer_id), None)
        if theirs is None:
            return self
        splits = 0 if theirs.is_never_split else self.maximum_splits
        return replace(self, maximum_splits=splits, of_customer=theirs)


@dataclass(frozen=True, slots=True)
class CostParts:
    """A cost in minor units, part by part."""

    freight: int = 0
    handling: int = 0
    fees: int = 0
    splits: int = 0
    lateness: int = 0
    avoidance: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return sum(getattr(self, part.name) for part in fields(self))

    def __add__(self, other: CostParts) -> CostParts:
        return CostParts(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))


@dataclass(frozen=True, slots=True)
class Option:
    """One carrier's way from one warehouse under the policy; `fixed_minor` is what it costs before the first unit."""

    warehouse_id: str
    tariff: Tariff
    terms: NodeTerms
    late_day_minor: int
    delay: str = ""

    @property
    def fixed_minor(self) -> int:
        """Base freight, order fee, lateness and avoidance of one shipment."""
        return self.cost(0, 0).total

    @property
    def per_unit_minor(self) -> int:
        """Handling and fee of each unit."""
        return self.tariff.per_unit_minor + self.terms.unit_fee_minor

    def unit_cost(self, grams: int) -> int:
        """Thousandths of a minor unit that a unit of this weight adds, were kilograms charged by the gram."""
        return GRAMS_PER_KG * self.per_unit_minor + self.tariff.per_kg_minor * grams

    def cost(self, units: int, grams: int) -> CostParts:
        """What a shipment costs: each started kilogram is a whole one."""
        return CostParts(
            freight=self.tariff.base_minor + self.tariff.per_kg_minor * -(-grams // GRAMS_PER_KG),
            handling=self.tariff.per_unit_minor * units,
            fees=self.terms.order_fee_minor + self.terms.unit_fee_minor * units,
            lateness=self.late_day_minor * self.tariff.late_days,
            avoidance=self.terms.avoidance_minor,
        )


def options(candidates: Iterable[Candidate], policy: SourcingPolicy) -> tuple[Option, ...]:
    """Every way that may be the best of its warehouse for some load, by warehouse and carrier; none of excluded warehouses."""
    found: list[Option] = []
    for candidate in sorted(candidates, key=lambda one: one.warehouse_id):
        terms = policy.of(candidate.warehouse_id)
        if not terms.is_excluded:
            ways = candidate.tariffs or (Tariff(base_minor=candidate.cost_minor),)
            found += _undominated(
                [
                    Option(candidate.warehouse_id, way, terms, policy.late_day_minor, candidate.delay)
                    for way in sorted(ways, key=_name)
                ]
            )
    return tuple(found)


def without_excluded(candidates: Sequence[Candidate], policy: SourcingPolicy) -> tuple[Candidate, ...]:
    """The candidates that the policy lets serve."""
    return tuple(one for one in candidates if not policy.of(one.warehouse_id).is_excluded)


def with_barred(
    candidates: Sequence[Candidate], policy: SourcingPolicy, hazardous: Collection[str]
) -> tuple[Candidate, ...]:
    """The candidates, each with the dangerous goods of the order that it may not give."""
    skus = tuple(sorted(hazardous))
    return tuple(
        replace(one, barred=skus if policy.of(one.warehouse_id).excludes_hazardous else ()) for one in candidates
    )


def within_splits(
    candidates: Sequence[Candidate], used: Iterable[str], maximum_splits: int | None
) -> tuple[Candidate, ...]:
    """Who may fill the order's backorders: where splits are limited and something is held, no more places than that allows.

    The places that hold something come first, then the cheapest.
    """
    places = set(used)
    if maximum_splits is None or not places:
        return tuple(candidates)
    ranked = sorted(candidates, key=lambda one: (one.warehouse_id not in places, one.cost_minor, one.warehouse_id))
    kept = {one.warehouse_id for one in ranked[: maximum_splits + 1]} | places
    return tuple(one for one in candidates if one.warehouse_id in kept)


def is_stepped(ways: Iterable[Option], weights: Mapping[str, int]) -> bool:
    """Whether splitting a load may cost more than its parts weigh: kilograms are charged and some unit is no whole number of them."""
    is_uneven = any(grams % GRAMS_PER_KG for grams in weights.values())
    return is_uneven and any(way.tariff.per_kg_minor for way in ways)


def _name(tariff: Tariff) -> tuple[str, int, int, int, str]:
    return tariff.carrier, tariff.base_minor, tariff.per_kg_minor, tariff.per_unit_minor, tariff.promised_on


def _undominated(ways: Sequence[Option]) -> list[Option]:
    kept: list[Option] = []
    for way in ways:
        if not any(_is_as_good(other, way) for other in kept):
            kept = [*(other for other in kept if not _is_as_good(way, other)), way]
    return kept


def _is_as_good(one: Option, other: Option) -> bool:
    return (
        one.fixed_minor <= other.fixed_minor
        and one.tariff.per_kg_minor <= other.tariff.per_kg_minor
        and one.tariff.per_unit_minor <= other.tariff.per_unit_minor
        and one.tariff.promised_on <= other.tariff.promised_on
    )
