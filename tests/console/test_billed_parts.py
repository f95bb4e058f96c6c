"""What a credit note's total is made of, as pages show it."""

from __future__ import annotations

from gateway.console.accounting.billed import parts_of
from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2


def usd(minor: int) -> types_pb2.Money:
    return types_pb2.Money(minor_units=minor, currency="USD")


def shown(allowance: int, claw_back: int) -> list[tuple[str, int]]:
    """Goods of 50.00 less 5.00 discount."""
    note = pb.CreditNote(
        merchandise=usd(5_000), discount=usd(500), allowance=usd(allowance), claw_back=usd(claw_back), total=usd(4_500 + allowance)
    )  # fmt: skip
    return [(words, part.minor) for words, part in parts_of(note)][2:-1]


def test_a_discount_that_is_taken_or_given_back_stands_beside_the_allowance() -> None:
    assert shown(0, 0) == []
    assert shown(300, 0) == [("Price allowance", 300)]
    assert shown(-500, 500) == [("Discount taken back", -500)]
    assert shown(-700, 500) == [("Price allowance", -200), ("Discount taken back", -500)]
    assert shown(500, -500) == [("Discount taken back", 500)]
