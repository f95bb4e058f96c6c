"""Whatever happens to an order, in whatever order, and whoever dies meanwhile: units, goods and money are what plain arithmetic says.

A walk is driven by its seed, which is in its name; a failing one is walked again by
`pytest "tests/whole/test_whole_order.py::test_an_order_is_what_plain_arithmetic_says[17]" -m ""`, and says all that was done.
"""

from __future__ import annotations

import pytest

from tests.whole.acts import live
from tests.whole.ground import Ground

RUNS = 300
TESTED, SLICE = 4, 4


def seeds() -> list[object]:
    """Seeds of all runs: a few for every test run, a few for a build machine, and the rest for a proof."""
    proof, sliced = [pytest.mark.prove], [pytest.mark.prove, pytest.mark.slice]
    return [
        pytest.param(seed, id=str(seed), marks=() if seed < TESTED else sliced if seed < TESTED + SLICE else proof)
        for seed in range(RUNS)
    ]


@pytest.mark.parametrize("seed", seeds())
def test_an_order_is_what_plain_arithmetic_says(ground: Ground, seed: int) -> None:
    live(ground, seed)
