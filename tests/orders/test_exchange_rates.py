"""A number has its unit: limits and thresholds of one currency against amounts of another, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import InvalidArgument, NotPermitted, Refused
from services.kernel.money import UnitPrice, exchanged
from services.orders.approvals import holds
from services.orders.domain.exchange import ExchangeRate, Rates
from services.orders.domain.masterdata import Customer, Product
from services.orders.domain.people import Person
from services.orders.domain.policies import parse_policy
from services.orders.masterdata import catalog, customers, exchange
from services.orders.policies import contexts, engine, versions
from services.orders.policies.examples import examples
from services.runtime.db import Database
from tests.orders.desk import ACCOUNTING, ACME, NOON, SUPPORT, Desk
from tests.orders.review_desk import DAN, MAX, ReviewDesk
from tests.orders.test_validation import HELD

TODAY = date(2026, 11, 23)


def rate(text: str, since: date = TODAY, pair: str = "KWD/USD") -> ExchangeRate:
    held_in, other = pair.split("/")
    return ExchangeRate(held_in, other, Decimal(text), since)


class Case(NamedTuple):
    """Minor units of KWD (three decimals) and what they are in cents by these rates; None without one."""

    says: str
    fils: int
    rates: tuple[ExchangeRate, ...]
    cents: int | None


CASES = [
    # 19,443.000 × 3.25 = 63,189.75
    Case("by its rate", 19_443_000, (rate("3.25"),), 6_318_975),
    Case("half up", 1, (rate("5"),), 1),  # 0.001 × 5 = 0.005 → 0.01
    Case("below half down", 1, (rate("4.9"),), 0),
    Case("the latest", 1_000, (rate("3.20", date(2026, 11, 1)), rate("3.30")), 330),
    Case("given the other way round", 1_000, (rate("0.25", pair="USD/KWD"),), 400),
    Case("a later one of the other way", 1_000, (rate("3.20", date(2026, 11, 1)), rate("0.25", pair="USD/KWD")), 400),
    Case("of one day the one this way", 1_000, (rate("3.20"), rate("0.25", pair="USD/KWD")), 320),
    Case("of another pair", 1_000, (rate("3.20", pair="KWD/EUR"),), None),
    Case("none", 1_000, (), None),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_an_amount_is_converted_by_the_latest_rate(case: Case) -> None:
    factor = Rates(case.rates).factor("KWD", "USD")

    assert (exchanged(case.fils, "KWD", "USD", factor) if factor is not None else None) == case.cents


@given(st.integers(0, 10**12), st.decimals("0.0001", "9999", places=4))
def test_a_conversion_is_within_half_a_minor_unit(minor: int, factor: Decimal) -> None:
    exact = Decimal(minor) * factor / 10  # three decimals to two

    rates = Rates((ExchangeRate("KWD", "USD", factor, TODAY),))
    found = rates.factor("KWD", "USD")

    assert found is not None
    assert abs(exchanged(minor, "KWD", "USD", found) - exact) <= Decimal("0.5")


@pytest.mark.parametrize("wrong", [("USD", "USD", "1"), ("USD", "EUR", "0"), ("USD", "XXX", "1")])
def test_a_rate_that_cannot_be_is_refused(wrong: tuple[str, str, str]) -> None:
    with pytest.raises(InvalidArgument):
        ExchangeRate(wrong[0], wrong[1], Decimal(wrong[2]), TODAY)


# currency of the policy, of the company, the rate known, and whether 19,443.000 KWD is over 20,000 of the policy's
OVER = [
    ("", "USD", rate("3.25"), "held"),
    ("", "KWD", None, "cleared"),
    ("USD", "KWD", rate("3.25"), "held"),
    ("KWD", "USD", None, "cleared"),
    ("USD", "USD", rate("1.02"), "cleared"),  # 19,831.86
    ("EUR", "USD", rate("3.00", pair="KWD/EUR"), "held"),
    ("", "USD", None, "unknown"),
    ("", "USD", rate("3.25", TODAY + timedelta(days=1)), "unknown"),
    ("EUR", "USD", rate("3.25"), "unknown"),
]
KUWAIT = Customer("cus_acme", "Acme", "KWD", sales_rep="rita")


def open_in_kuwait(desk: Desk, policy_currency: str = "", company: str = "USD", severity: str = "HOLD") -> None:
    desk.database.currency = company
    document = {
        "rules": [
            {
                "code": "OVER_20000",
                "when": "order.total > 20000.0",
                "severity": severity,
                **({"hold_type": "approval", "owner_role": "approver"} if severity == "HOLD" else {}),
                "message": "The order is over 20,000.",
            }
        ],
        **({"currency": policy_currency} if policy_currency else {}),
    }
    pump = Product("PUMP", "Pump", list_price=UnitPrice.parse("19443.000", "KWD"))
    with desk.database.transaction() as session:
        customers.put_customer(session, replace(KUWAIT, contact_email=ACME.contact_email), "root", NOON)
        catalog.put_product(session, pump, "root", NOON)
        versions.put_policy(session, document, "root", NOON)


@pytest.fixture
def review_desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def know(desk: Desk, known: ExchangeRate) -> None:
    with desk.database.transaction() as session:
        exchange.put_rate(session, known, "abe", NOON)


@pytest.mark.parametrize(("policy_currency", "company", "known", "outcome"), OVER)
@pytest.mark.on_postgres
def test_a_threshold_compares_amounts_of_its_currency(
    desk: Desk, policy_currency: str, company: str, known: ExchangeRate | None, outcome: str
) -> None:
    open_in_kuwait(desk, policy_currency, company)
    if known is not None:
        know(desk, known)

    validated = desk.validate(desk.place(("PUMP", 1), currency="KWD").order_id)

    reasons = {"held": ["OVER_20000"], "cleared": [], "unknown": ["EXCHANGE_RATE_MISSING"]}[outcome]
    assert list(validated.reasons) == reasons


def test_a_hold_for_a_rate_says_so_and_stays_until_there_is_one(desk: Desk) -> None:
    open_in_kuwait(desk)
    order_id = desk.place(("PUMP", 1), currency="KWD").order_id
    assert desk.validate(order_id).outcome == HELD
    (hold,) = desk.read(order_id).holds

    with desk.database.transaction() as session, pytest.raises(Refused, match="no exchange rate of KWD is known yet"):
        holds.release(session, order_id, hold.hold_id, ACCOUNTING, "", NOON)
    know(desk, rate("1.02"))
    with desk.database.transaction() as session:
        holds.release(session, order_id, hold.hold_id, ACCOUNTING, "entered", NOON)

    assert desk.read(order_id).order.phase == "accepted"  # 19,831.86 USD
    assert (hold.hold_type, hold.owner_role) == ("exchange_rate", "accounting")
    assert "The order is in KWD and the limits of the policy are in USD" in hold.reason
    assert "up to 2026-11-23" in hold.reason


def test_with_the_rate_the_order_is_evaluated_again_and_held_for_what_it_comes_to(desk: Desk) -> None:
    open_in_kuwait(desk)
    order_id = desk.place(("PUMP", 1), currency="KWD").order_id
    desk.validate(order_id)
    (hold,) = desk.read(order_id).holds

    know(desk, rate("3.25"))
    with desk.database.transaction() as session:
        holds.release(session, order_id, hold.hold_id, ACCOUNTING, "entered", NOON)

    left = [one.code for one in desk.read(order_id).holds if one.is_open]
    assert (desk.read(order_id).order.phase, left) == ("in_review", ["OVER_20000"])
    assert desk.broken() == []


def test_what_a_rule_blocks_only_with_the_rate_is_held_and_nobody_lets_it_pass(desk: Desk) -> None:
    open_in_kuwait(desk, severity="BLOCK")
    order_id = desk.place(("PUMP", 1), currency="KWD").order_id
    desk.validate(order_id)
    (waiting,) = desk.read(order_id).holds
    know(desk, rate("3.25"))

    with desk.database.transaction() as session:
        holds.release(session, order_id, waiting.hold_id, ACCOUNTING, "entered", NOON)
    (blocked,) = [one for one in desk.read(order_id).holds if one.is_open]
    with pytest.raises(Refused) as refusal:
        desk.release(order_id, blocked.hold_id, SUPPORT)

    assert (desk.read(order_id).order.phase, blocked.code) == ("in_review", "OVER_20000")
    assert refusal.value.reason == "FACTS_STILL_WRONG"
    assert desk.broken() == []


def test_a_matrix_that_waits_for_a_rate_asks_its_approvers_once_it_is_there(review_desk: ReviewDesk) -> None:
    order_id = reviewed_in_kuwait(review_desk, "25000.00", is_rate_known=False)
    (hold,) = review_desk.read(order_id).holds
    before = review_desk.steps(order_id)

    know(review_desk, rate("3.25"))
    with review_desk.database.transaction() as session:
        holds.release(session, order_id, hold.hold_id, ACCOUNTING, "entered", review_desk.now)
    review_desk.decide(order_id, MAX)

    assert (hold.code, before) == ("EXCHANGE_RATE_MISSING", ())
    assert [step.position for step in review_desk.all_steps(order_id)] == ["manager"]
    assert review_desk.read(order_id).order.phase == "accepted"
    assert review_desk.broken() == []


# limit of the approver in USD, and whether it covers 7,000.000 KWD at 3.25: 22,750.00
LIMITS = [("22750.00", True), ("22749.99", False), ("25000.00", True)]


def reviewed_in_kuwait(desk: ReviewDesk, limit: str, *, is_rate_known: bool = True) -> str:
    with desk.database.transaction() as session:
        customers.put_customer(session, KUWAIT, "root", NOON)
        pump = Product("PUMP", "Pump", list_price=UnitPrice.parse("1000.000", "KWD"))
        catalog.put_product(session, pump, "root", NOON)
    if is_rate_known:
        know(desk, rate("3.25"))
    desk.person(
        Person(
            "max", "Max", "max@company.example", ("approver",), ("manager",), limits={"USD": int(Decimal(limit) * 100)}
        )
    )
    return desk.reviewed(7, currency="KWD")


@pytest.mark.parametrize(("limit", "covers"), LIMITS)
def test_an_approvers_limit_is_held_against_the_amount_in_its_currency(
    review_desk: ReviewDesk, limit: str, covers: bool
) -> None:
    order_id = reviewed_in_kuwait(review_desk, limit)

    if covers:
        review_desk.decide(order_id, MAX)
        assert review_desk.read(order_id).order.phase == "accepted"
    else:
        with pytest.raises(NotPermitted) as refusal:
            review_desk.decide(order_id, MAX)
        assert refusal.value.reason == "OVER_LIMIT"
        assert "6999.997 KWD, and this comes to 7000.000 KWD" in refusal.value.message


@pytest.mark.parametrize(("most", "covers"), [(2_275_000, True), (2_274_999, False)])
def test_what_was_handed_over_is_held_against_it_too(review_desk: ReviewDesk, most: int, covers: bool) -> None:
    order_id = reviewed_in_kuwait(review_desk, "25000.00")
    review_desk.delegate("max", "dan", max_minor=most, currency="USD")

    if covers:
        review_desk.decide(order_id, DAN)
        return
    with pytest.raises(NotPermitted, match=r"the limit of Max is 6999\.997 KWD"):
        review_desk.decide(order_id, DAN)


def test_a_limit_of_another_currency_without_a_rate_reaches_to_nothing() -> None:
    assert Rates().limit_in({"USD": 100}, "KWD") == 0
    assert Rates((rate("3.25"),)).limit_in({"USD": 325, "EUR": 10**9}, "KWD") == 1000
    assert Rates((rate("3.25"),)).limit_in({"USD": 325, "KWD": 7}, "KWD") == 7


def test_every_amount_that_a_predicate_sees_is_in_the_policys_currency_and_no_share_moves() -> None:
    whole = examples()[0]
    euros = replace(whole, currency="EUR", rates=Rates((rate("0.5", pair="USD/EUR"),)))
    plain, converted = (
        {**contexts.header_context(one), **contexts.line_context(one.order.lines[0], one)} for one in (whole, euros)
    )

    amounts = {
        (name, member)
        for name in ("order", "credit", "line", "agreement")
        for member, value in plain[name].items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and converted[name][member] != value
    }

    assert amounts == {
        *(("order", f"{name}_minor") for name in ("merchandise", "discount", "freight", "tax", "total", "cumulative", "cost")),
        ("order", "total"), ("order", "cumulative"),
        *(("credit", f"{name}_minor") for name in ("exposure", "limit", "headroom")),
        ("line", "unit_price"), ("line", "extended_minor"), ("line", "reference_price"),
        ("agreement", "price"),
    }  # fmt: skip
    assert all(converted[name][member] * 2 == pytest.approx(plain[name][member], abs=1) for name, member in amounts)


@pytest.mark.parametrize("currency", ["XXX", "usd", 7])
def test_a_policy_in_no_currency_is_refused(currency: object) -> None:
    document = yaml.safe_load(engine.BUILT_IN.read_text("utf-8"))

    with pytest.raises(InvalidArgument) as refusal:
        parse_policy({**document, "currency": currency}, 1)
    assert refusal.value.reason == "POLICY_INVALID"
