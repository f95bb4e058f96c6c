"""Whatever happens to an order on terms, in whatever order, and whoever dies meanwhile: units, goods and money are plain arithmetic.

A walk is driven by its seed, which is in its name; a failing one says all that was done, and is walked again by
`pytest "tests/whole/test_order_on_terms.py::test_an_order_on_terms_is_plain_arithmetic[17]" -m ""`. One paid ahead is beside this.
"""

from __future__ import annotations

import pytest

from tests.whole.acts import live, seeds
from tests.whole.ground import Ground


@pytest.mark.parametrize("seed", seeds(0, 150))
def test_an_order_on_terms_is_plain_arithmetic(ground: Ground, seed: int) -> None:
    walk = live(ground, seed, "terms")

    assert walk.has_come_to_rest()
    assert walk.wrong() == {}
