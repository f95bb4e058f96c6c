"""The collector is away, or takes connections and never answers, under load: orders come to the same, and nothing grows without bound."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.faults.journey import Journey, Shop
from tests.faults.load import under_load
from tests.faults.running import PROCESSES, RunningSystem
from tests.faults.summary import differences
from tests.telemetry.test_collector import STOPS_WITHIN_S, refusing_address, silent_address

FACTOR = 3.0
"""Processes stop one after the other beside the rest of the system, on a machine that others use."""
ENDS_WITHIN_S = 60.0
MORE_OPEN = 20
"""Files and sockets: connections between processes come and go, an exporter has one."""
MORE_THREADS = 16
MORE_BYTES = 32 << 20
"""Python's own growth under its first load; 2,048 waiting spans, which is all that a process keeps, are less than 4 MiB."""

Address = Callable[[], AbstractContextManager[str]]


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds."""

    files: int
    threads: int
    resident: int

    def grown(self, before: Held) -> list[str]:
        """What has grown more than it may."""
        bounds = {"files": MORE_OPEN, "threads": MORE_THREADS, "resident": MORE_BYTES}
        return [
            f"{name}: {getattr(before, name)} -> {getattr(self, name)}"
            for name, most in bounds.items()
            if getattr(self, name) - getattr(before, name) > most
        ]


def held(running: RunningSystem) -> Mapping[str, Held]:
    """What each process of ours holds now."""
    found = {}
    for name in PROCESSES:
        process = psutil.Process(running.pid(name))
        found[name] = Held(process.num_fds(), process.num_threads(), process.memory_info().rss)
    return found


@contextmanager
def traced(folder: Path, address: Address) -> Iterator[RunningSystem]:
    """A system that keeps every trace and sends it to this address."""
    with (
        address() as endpoint,
        RunningSystem(folder, notified={"OMS_OTLP_ENDPOINT": endpoint, "OMS_TRACE_RATIO": "1"}) as running,
    ):
        yield running


def placed(shop: Shop, orders: int, per_s: float) -> list[Journey]:
    """Orders that came at this pace, each with its warehouse by now."""
    with under_load(shop, orders, per_s) as load:
        pass
    assert set(load.answers) <= {201, 202}, load.answers
    return [*load.released()]


def finished(journey: Journey) -> Journey:
    journey.ship()
    journey.finish()
    return journey


def said_away(running: RunningSystem) -> int:
    """How many processes have said that their collector is away."""
    return sum("collector.away" in running.log(name) for name in PROCESSES)


ADDRESSES = pytest.mark.parametrize("address", [refusing_address, silent_address])


@pytest.mark.prove
@pytest.mark.timeout(400)
@ADDRESSES
def test_under_load_a_collector_that_is_away_changes_no_order_and_makes_nothing_grow(
    address: Address, shop: Shop, tmp_path: Path
) -> None:
    wanted = Journey(shop, shop.goods()).travel()

    with traced(tmp_path, address) as running:
        theirs = Shop(running)
        first = placed(theirs, orders=20, per_s=2)
        before = held(running)
        placed(theirs, orders=40, per_s=2)
        after = held(running)
        outcomes = [finished(journey).came_to() for journey in first[:3]]

        grown = {name: more for name, now in after.items() if (more := now.grown(before[name]))}
        unlike = [found for got in outcomes if (found := differences(wanted, got))]
        for name, now in after.items():
            print(f"{name:14} {before[name]} -> {now}")
        assert said_away(running) == len(PROCESSES)
        assert grown == {}
        assert unlike == []
        theirs.trade().until_audit_is_clean()


@pytest.mark.prove
@pytest.mark.quiet
@pytest.mark.timeout(400)
@ADDRESSES
def test_every_process_whose_collector_is_away_stops_at_once(address: Address, tmp_path: Path) -> None:
    with traced(tmp_path, address) as running:
        journeys = placed(Shop(running), orders=5, per_s=2)
        took_s = {name: stop(running, name) for name in reversed(PROCESSES)}
        running.wait_ready()
        finished(journeys[0])

    print({name: f"{seconds:.1f} s" for name, seconds in took_s.items()})
    assert {name: seconds for name, seconds in took_s.items() if seconds > FACTOR * STOPS_WITHIN_S} == {}


def stop(running: RunningSystem, name: str) -> float:
    """SIGTERM; the seconds until the process has ended."""
    deaths, began = running.restarts(name), time.monotonic()
    running.send(name, signal.SIGTERM)
    running.wait_for(lambda: running.restarts(name) > deaths or None, f"the end of {name}", ENDS_WITHIN_S)
    return time.monotonic() - began
