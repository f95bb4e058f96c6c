"""Random small orders to source, and the best plan for each, found by trying every split of every unit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from random import Random

from services.inventory.domain.sourcing import Problem, Solution, solution
from services.inventory.domain.tariffs import Candidate, NodeTerms, Option, SourcingPolicy, Tariff, options


def order_to_source(seed: int, *, stepped: bool) -> Problem:
    """Up to four warehouses with up to two carriers each, fees, exclusions, limits, and stock that is often short."""
    rng = Random(seed)
    nodes = [f"w{number}" for number in range(rng.randint(1, 4))]
    skus = "ABC"[: rng.randint(1, 2 if stepped else 3)]
    policy = SourcingPolicy(
        rng.randint(0, 3), rng.randint(0, 2), rng.choice([None, None, 0, 1]), tuple(_terms(rng, nodes))
    )
    opened = frozenset(node for node in nodes if rng.random() < 0.15)
    return Problem(
        wanted={sku: rng.randint(1, 5) for sku in skus},
        available={sku: {node: rng.randint(0, 4) for node in nodes} for sku in skus},
        weights={sku: rng.choice([300, 700, 1500] if stepped else [0, 1000, 2000]) for sku in skus},
        ways=options([Candidate(node, 0, tuple(_tariffs(rng, stepped=stepped))) for node in nodes], policy),
        split_penalty_minor=policy.split_penalty_minor,
        most=None if policy.maximum_splits is None else max(0, policy.maximum_splits + 1 - len(opened)),
        opened=opened,
    )


def _tariffs(rng: Random, *, stepped: bool) -> Iterator[Tariff]:
    for number in range(rng.randint(1, 2)):
        per_kg = rng.randint(0, 3) if stepped or rng.random() < 0.5 else 0
        day = rng.choice(["2026-01-01", "2026-01-02"])
        yield Tariff(f"c{number}", rng.randint(0, 6), per_kg, rng.randint(0, 2), day, rng.randint(0, 1))


def _terms(rng: Random, nodes: list[str]) -> Iterator[NodeTerms]:
    for node in nodes:
        if rng.random() < 0.4:
            yield NodeTerms(node, rng.randint(0, 2), rng.randint(0, 1), rng.randint(0, 2), rng.random() < 0.1)


def best_by_trying_all(asked: Problem) -> Solution:
    """The plan that ranks first of all."""
    return min((plan for ways in _sets(asked) for plan in _plans(asked, ways)), key=lambda plan: plan.rank)


def _sets(asked: Problem) -> Iterator[tuple[Option, ...]]:
    for size in range(len(asked.ways) + 1):
        for ways in combinations(asked.ways, size):
            places = {way.warehouse_id for way in ways}
            if len(places) == size and (asked.most is None or len(places - asked.opened) <= asked.most):
                yield ways


def _plans(asked: Problem, ways: tuple[Option, ...]) -> Iterator[Solution]:
    """Every way to split the units that these ways can give."""
    splits = []
    for sku, units in asked.wanted.items():
        free = [asked.available[sku].get(way.warehouse_id, 0) for way in ways]
        most = min(units, sum(free))
        splits.append(
            [given for given in product(*(range(min(there, most) + 1) for there in free)) if sum(given) == most]
        )
    for chosen in product(*splits):
        loads: dict[Option, dict[str, int]] = {way: {} for way in ways}
        for sku, given in zip(asked.wanted, chosen, strict=True):
            for way, units in zip(ways, given, strict=True):
                if units:
                    loads[way][sku] = units
        yield solution(asked, loads)
