from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.figures import Spread, percentile, ratios, spread_ms

SAMPLES = st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1, max_size=50)


def test_a_percentile_is_a_sample_that_was_measured() -> None:
    samples = [5.0, 1.0, 4.0, 2.0, 3.0]

    assert (percentile(samples, 50), percentile(samples, 99), percentile([7.0], 1)) == (3.0, 5.0, 7.0)


@given(SAMPLES, st.floats(min_value=0, max_value=100))
def test_a_percentile_lies_among_the_samples_and_so_many_of_them_are_not_greater(
    samples: list[float], percent: float
) -> None:
    found = percentile(samples, percent)

    assert found in samples
    assert sum(sample <= found for sample in samples) >= len(samples) * percent / 100 - 1e-9


def test_latencies_are_shown_in_milliseconds() -> None:
    assert spread_ms([0.1, 0.3, 0.2]) == {"p50_ms": 200.0, "p99_ms": 300.0, "max_ms": 300.0}


def test_a_spread_is_the_median_and_the_range_which_is_also_a_share_of_the_median() -> None:
    spread = Spread.of([150.0, 140.0, 170.0])

    assert spread == Spread(median=150.0, least=140.0, most=170.0)
    assert spread.relative == 0.2  # 30 of 150
    assert Spread.of([1.26, 1.24]).rounded(1) == {"median": 1.2, "least": 1.2, "most": 1.3}


def test_figures_that_are_all_zero_have_no_spread() -> None:
    assert Spread.of([0.0, 0.0]).relative == 0.0


@given(SAMPLES)
def test_a_median_lies_in_its_range(samples: list[float]) -> None:
    spread = Spread.of(samples)

    assert spread.least <= spread.median <= spread.most


def test_later_figures_are_multiples_of_the_first() -> None:
    assert ratios([60.0, 90.0, 30.0]) == [1.0, 1.5, 0.5]
