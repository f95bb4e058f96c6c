"""Between inventory and the ledger: goods in quarantine at cost."""

from __future__ import annotations

import pytest

from gateway.http.neighbors.cross_audit import quarantine_is_worth_its_balance
from oms.types.v1 import types_pb2 as types


def _usd(minor: int) -> types.Money:
    return types.Money(minor_units=minor, currency="USD")


@pytest.mark.parametrize(("goods", "ledger", "violations"), [([], [], 0), ([_usd(5)], [_usd(5)], 0), ([_usd(0)], [], 0), ([_usd(5)], [_usd(4)], 1), ([], [_usd(5)], 1)])  # fmt: skip
def test_goods_in_quarantine_are_worth_what_the_books_say(
    goods: list[types.Money], ledger: list[types.Money], violations: int
) -> None:
    assert quarantine_is_worth_its_balance(goods, ledger).violations == violations
