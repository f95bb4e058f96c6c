from __future__ import annotations

from bench.pairs import Pair, Run, in_turn, summary
from tests.bench.canned import BUSY, frame, order_to_cash, ours


def test_ours_and_the_frame_run_in_turn() -> None:
    begun: list[str] = []

    def noted(side: str, run: Run) -> Run:
        begun.append(side)
        return run

    pairs = in_turn(2, lambda n: noted(f"ours {n}", ours()), lambda n: noted(f"frame {n}", frame()))

    assert begun == ["ours 1", "frame 1", "ours 2", "frame 2"]
    assert len(pairs) == 2


def test_the_driver_is_not_part_of_what_an_order_costs() -> None:
    assert (ours().system_ms, ours().cpu_ms["driver"]) == (150.0, 5.0)
    assert Pair(ours(), frame()).ratio == 2.0  # 150 of 75


def test_a_ratio_is_taken_within_a_pair_and_its_median_over_the_pairs() -> None:
    # 150, 165 and 157.5 ms, each beside 75
    found = summary([Pair(ours(orders_ms=orders_ms), frame()) for orders_ms in (60.0, 75.0, 67.5)])

    assert found["ratio"] == {"median": 2.1, "least": 2.0, "most": 2.2}
    assert found["cpu_ms_per_order"]["ours"]["orders"] == {"median": 67.5, "least": 60.0, "most": 75.0}
    assert found["cpu_ms_per_order"]["ours"]["system"] == {"median": 157.5, "least": 150.0, "most": 165.0}
    assert found["cpu_ms_per_order"]["frame"]["system"] == {"median": 75.0, "least": 75.0, "most": 75.0}
    assert [run["ratio"] for run in found["runs"]] == [2.0, 2.2, 2.1]
    assert found["is_believable"] is True


def test_a_loaded_machine_in_one_run_makes_all_of_it_unbelievable() -> None:
    found = order_to_cash(load=BUSY)

    assert found["is_believable"] is False
    assert found["doubts"] == ["other processes took 34% of the cores during pair 2 (ours), where 10% is allowed"]
    assert [run["ours"]["others_share"] for run in found["runs"]] == [0.03, 0.34, 0.03]


def test_pairs_that_lie_far_apart_are_unbelievable_too() -> None:
    # 150 and 210 ms: 60 of the median 180 is a third, of the ratios (2 and 2.8, median 2.4) as well
    found = summary([Pair(ours(), frame()), Pair(ours(orders_ms=120.0), frame())])

    assert found["doubts"] == [
        "the CPU of an order (ours) ranges over 33% of its median, where 20% is allowed",
        "the ratio ranges over 33% of its median, where 20% is allowed",
    ]


def test_one_pair_has_figures_without_a_range() -> None:
    found = summary([Pair(ours(), frame())])

    assert found["ratio"] == {"median": 2.0, "least": 2.0, "most": 2.0}
