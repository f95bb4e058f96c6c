"""What goods are worth that were counted in without a receipt: unknown is not free."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from services.billing.domain.ledger import INVENTORY, SHRINKAGE, Movement, movement_posting
from services.inventory.domain.costing import counted_cost
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money, UnitPrice
from tests.inventory.stockroom import Stockroom


class Case(NamedTuple):
    """Unit costs that are known, and the one that values what was counted in; none when it is refused."""

    says: str
    given: str
    last: str
    standard: str
    is_valued_at: str


CASES = [
    Case("as given", "4.00", "3.00", "2.00", "4.00"),
    Case("given without a receipt", "4.00", "", "2.00", "4.00"),
    Case("given though it is free", "0.00", "3.00", "2.00", "0.00"),
    Case("as last received", "", "3.00", "2.00", "3.00"),
    Case("received free", "", "0.00", "2.00", "0.00"),
    Case("at standard cost", "", "", "2.00", "2.00"),
    Case("six decimals", "", "", "0.333333", "0.333333"),
    Case("unknown", "", "", "", ""),
]


def usd(text: str) -> UnitPrice | None:
    return UnitPrice.parse(text, "USD") if text else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_units_counted_in_cost_what_is_given_then_received_then_standard(case: Case) -> None:
    def found() -> str:
        return counted_cost("A", "USD", given=usd(case.given), last=usd(case.last), standard=usd(case.standard)).text

    if case.is_valued_at:
        assert found() == case.is_valued_at
    else:
        with pytest.raises(Refused, match="is not known"):
            found()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
@pytest.mark.on_postgres
def test_the_layer_the_movement_and_the_ledger_have_that_value(stockroom: Stockroom, case: Case) -> None:
    if case.last:
        stockroom.receive("w2", "A", 1, case.last)
    before = stockroom.value()

    if not case.is_valued_at:
        with pytest.raises(Refused, match="Give a unit_cost, or a standard cost to the product first") as refusal:
            stockroom.adjust("w1", "A", 6)
        assert refusal.value.reason == "COST_UNKNOWN"
        assert (stockroom.stock("A"), stockroom.facts("stock_adjusted")) == ({}, [])
        return
    stockroom.adjust("w1", "A", 6, given=case.given, standard=case.standard)

    # 6 × 0.333333 = 1.999998, half up 2.00
    worth = {"4.00": 2400, "3.00": 1800, "2.00": 1200, "0.00": 0, "0.333333": 200}[case.is_valued_at]
    (notified,) = stockroom.facts("stock_adjusted")
    assert (stockroom.value() - before, notified["value_minor"]) == (worth, worth)
    movement = Movement("f1", "stock_adjusted", "", "w1", "A", 6, Money(worth, "USD"))
    posting = movement_posting(movement)
    assert (
        (posting.debit, posting.credit, posting.amount.minor) == (INVENTORY, SHRINKAGE, worth) if posting else not worth
    )
    assert stockroom.broken() == {}


def test_a_refused_count_leaves_nothing_and_may_be_sent_again_with_a_cost(stockroom: Stockroom) -> None:
    with pytest.raises(Refused):
        stockroom.adjust("w1", "A", 6)

    assert stockroom.adjust("w1", "A", 6, given="4.00").on_hand == 6


def test_a_repeat_gets_its_first_answer_though_the_standard_cost_moved(stockroom: Stockroom) -> None:
    first = stockroom.adjust("w1", "A", 6, standard="2.00", key="count/1")

    assert stockroom.adjust("w1", "A", 6, standard="9.00", key="count/1") == first
    assert stockroom.value() == 1200


@pytest.mark.on_postgres
def test_units_that_an_older_release_counted_in_for_nothing_do_not_tell_what_a_unit_costs(stockroom: Stockroom) -> None:
    stockroom.adjust("w1", "A", 6, given="0.00")

    stockroom.adjust("w1", "A", 1, standard="2.00")

    assert stockroom.value() == 200


def test_the_first_cost_decides_in_what_a_warehouse_is_valued(stockroom: Stockroom) -> None:
    stockroom.adjust("w1", "A", 1, given="4.00", currency="EUR")

    with pytest.raises(Refused) as refusal:
        stockroom.adjust("w1", "B", 1, given="4.00")
    assert refusal.value.reason == "WAREHOUSE_CURRENCY"
    with pytest.raises(Refused) as refusal:
        stockroom.adjust("w1", "B", 1, standard="4.00")
    assert refusal.value.reason == "COST_UNKNOWN"


def test_a_cost_of_missing_units_is_refused(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 2)

    with pytest.raises(InvalidArgument) as refusal:
        stockroom.adjust("w1", "A", -1, given="4.00")

    assert refusal.value.reason == "COST_OF_MISSING_UNITS"
