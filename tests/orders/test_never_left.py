"""A ship confirm is not reversed where a return is to bring its units."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.kernel.errors import Refused
from services.orders.domain.returnable import check_never_left
from tests.orders.desk import Desk
from tests.orders.test_returns import _ask, _delivered


def test_a_shipment_whose_units_a_return_brings_has_left(desk: Desk) -> None:
    order_id = _delivered(desk)
    one = _ask(desk, order_id, 3)
    progress = desk.read(order_id).progress

    check_never_left(progress, [one], "SH-1", {"1": 7})
    with pytest.raises(Refused, match=f"units of SH-1 come back by {one.number}") as refused:
        check_never_left(progress, [one], "SH-1", {"1": 8})
    check_never_left(progress, [replace(one, state="cancelled")], "SH-1", {"1": 10})

    assert refused.value.reason == "RETURN_OPEN"
