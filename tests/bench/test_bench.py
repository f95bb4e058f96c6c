from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.figures import percentile
from bench.ports import END, FIRST, free_port, free_ports

pytestmark = pytest.mark.timeout(300)


def test_a_percentile_is_a_sample_that_was_measured() -> None:
    samples = [5.0, 1.0, 4.0, 2.0, 3.0]

    assert (percentile(samples, 50), percentile(samples, 99), percentile([7.0], 1)) == (3.0, 5.0, 7.0)


def test_sizes_that_are_not_given_are_the_full_or_the_quick_ones() -> None:
    assert (bench.parse([]).orders, bench.parse(["--quick"]).orders, bench.parse(["--orders", "7"]).orders) == (
        150,
        40,
        7,
    )


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.parse(["--only", "a,z"])

    assert "no such part: z" in capsys.readouterr().err


def test_every_part_measures_a_system_of_real_processes(tmp_path: Path) -> None:
    found = tmp_path / "figures.json"
    tiny = [
        "--orders",
        "4",
        "--at-once",
        "2",
        "--seconds",
        "1",
        "--samples",
        "1",
        "--open-orders",
        "2",
        "--parked",
        "2",
    ]

    code = bench.main([*tiny, "--json", str(found)])

    figures = json.loads(found.read_text())
    assert code == 0
    assert figures["order_to_cash"]["orders"] == 4
    assert figures["order_to_cash"]["ratio"] > 0
    assert figures["frame"]["ratio"] > 0
    assert figures["posting"]["requests"] == 3
    assert figures["restart"]["ratio"] > 0
    assert len(figures["restart"]["first_ms"]) == 3
    assert figures["footprint"]["after_work"]["pss_mb"] > 0
    # a history holds no document: its size depends on the number of digits in ids and totals at most
    # (two facts that come at once are one turn, and some events less)
    rows = figures["growth"]["by_lines"]
    sizes = [
        row["history_bytes"] for row in rows if row["history_events"] == max(each["history_events"] for each in rows)
    ]
    assert max(sizes) - min(sizes) < 100
    assert max(row["history_bytes"] for row in rows) <= 8 * 1024


def test_a_port_is_given_once_and_below_those_of_outgoing_connections() -> None:
    first, second = (set(free_ports().by_name().values()) for _ in range(2))

    assert len(first | second) == 2 * len(first)
    assert all(FIRST <= port < END for port in first | second)


def test_another_process_is_given_other_ports() -> None:
    mine = {free_port() for _ in range(50)}
    command = "from bench.ports import free_port; print(*(free_port() for _ in range(3000)))"

    theirs = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True).stdout

    assert not mine & set(map(int, theirs.split()))
