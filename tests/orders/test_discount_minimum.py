"""A discount may be given from so much of goods on; the policy in force when an order is placed says whether it is ever taken back."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.errors import DomainError, InvalidArgument
from services.orders.domain.order import Order
from services.orders.domain.return_policy import parse_returns
from services.orders.policies import engine, versions
from tests.orders.desk import ANY, BUYER, RITA, Desk, amount


def billing_knows(desk: Desk, order: Order) -> int:
    """What billing is told of it, in minor units; 0 for nothing."""
    sent = desk.servicer.GetOrder(pb.GetOrderRequest(order_id=order.order_id), ANY).order
    return int(sent.discount_minimum.minor_units)


def placed(desk: Desk, minimum: str) -> Order:
    """Three at 129.00 less 10.00."""
    receipt = desk.place(("PUMP", 3), discount=amount("10.00"), discount_minimum=amount(minimum), by=RITA)
    return desk.read(receipt.order_id).order


@pytest.mark.on_postgres
@pytest.mark.parametrize("claws_back", [True, False])
def test_an_order_keeps_its_minimum_and_what_the_policy_said_of_it(desk: Desk, claws_back: bool) -> None:
    _policy(desk, claws_back)
    order = placed(desk, "387.00")
    _policy(desk, not claws_back)

    assert (order.discount_minimum, order.claws_back) == (amount("387.00"), claws_back)
    assert billing_knows(desk, order) == (38_700 if claws_back else 0)
    plain = desk.read(desk.place(("PUMP", 3), discount=amount("10.00"), by=RITA).order_id).order
    assert (plain.discount_minimum, plain.claws_back, billing_knows(desk, plain)) == (None, False, 0)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"discount": "10.00", "discount_minimum": "387.01"}, "DISCOUNT_NOT_EARNED"),
        ({"discount_minimum": "100.00"}, "DISCOUNT_MINIMUM_ALONE"),
        ({"discount": "0.00", "discount_minimum": "100.00"}, "DISCOUNT_MINIMUM_ALONE"),
        ({"discount": "10.00", "discount_minimum": "0.00"}, "DISCOUNT_MINIMUM_ALONE"),
        ({"discount": "10.00", "discount_minimum": "-1.00"}, "AMOUNT_NEGATIVE"),
    ],
)
def test_a_minimum_is_of_a_discount_that_the_order_gets(desk: Desk, terms: dict[str, str], reason: str) -> None:
    given = {name: -amount(text[1:]) if text.startswith("-") else amount(text) for name, text in terms.items()}

    with pytest.raises(DomainError) as refused:
        desk.place(("PUMP", 3), by=RITA, **given)

    assert refused.value.reason == reason


def test_a_customer_names_none(desk: Desk) -> None:
    with pytest.raises(DomainError) as refused:
        desk.place(("PUMP", 3), by=BUYER, discount=amount("1.00"), discount_minimum=amount("1.00"))

    assert refused.value.reason == "DISCOUNT_NOT_PERMITTED"


def test_a_policy_takes_back_unless_it_says_otherwise() -> None:
    assert (parse_returns({}).claw_back, parse_returns({"claw_back": False}).claw_back) == (True, False)
    with pytest.raises(InvalidArgument, match="claw_back"):
        parse_returns({"claw_back": "no"})


def _policy(desk: Desk, claws_back: bool) -> None:
    with desk.database.transaction() as session:
        document: dict[str, Any] = yaml.safe_load(engine.BUILT_IN.read_text("utf-8"))
        versions.put_policy(session, {**document, "returns": {"claw_back": claws_back}}, "root", desk.now)
