"""A step of a walk: something that can happen now happens, perhaps while somebody dies, and is checked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from _pytest.mark import ParameterSet

from tests.system.harness import SERVICES
from tests.system.trade import eventually
from tests.whole import exchanging, money, returning, selling
from tests.whole.ground import Ground
from tests.whole.walk import Options, Walk

STEPS = 12
CRASHES, RESTARTS = 0.3, 0.3
MOST_SEAMS = 25
SPANS = (timedelta(hours=1), timedelta(hours=5), timedelta(days=1), timedelta(days=3))


def live(ground: Ground, seed: int, *methods: str) -> Walk:
    """One order from placed to its end, as the seed has it, paid in one of these ways; what was done is said in any case."""
    ground.system.skipped = timedelta()
    walk = Walk(ground, seed, methods)
    selling.place(walk)
    try:
        walk.settle()
        while len(walk.done) < STEPS and not walk.is_over():
            step(walk)
        finish(walk)
    except BaseException:
        ground.left += [walk.number, walk.order_id, *(one["number"] for one in walk.replacements)]
        raise
    finally:
        ground.faults.arm(0)
        print(f"seed {seed}, {walk.method}, {walk.number}: {'; '.join(walk.done)}", file=sys.stderr)
    return walk


def seeds(first: int, count: int) -> list[ParameterSet]:
    """Seeds of so many runs: two for every test run, two for a build machine, and the rest for a proof."""
    proof, sliced = (pytest.mark.prove,), (pytest.mark.prove, pytest.mark.slice)
    marks = [(), (), sliced, sliced, *[proof] * count][:count]
    return [pytest.param(first + one, id=str(first + one), marks=mark) for one, mark in enumerate(marks)]


def options(walk: Walk) -> Options:
    """Everything that can happen now."""
    back = [*returning.options(walk), *exchanging.options(walk)]
    return [*selling.options(walk), *money.options(walk), *back, *_around(walk)]


def _around(walk: Walk) -> Options:
    """What happens around an order: a service is started anew, and time passes."""
    found: Options = [(1, "restart", partial(_restart, walk))] if walk.chance.random() < RESTARTS else []
    if not walk.has_ended():
        found.append((1, "time passes", partial(_pass_time, walk, walk.chance.choice(SPANS))))
    return found


def _restart(walk: Walk) -> None:
    name = walk.chance.choice(SERVICES)
    walk.ground.system.stop_service(name)
    walk.ground.system.start_service(name)
    eventually(walk.ground.must_be_ready)


def _pass_time(walk: Walk, span: timedelta) -> None:
    walk.ground.system.skip(walk.order_id, span)


def step(walk: Walk) -> None:
    """One thing happens."""
    can = options(walk)
    (_, name, act) = walk.chance.choices(can, [weight for weight, _, _ in can])[0]
    crash = walk.chance.randint(1, MOST_SEAMS) if walk.chance.random() < CRASHES else 0
    do(walk, name, act, crash)


def do(walk: Walk, name: str, act: Callable[[], None], crash: int = 0) -> None:
    """Do it, wait until nothing is under way, and check."""
    faults = walk.ground.faults
    deaths = len(faults.struck)
    walk.done.append(name)
    faults.arm(crash)
    try:
        act()
        walk.settle()
    finally:
        faults.arm(0)
        if struck := faults.struck[deaths:]:
            walk.done[-1] += f" (died at {', '.join(struck)})"
    walk.take_answers()
    walk.check()


def finish(walk: Walk) -> None:
    """Live the order to its end, whatever it takes."""
    for _ in range(40):
        if walk.has_come_to_rest():
            return
        (_, name, act) = _next(walk)
        do(walk, name, act)
    raise AssertionError(f"{walk.number} does not end: {walk.order['phase']}, {walk.order['waiting_for']}")


ONWARD = (
    "approve", "release", "give back", "accept the change", "pay ahead", "send off", "deliver", "pay", "authorize",
    "inspect", "let it expire", "refund the return",
)  # fmt: skip


def _next(walk: Walk) -> tuple[int, str, Callable[[], None]]:
    can = options(walk)
    for verb in ONWARD:
        for one in can:
            if one[1].split(" credit")[0].startswith(verb) and one[1] != "pay in part":
                return one
    for line_id in walk.model.lines:
        if units := walk.backordered(line_id):
            return 1, "receive the rest", partial(selling.receive, walk, line_id, walk.ground.warehouses[0], units)
    raise AssertionError(f"nobody can do anything for {walk.number}: {walk.order['waiting_for']}")
