from __future__ import annotations

import io
import re

from rich.console import Console

from bench import report
from bench.machine import TOO_LOADED
from tests.bench.canned import BUSY, figures


def shown(document: dict[str, object]) -> str:
    """What a person sees, blanks squeezed."""
    out = Console(file=io.StringIO(), width=200, highlight=False)
    report.show(document, out)
    assert isinstance(out.file, io.StringIO)
    return re.sub(r" +", " ", out.file.getvalue())


def test_every_part_has_its_table() -> None:
    text = shown(figures())

    assert [part for part in "abcdefghi" if f"({part})" in text] == ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
    assert TOO_LOADED not in text
    assert text.count("others took at most 3% of the cores meanwhile") == 9


def test_a_change_is_shown_as_a_ratio_to_the_placing_of_as_many_lines() -> None:
    assert "ratio of the change to the placing 1.60 ≤ 2.00 met" in shown(figures())


def test_an_order_is_shown_by_process_beside_its_frame_with_the_ratio_last() -> None:
    rows = [line.strip() for line in shown(figures()).splitlines()]

    first = rows.index("process ours frame difference")
    assert rows[first + 1] == "orders 60.0 (60.0–60.0) 14.0 (14.0–14.0) 46.0"
    assert "mail 3.0 (3.0–3.0) 3.0" in rows
    end = rows.index("all of the system 150.0 (150.0–150.0) 75.0 (75.0–75.0) 75.0")
    assert rows[end + 1] == "the driver, not counted 5.0 (5.0–5.0) 4.0 (4.0–4.0) 1.0"
    assert rows[end + 2] == "ratio of ours to the frame 2.00 (2.00–2.00)"
    assert "orders/s 12.6 (12.6–12.6) 12.6 (12.6–12.6)" in rows


def test_traces_and_production_are_shown_beside_the_same_without_them() -> None:
    rows = [line.strip() for line in shown(figures()).splitlines()]

    first = rows.index("process without traces traces kept collector away production")
    assert rows[first + 1] == "orders 60.0 69.0 63.0 60.0"
    assert "postgres 60.0" in rows
    assert "all of the system 150.0 159.0 153.0 210.0" in rows
    assert "traces kept 1.06 (1.06–1.06) ≤ 1.10 met" in rows
    assert "production 1.40 (1.40–1.40) ≤ 1.50 met" in rows


def test_figures_of_a_loaded_machine_are_shown_with_the_warning_beside_them() -> None:
    text = shown(figures(load=BUSY))

    assert f"{TOO_LOADED}: other processes took 34% of the cores during pair 2 (ours)" in text
    assert text.count(TOO_LOADED) == 1
    assert text.index("ratio of ours to the frame") < text.index(TOO_LOADED) < text.index("(b) POST")


def test_parts_that_were_not_measured_are_not_shown() -> None:
    document = figures()
    only = {name: document[name] for name in ("machine", "restart")}

    assert "(f)" in shown(only)
    assert "(a)" not in shown(only)


def test_a_long_queue_is_answered_within_its_time_and_others_wait_at_most_twice_as_long() -> None:
    rows = [line.strip() for line in shown(figures()).splitlines()]

    assert "an announcement 0.33 s met 5.2 s 18.0 ms met" in rows
    assert "goods 0.03 s met 4.1 s 30.0 ms missed" in rows


def test_others_posts_beside_a_hot_sku_are_shown_as_a_ratio_to_those_alone() -> None:
    rows = [line.strip() for line in shown(figures()).splitlines()]

    assert "an announcement 0.4 s 120 ms 300 ms 1.50 ≤ 2.00 met" in rows
    assert "goods 0.2 s 150 ms 500 ms 2.50 ≤ 2.00 missed" in rows
    assert "nothing 90 ms 200 ms" in rows


def test_sourcing_shows_cpu_beside_its_target_and_how_good_the_plan_is() -> None:
    rows = [line.strip() for line in shown(figures()).splitlines()]

    assert "adds up 0.2 s ≤ 0.3 s met 0.0 %" in rows
    assert "has steps 1.6 s ≤ 1.5 s missed 0.12 %" in rows
