"""The bench as a person runs it, in sizes that say nothing of speed."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from typing import Any

import psutil
import pytest

from bench import __main__ as bench
from bench.parallel import NotInTime
from bench.system import system
from tests.bench.canned import figures as canned
from tests.bench.canned import shape

pytestmark = [pytest.mark.prove, pytest.mark.slice, pytest.mark.timeout(900)]

TINY = "--only a,b,c,d,e,f,h,i --pairs 1 --orders 4 --at-once 2 --seconds 1 --samples 1 --open-orders 2 --parked 2 --waiting 120"


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one run of every part writes down."""
    found = tmp_path_factory.mktemp("bench") / "figures.json"
    assert bench.main([*TINY.split(), "--json", str(found)]) == 0
    read: dict[str, Any] = json.loads(found.read_text())
    return read


def test_every_part_is_measured_and_looks_like_the_canned_document_of_the_cheap_tests(figures: dict[str, Any]) -> None:
    by_process = figures["footprint"]["fresh"]["pss_mb_by_process"]

    assert set(by_process) > {"orders", "temporal", "worker"}
    for used in ("fresh", "after_work"):
        figures["footprint"][used]["pss_mb_by_process"] = {"orders": 0}
    expected = canned()
    del expected["surroundings"]  # four systems more: tests/bench/test_surroundings.py
    assert shape(figures) == shape(expected)


def test_an_order_is_compared_with_its_frame(figures: dict[str, Any]) -> None:
    part = figures["order_to_cash"]

    assert (part["orders"], part["pairs"]) == (4, 1)
    assert part["ratio"]["median"] > 0
    assert isinstance(part["is_believable"], bool)


def test_latencies_and_restarts_are_measured_as_often_as_asked(figures: dict[str, Any]) -> None:
    assert figures["posting"]["requests"] == 3
    assert len(figures["restart"]["first_ms"]) == 3
    assert figures["restart"]["ratio"] > 0
    assert figures["footprint"]["after_work"]["pss_mb"] > 0


def test_a_history_does_not_grow_with_the_lines_of_its_order(figures: dict[str, Any]) -> None:
    rows = figures["growth"]["by_lines"]

    # a history holds no document: its size depends on the number of digits in ids and totals at most
    # (two facts that come at once are one turn, and some events less)
    most = max(row["history_events"] for row in rows)
    sizes = [row["history_bytes"] for row in rows if row["history_events"] == most]
    assert max(sizes) - min(sizes) < 100
    assert max(row["history_bytes"] for row in rows) <= 8 * 1024


def test_a_system_that_does_not_start_in_time_is_ended_with_all_its_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = uuid.uuid4().hex
    monkeypatch.setenv("OMS_BENCH_MARK", mark)  # every process of the system inherits it

    with pytest.raises(NotInTime), system(started_within_s=1.0):
        pytest.fail("it cannot be ready so soon")

    deadline = time.monotonic() + 20
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def marked(mark: str) -> list[psutil.Process]:
    """The processes that were started under a mark."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("OMS_BENCH_MARK") == mark:
                found.append(process)
    return found
