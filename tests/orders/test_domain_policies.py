from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import InvalidArgument
from services.kernel.money import UnitPrice
from services.orders.domain.masterdata import PriceAgreement, Product
from services.orders.domain.policies import Violation, outcome, parse_policy, planned_holds, reasons
from services.orders.domain.pricing import basis_points, reference_price
from services.orders.policies import contexts, engine
from services.orders.policies.examples import examples

RULE = {"code": "BIG", "when": "order.total > 5.0", "severity": "WARN", "message": "big"}


def document(**changes: Any) -> dict[str, Any]:
    return {"version": 1, "rules": [{**RULE, **changes}]}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"severity": "MAYBE"}, "severity"),
        ({"scope": "page"}, "scope"),
        ({"severity": "HOLD"}, "owner_role"),
        ({"severity": "HOLD", "hold_type": "x", "owner_role": "customer"}, "owner_role"),
        ({"when": ""}, "CEL"),
        ({"when": 5}, "text"),
        ({"message": " "}, "message"),
        ({"color": "red"}, "color"),
    ],
)
def test_a_bad_rule_is_refused_by_its_code(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidArgument, match=why) as refusal:
        parse_policy(document(**changes), 1)

    assert refusal.value.detail["rule"] == "BIG"


def test_a_predicate_that_does_not_compile_is_refused_by_its_code() -> None:
    with pytest.raises(InvalidArgument, match="rule BIG: `when` does not compile"):
        engine.compiled(parse_policy(document(when="order.total >"), 1))


def test_a_code_is_used_once() -> None:
    with pytest.raises(InvalidArgument, match="twice"):
        parse_policy({"rules": [RULE, RULE]}, 1)


@given(part=st.integers(-(10**9), 10**9), whole=st.integers(1, 10**9), limit=st.integers(0, 20_000))
def test_a_share_is_beyond_a_limit_exactly_when_its_basis_points_are(part: int, whole: int, limit: int) -> None:
    assert (basis_points(part, whole) > limit) == (part * 10_000 > limit * whole)
    assert basis_points(-part, whole) == -basis_points(part, whole)


def test_the_built_in_policy_compiles() -> None:
    assert len(engine.compiled(engine.built_in())) == len(engine.built_in().rules)


def test_block_outranks_hold_and_reasons_come_block_first() -> None:
    said = (
        Violation("W", "WARN", "w"),
        Violation("H", "HOLD", "h", "1", "price", "sales_rep"),
        Violation("B", "BLOCK", "b"),
        Violation("H", "HOLD", "h", "2", "price", "sales_rep"),
    )

    assert outcome(said) == "rejected"
    assert reasons(said) == ("B", "H", "W")
    assert [hold.reason for hold in planned_holds(said)] == ["h (line 1, 2)"]


def test_the_agreement_in_force_and_in_the_orders_currency_sets_the_price() -> None:
    first, last = date(2026, 11, 1), date(2026, 11, 30)
    agreed = tuple(
        PriceAgreement("cus_acme", "PUMP", UnitPrice.parse(price, currency), first, last)
        for price, currency in (("117.00", "USD"), ("1.00", "EUR"))
    )
    pump = Product("PUMP", "Pump", list_price=UnitPrice.parse("129.00", "USD"))

    prices = [
        found and (found.price.text, found.source)
        for on in (date(2026, 10, 31), first, last, date(2026, 12, 1))
        for found in [reference_price(pump, agreed, "USD", on, 1)]
    ]
    assert prices == [("129.00", "list"), ("117.00", "agreement"), ("117.00", "agreement"), ("129.00", "list")]
    assert reference_price(pump, (), "EUR", first, 1) is None


def test_a_cost_in_another_currency_is_no_cost() -> None:
    pump = Product(
        "PUMP", "Pump", list_price=UnitPrice.parse("1.00", "EUR"), standard_cost=UnitPrice.parse("0.80", "EUR")
    )
    whole = examples()[0]

    facts = contexts.header_context(replace(whole, products={"PUMP": pump}))["order"]

    assert (facts["has_cost"], facts["cost_minor"]) == (False, 0)


def test_a_line_whose_cost_is_unknown_does_not_lift_the_margin_of_the_others() -> None:
    whole = examples()[0]

    facts = contexts.header_context(whole)["order"]

    # 6 pumps at 120.00 cost 80.00 each; the visit at 95.00 has no cost. Of the discount of 20.00 the pumps bear
    # 20.00 × 720 ÷ 815 = 17.67: (702.33 − 480.00) ÷ 702.33 = 31.65 %; with the visit as if it were free 39.62 %
    assert (facts["cost_minor"], facts["margin_bp"]) == (48000, 3165)
