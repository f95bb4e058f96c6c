from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.domain.adjusting import Change, Holding, change
from services.inventory.domain.allocation import Allocation, LineDemand
from services.inventory.domain.tariffs import Candidate
from services.kernel.errors import Refused

CHEAP, DEAR = Candidate("w1", 900), Candidate("w2", 1000)


def test_a_line_gives_up_its_backorder_before_what_it_holds() -> None:
    holding = Holding("l1", "A", waiting=3, held={"w1": 5, "w2": 4})

    wanted = change([LineDemand("l1", "A", 7)], [holding], [CHEAP, DEAR], {})

    # 12 had, 7 wanted: 3 waited for no more, then 2 from the dearer warehouse
    assert wanted == Change((LineDemand("l1", "A", 3),), (Allocation("l1", "A", "w2", 2),))


def test_a_warehouse_that_cannot_serve_the_order_any_more_gives_up_first() -> None:
    holding = Holding("l1", "A", held={"w1": 5, "w2": 5, "w0": 5})

    wanted = change([LineDemand("l1", "A", 6)], [holding], [CHEAP, DEAR], {})

    assert wanted.freed == (Allocation("l1", "A", "w0", 5), Allocation("l1", "A", "w2", 4))


def test_what_shipments_carry_stays_where_it_is() -> None:
    holding = Holding("l1", "A", held={"w1": 5, "w2": 4}, shipped={"w2": 2})

    # the shipments from w2 carry 6: 2 of them have left, so all 4 that are held there are in a shipment
    wanted = change([LineDemand("l1", "A", 9)], [holding], [CHEAP, DEAR], {("l1", "w2"): 6})

    assert wanted.freed == (Allocation("l1", "A", "w1", 2),)


def test_units_in_shipments_are_recalled_before_they_are_given_up() -> None:
    holding = Holding("l1", "A", held={"w1": 5})

    with pytest.raises(Refused, match="2 units of line l1 to be given up are in shipments: recall them first") as no:
        change([LineDemand("l1", "A", 2)], [holding], [CHEAP], {("l1", "w1"): 4})

    assert no.value.reason == "RECALL_FIRST"


def test_nothing_that_has_shipped_is_wanted_less() -> None:
    holding = Holding("l1", "A", held={"w1": 5}, shipped={"w1": 3})

    for asked in ([LineDemand("l1", "A", 2)], []):
        with pytest.raises(Refused) as refusal:
            change(asked, [holding], [CHEAP], {})
        assert refusal.value.reason == "BELOW_SHIPPED"


def test_a_line_that_is_not_named_is_wanted_no_more_and_a_new_one_is_added() -> None:
    wanted = change([LineDemand("l2", "B", 4)], [Holding("l1", "A", held={"w1": 5})], [CHEAP], {})

    assert wanted == Change((), (Allocation("l1", "A", "w1", 5),), (LineDemand("l2", "B", 4),))


def test_a_line_keeps_its_sku() -> None:
    with pytest.raises(Refused) as refusal:
        change([LineDemand("l1", "B", 5)], [Holding("l1", "A", held={"w1": 5})], [CHEAP], {})

    assert refusal.value.reason == "LINE_SKU_CHANGED"


PLACES = st.dictionaries(st.sampled_from(["w1", "w2", "w3"]), st.integers(1, 9), max_size=3)


@given(PLACES, PLACES, st.integers(0, 9), st.integers(0, 60), st.integers(0, 9))
def test_after_a_change_each_line_has_what_is_wanted_or_the_change_is_refused(
    held: dict[str, int], shipped: dict[str, int], waiting: int, asked: int, in_shipments: int
) -> None:
    holding = Holding("l1", "A", waiting, held, shipped)
    carried = {("l1", place): units + min(in_shipments, held.get(place, 0)) for place, units in shipped.items()}
    least = sum(shipped.values()) + sum(
        min(units, in_shipments) for place, units in held.items() if ("l1", place) in carried
    )

    if asked < least:
        with pytest.raises(Refused) as refusal:
            change([LineDemand("l1", "A", asked)], [holding], [CHEAP, DEAR], carried)
        assert (refusal.value.reason == "BELOW_SHIPPED") == (asked < sum(shipped.values()))
        return
    wanted = change([LineDemand("l1", "A", asked)], [holding], [CHEAP, DEAR], carried)

    stopped = sum(line.quantity for line in wanted.cancelled)
    given_up = stopped + sum(part.quantity for part in wanted.freed)
    assert holding.units - given_up + sum(line.quantity for line in wanted.added) == asked
    assert all(0 < part.quantity <= held[part.warehouse_id] for part in wanted.freed)
    assert not wanted.freed or stopped == waiting
    assert not (wanted.added and given_up)
