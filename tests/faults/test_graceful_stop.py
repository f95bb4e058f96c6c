"""Every process is told to stop while orders keep coming: it finishes what it has in hand, and nobody notices but by a 503."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence

import pytest

from tests.faults.house import PROCESSES, House
from tests.faults.journey import Journey, Shop
from tests.faults.load import under_load
from tests.faults.summary import differences


def stop_in_turn(house: House, names: Sequence[str]) -> None:
    """SIGTERM to each, one after the other has come back."""
    for name in names:
        deaths = house.restarts(name)
        house.send(name, signal.SIGTERM)
        house.wait_for(lambda name=name, deaths=deaths: house.restarts(name) > deaths or None, f"the end of {name}", 40)  # type: ignore[misc]  # mypy knows no defaults of a lambda
        house.wait_ready()


def survives_stops(shop: Shop, orders: int, per_s: float, names: Sequence[str], finished: int) -> None:
    """Stop processes under load; every order goes on as if nobody had stopped."""
    house = shop.house
    wanted = Journey(shop, shop.goods()).travel()
    stops_before = {name: stops(house, name) for name in names}

    with under_load(shop, orders, per_s) as load:
        time.sleep(0.5)
        stop_in_turn(house, names)
    released = load.released()
    outcomes = [finish(journey) for journey in released[:finished]]

    print(f"answers {dict(load.answers)}, slowest {load.slowest_s:.2f} s")
    assert set(load.answers) <= {201, 202, 503, "refused"}
    assert {name: stops(house, name) - stops_before[name] for name in names} == dict.fromkeys(names, 1)
    assert [found for got in outcomes if (found := differences(wanted, got.came_to()))] == []
    shop.trade().until_audit_is_clean()


def finish(journey: Journey) -> Journey:
    """Walk an order to its end."""
    journey.ship()
    journey.finish()
    return journey


def stops(house: House, name: str) -> int:
    """How often the process has said that it stopped in order."""
    return house.log(name).count('"worker.stopped"' if name == "worker" else '"service.stopped"')


def test_a_stop_under_load_loses_no_order(shop: Shop) -> None:
    survives_stops(shop, orders=10, per_s=5, names=("inventory", "worker"), finished=2)


@pytest.mark.prove
@pytest.mark.timeout(300)
def test_a_stop_of_every_process_under_load_loses_no_order(shop: Shop) -> None:
    survives_stops(shop, orders=60, per_s=3, names=PROCESSES, finished=6)
