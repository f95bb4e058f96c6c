"""Temporal's database is lost, and while orders come and lost ones are repaired every process is killed at random."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from tests.faults.journey import Journey, Shop
from tests.faults.load import under_load
from tests.faults.summary import Differences, differences
from tests.faults.test_hung import continued, stopped
from tests.faults.watched import EVERY_PROCESS, WatchedSystem
from tests.system.harness import System
from tests.system.states import SCARCE, Company, begin, end_of, go_on_unheard, live_to_the_end
from tests.system.test_temporal_lost import differences as unlike
from tests.system.test_temporal_lost import lived_undisturbed
from tests.system.trade import Trade
from tests.threads import Crew

ROOT = Path(__file__).resolve().parents[2]
CHANCE = "OMS_TEST_CHANCE"
"""The number that the kills come of; a proof prints it, so that the same kills can be asked for again."""
KILLS_WITHIN_S = 240.0
REPAIR_S = 60.0
NOTHING = "nothing to repair"


def chance_of_this_run() -> random.Random:
    seed = int(os.environ.get(CHANCE, random.randrange(10**6)))
    print(f"{CHANCE}={seed}")
    return random.Random(seed)


def repair(running: WatchedSystem) -> str:
    """What `oms repair` says; nothing when it could not be done: nobody was there, and it must be done again."""
    command = [sys.executable, "-m", "cli", "repair"]
    token = running.issuer.token(sub="operator", roles=["admin"])
    env = {**os.environ, "OMS_URL": running.base_url, "OMS_TOKEN": token}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=REPAIR_S)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout if done.returncode == 0 else ""


@contextmanager
def killing(running: WatchedSystem, rounds: int) -> Iterator[threading.Event]:
    """While the block runs, every process is killed so many times; the event says when that is done."""
    chance, is_over = chance_of_this_run(), threading.Event()
    victims = [*EVERY_PROCESS] * rounds
    chance.shuffle(victims)

    def kill() -> None:
        try:
            running.kill_at_random(victims, chance)
        finally:
            is_over.set()

    with Crew(1, KILLS_WITHIN_S) as crew:
        kills = crew.submit(kill)
        yield is_over
        kills.result()


def lose(company: Company, running: WatchedSystem, orders: dict[str, list[str]]) -> None:
    """What happens unheard happens to these orders while the worker stands still, then Temporal forgets everything."""
    pid = stopped(running, "worker")
    try:
        go_on_unheard(company, orders)
        running.lose_temporal()
    finally:
        continued(pid)


def repair_under_kills(running: WatchedSystem, rounds: int) -> list[str]:
    """Repair again and again until all kills are over and nothing is left; what each run said."""
    said = []
    with killing(running, rounds) as is_over:
        while not is_over.is_set():
            running.health.check()
            said.append(repair(running))
    running.wait_ready()
    while NOTHING not in said[-1]:
        running.health.check()
        said.append(repair(running))
    return said


def ends(company: Company, orders: dict[str, list[str]], undisturbed: dict[str, Any]) -> dict[tuple[str, int], Any]:
    """State and place of each order that did not end as an undisturbed one, and in what."""
    found = {
        (name, place): unlike(end_of(company, order_id), undisturbed[name])
        for name, order_ids in orders.items()
        for place, order_id in enumerate(order_ids)
    }
    return {which: difference for which, difference in found.items() if difference}


Changed = tuple[dict[tuple[str, int], Any], list[Differences]]


def changed(running: WatchedSystem, count: int, rounds: int, coming: int) -> Changed:
    """What orders that were repaired, and orders that came meanwhile, come to otherwise than undisturbed ones; all else is asserted here."""
    shop = Shop(running)
    wanted = Journey(shop, shop.goods()).travel()
    with Trade(cast("System", running)) as trade:
        company = Company(trade)
        undisturbed = lived_undisturbed(company)
        orders = begin(company, count)
        every = [order_id for ids in orders.values() for order_id in ids]

        lose(company, running, orders)
        with under_load(shop, coming, 0.5) as load:
            said = repair_under_kills(running, rounds)
        company.idle(*every)
        live_to_the_end(company, every, SCARCE * count)
        outcomes = []
        for journey in load.released():
            journey.ship()
            journey.finish()
            outcomes.append(journey.came_to())

        repaired = sum(text.count("is started again") for text in said)
        print(f"{len(every)} orders, {repaired} started again in {len(said)} repairs; answers {dict(load.answers)}")
        assert repaired > 0
        assert set(load.answers) <= {201, 202, 503, "refused", "cut off", "hung"}
        trade.until_audit_is_clean()
        came = [found for got in outcomes if (found := differences(wanted, got))]
        return ends(company, orders, undisturbed), came


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_orders_repaired_after_the_loss_of_temporal_while_everything_is_killed_end_as_undisturbed_ones(
    tmp_path: Path,
) -> None:
    with WatchedSystem(tmp_path) as running:
        assert changed(running, count=2, rounds=2, coming=10) == ({}, [])
