from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.figures import percentile

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
    tiny = ["--orders", "4", "--at-once", "2", "--seconds", "1", "--samples", "1", "--open-orders", "2"]

    code = bench.main([*tiny, "--json", str(found)])

    figures = json.loads(found.read_text())
    assert code == 0
    assert figures["order_to_cash"]["orders"] == 4
    assert figures["order_to_cash"]["ratio"] > 0
    assert figures["frame"]["ratio"] > 0
    assert figures["posting"]["requests"] == 3
    assert figures["footprint"]["after_work"]["pss_mb"] > 0
    # a history holds no document: its size depends on the number of digits in ids and totals at most
    # (two facts that come at once are one turn, and some events less)
    rows = figures["growth"]["by_lines"]
    sizes = [
        row["history_bytes"] for row in rows if row["history_events"] == max(each["history_events"] for each in rows)
    ]
    assert max(sizes) - min(sizes) < 100
    assert max(row["history_bytes"] for row in rows) <= 8 * 1024
