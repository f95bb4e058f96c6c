"""Every process is told to stop while orders keep coming: it finishes what it has in hand, and nobody notices but by a 503."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from functools import partial

import pytest

from tests.faults.journey import Journey, Shop
from tests.faults.load import under_load
from tests.faults.running import PROCESSES, RunningSystem
from tests.faults.summary import Differences, differences


def stop_in_turn(running: RunningSystem, names: Sequence[str]) -> None:
    """SIGTERM to each, one after the other has come back."""
    for name in names:
        deaths = running.restarts(name)
        running.send(name, signal.SIGTERM)
        came_back = partial(_has_restarted, running, name, deaths)
        running.wait_for(came_back, f"the end of {name}", 40)
        running.wait_ready()


def _has_restarted(running: RunningSystem, name: str, deaths: int) -> bool | None:
    return running.restarts(name) > deaths or None


def changed(shop: Shop, orders: int, per_s: float, names: Sequence[str], finished: int) -> list[Differences]:
    """What orders that were placed while processes stopped come to otherwise than an undisturbed one; all else is asserted here."""
    running = shop.running
    wanted = Journey(shop, shop.goods()).travel()
    stops_before = {name: stops(running, name) for name in names}

    with under_load(shop, orders, per_s) as load:
        time.sleep(0.5)
        stop_in_turn(running, names)
    released = load.released()
    outcomes = [finish(journey).came_to() for journey in released[:finished]]

    print(f"answers {dict(load.answers)}, slowest {load.slowest_s:.2f} s")
    assert set(load.answers) <= {201, 202, 503, "refused"}
    assert {name: stops(running, name) - stops_before[name] for name in names} == dict.fromkeys(names, 1)
    shop.trade().until_audit_is_clean()
    return [found for got in outcomes if (found := differences(wanted, got))]


def finish(journey: Journey) -> Journey:
    """Walk an order to its end."""
    journey.ship()
    journey.finish()
    return journey


def stops(running: RunningSystem, name: str) -> int:
    """How often the process has said that it stopped in order."""
    return running.log(name).count('"worker.stopped"' if name == "worker" else '"service.stopped"')


def test_a_stop_under_load_loses_no_order(shop: Shop) -> None:
    assert changed(shop, orders=10, per_s=5, names=("inventory", "worker"), finished=2) == []


@pytest.mark.prove
@pytest.mark.timeout(300)
def test_a_stop_of_every_process_under_load_loses_no_order(shop: Shop) -> None:
    assert changed(shop, orders=60, per_s=3, names=PROCESSES, finished=6) == []
