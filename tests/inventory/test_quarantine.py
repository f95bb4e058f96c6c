"""Goods in quarantine: decided once, at what they had cost, in parts that sum to the whole."""

from __future__ import annotations

from typing import Any

import pytest

from oms.inventory.v1 import inventory_pb2 as pb
from services.inventory.domain.quarantine import Quarantined
from services.kernel.errors import DomainError, InvalidArgument, NotFound, Refused
from services.kernel.money import Money
from tests.inventory.stockroom import MARCH, Stockroom
from tests.plans import recorded, steps
from tests.threads import Crew


def _apart(stockroom: Stockroom, *units: tuple[str, int], place: str = "w1") -> list[pb.QuarantinedUnits]:
    """3 of PUMP left for order o1 at 160.01 together, and came back to be kept apart."""
    stockroom.receive("w1", "PUMP", 2, "50.00")
    stockroom.receive("w1", "PUMP", 1, "60.01")
    stockroom.reserve("o1", {"1": ("PUMP", 3)})
    stockroom.ship("o1", "shp_1", "w1", {"1": ("PUMP", 3)})
    request = pb.TakeReturnRequest(
        request_id=stockroom.key(),
        order_id="o1",
        return_id="rma_1",
        warehouse_id=place,
        units=[pb.ReturnedUnits(sku="PUMP", quantity=count, disposition=what) for what, count in units],
    )
    stockroom.servicer.TakeReturn(request, None)
    return _listed(stockroom)


def _listed(stockroom: Stockroom, **wanted: Any) -> list[pb.QuarantinedUnits]:
    return list(stockroom.servicer.ListQuarantine(pb.ListQuarantineRequest(**wanted), None).units)


def _decide(
    stockroom: Stockroom, movement_id: str, quantity: int, outcome: str, *, key: str = "", reason: str = "tested"
) -> pb.DecideQuarantineResponse:
    request = pb.DecideQuarantineRequest(
        request_id=key or stockroom.key(),
        movement_id=movement_id,
        quantity=quantity,
        outcome=outcome,
        reason=reason,
        decided_by="pat",
    )
    return stockroom.servicer.DecideQuarantine(request, None)


def _heard(stockroom: Stockroom, kind: str) -> list[tuple[int, int]]:
    return [(fact["quantity"], fact["value_minor"]) for fact in stockroom.facts(kind)]


def _value(stockroom: Stockroom) -> list[int]:
    return [one.minor_units for one in stockroom.servicer.Audit(pb.AuditRequest(), None).quarantine_value]


@pytest.mark.on_postgres
def test_parts_leave_quarantine_each_its_own_way_and_cost_together_what_they_had_cost(stockroom: Stockroom) -> None:
    [units] = _apart(stockroom, ("quarantine", 3))

    before = _value(stockroom)
    done = [_decide(stockroom, units.movement_id, 1, what) for what in ("release", "scrap", "return_to_vendor")]

    assert (units.disposition, units.quantity, units.value.minor_units, before) == ("quarantine", 3, 160_01, [160_01])
    assert [(one.left_quantity, one.value.minor_units) for one in done] == [(2, 53_34), (1, 53_34), (0, 53_33)]
    assert _heard(stockroom, "quarantine_released") == [(1, 53_34)]
    assert _heard(stockroom, "quarantine_scrapped") == [(1, 53_34)]
    assert _heard(stockroom, "quarantine_returned_to_vendor") == [(1, 53_33)]
    [level] = stockroom.servicer.ListStock(pb.ListStockRequest(sku="PUMP"), None).levels
    assert (level.on_hand, level.value.minor_units) == (1, 53_34)
    assert (_listed(stockroom), _value(stockroom)) == ([], [0])
    assert stockroom.broken() == {}


def test_what_is_refurbished_is_sellable_only_once_released_and_fills_who_waits(stockroom: Stockroom) -> None:
    [units] = _apart(stockroom, ("refurbish", 2))
    waiting = stockroom.reserve("o2", {"1": ("PUMP", 2)})

    done = _decide(stockroom, units.movement_id, 2, "release", reason="refurbished")

    assert units.disposition == "refurbish"
    assert [(one.quantity) for one in waiting.shortages] == [2]
    assert (done.filled_quantity, list(done.filled_order_ids)) == (2, ["o2"])
    assert stockroom.broken() == {}


def test_goods_that_go_to_the_vendor_at_once_are_in_no_stock_and_no_quarantine(stockroom: Stockroom) -> None:
    assert _apart(stockroom, ("return_to_vendor", 2)) == []

    assert _heard(stockroom, "stock_returned_to_vendor") == [(2, 106_67)]
    assert (_value(stockroom), stockroom.broken()) == ([], {})


def test_no_more_is_decided_than_is_apart_and_a_repeat_decides_nothing(stockroom: Stockroom) -> None:
    [units] = _apart(stockroom, ("quarantine", 2), ("restock", 1))

    first = _decide(stockroom, units.movement_id, 1, "scrap", key="one")
    again = _decide(stockroom, units.movement_id, 1, "scrap", key="one")
    with pytest.raises(Refused, match="1 units of PUMP are still undecided, not 2") as refused:
        _decide(stockroom, units.movement_id, 2, "release")
    restocked = stockroom.facts("stock_returned")[0]

    assert first == again
    assert refused.value.reason == "MORE_THAN_QUARANTINED"
    assert restocked["quantity"] == 1
    assert stockroom.broken() == {}


def test_goods_that_are_not_apart_and_decisions_without_a_reason_are_refused(stockroom: Stockroom) -> None:
    [units] = _apart(stockroom, ("quarantine", 1), ("scrap", 1))

    with pytest.raises(NotFound, match="in quarantine"):
        _decide(stockroom, "mov_none", 1, "scrap")
    with pytest.raises(InvalidArgument):
        _decide(stockroom, units.movement_id, 1, "burn")
    with pytest.raises(InvalidArgument):
        _decide(stockroom, units.movement_id, 1, "scrap", reason="")


def test_the_list_is_of_a_warehouse_or_a_sku_and_comes_in_pages(stockroom: Stockroom) -> None:
    _apart(stockroom, ("quarantine", 1), ("refurbish", 1), place="w2")

    first = stockroom.servicer.ListQuarantine(pb.ListQuarantineRequest(limit=1), None)
    second = stockroom.servicer.ListQuarantine(pb.ListQuarantineRequest(limit=1, cursor=first.next_cursor), None)

    assert {first.units[0].disposition, second.units[0].disposition} == {"quarantine", "refurbish"}
    assert second.next_cursor == ""
    assert _listed(stockroom, warehouse_id="w1") == []
    assert len(_listed(stockroom, warehouse_id="w2", sku="PUMP")) == 2


def test_what_was_decided_of_other_goods_is_not_read(stockroom: Stockroom) -> None:
    if not stockroom.database.is_sqlite:
        pytest.skip("PostgreSQL reads small tables from end to end whatever their indexes")
    [units] = _apart(stockroom, ("quarantine", 2))
    statements = recorded(stockroom.database)

    _decide(stockroom, units.movement_id, 1, "scrap")
    left = _listed(stockroom)

    planned = [step for one in steps(stockroom.database, statements).values() for step in one]
    assert [one.quantity for one in left] == [1]
    assert [step for step in planned if step.startswith("SCAN quarantine_decision")] == []


@pytest.mark.on_postgres
def test_of_two_decisions_at_once_over_the_same_units_one_holds(stockroom: Stockroom) -> None:
    [units] = _apart(stockroom, ("quarantine", 1))

    def attempt(outcome: str) -> str:
        try:
            _decide(stockroom, units.movement_id, 1, outcome)
        except DomainError as refusal:
            return refusal.reason
        return "done"

    with Crew(2) as crew:
        answers = [one.result() for one in [crew.submit(attempt, what) for what in ("release", "scrap")]]

    assert sorted(answers) == ["MORE_THAN_QUARANTINED", "done"]
    assert stockroom.broken() == {}


def test_parts_sum_to_what_the_whole_had_cost() -> None:
    left = Quarantined(
        "mov_1", "w1", "PUMP", "quarantine", "o1", "rma_1", MARCH, 7, Money(100, "USD"), 0, Money(0, "USD")
    )
    given: list[int] = []
    for _ in range(7):
        part = left.cost_of(1)
        given.append(part.minor)
        left = Quarantined(
            "mov_1", "w1", "PUMP", "quarantine", "o1", "rma_1", MARCH, 7, Money(100, "USD"),
            left.decided + 1, left.decided_value + part,
        )  # fmt: skip

    assert (sum(given), max(given) - min(given)) == (100, 1)
