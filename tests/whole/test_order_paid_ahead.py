"""The same for an order that is paid before it ships or by card; `test_order_on_terms.py` says more.

`pytest "tests/whole/test_order_paid_ahead.py::test_an_order_paid_ahead_is_plain_arithmetic[1017]" -m ""` walks one again.
"""

from __future__ import annotations

import pytest

from tests.whole.acts import live, seeds
from tests.whole.ground import Ground


@pytest.mark.parametrize("seed", seeds(1000, 150))
def test_an_order_paid_ahead_is_plain_arithmetic(ground: Ground, seed: int) -> None:
    walk = live(ground, seed, "prepaid", "card")

    assert walk.has_come_to_rest()
    assert walk.wrong() == {}
