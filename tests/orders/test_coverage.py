"""What was decided covers what it was decided for: more of it is asked again, and an agreed price is one of so many units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from services.orders.access.matrix import Caller
from services.orders.domain.changes import ChangeRequest, LineChange
from services.orders.domain.coverage import Figures, covers
from services.orders.domain.masterdata import AllowedShipTo, Product
from services.orders.masterdata import catalog, customers
from services.orders.policies import engine
from services.orders.policies import versions as policies
from services.runtime.db import Database
from tests.orders.change_desk import (
    answer,
    apply,
    asked,
    change,
    changed,
    propose,
    quantity,
    reviews,
    with_matrix,
    withdraw,
)
from tests.orders.desk import ACCOUNTING, ACME, APPROVER, BUYER, DALLAS, NOON, RITA, SUPPORT, Desk, amount, usd
from tests.orders.review_desk import ReviewDesk

LINE = Figures(quantity=10, unit_price=Decimal("5.50"), reference_price=Decimal("10.00"))
DEAR = replace(LINE, unit_price=Decimal("14.00"))
HEADER = Figures(quantity=10, amount_minor=55_00)
DISCOUNT = Figures(quantity=10, discount_minor=20_00, discount_bp=2000)
RUSH = Figures(quantity=10, amount_minor=55_00, requested_on=date(2026, 12, 10), ship_to="dallas")


@pytest.mark.parametrize(
    ("given", "now", "is_covered"),
    [
        (LINE, LINE, True),
        (LINE, replace(LINE, quantity=9), True),
        (LINE, replace(LINE, quantity=11), False),
        (LINE, replace(LINE, unit_price=Decimal("5.49")), False),
        (LINE, replace(LINE, unit_price=Decimal("5.51")), True),  # nearer to what a unit should cost
        (LINE, replace(LINE, unit_price=Decimal("10.50")), False),  # beyond it
        (LINE, replace(LINE, quantity=5, unit_price=Decimal("5.49")), False),
        (LINE, replace(LINE, reference_price=Decimal("12.00")), True),  # the captured price stands
        (DEAR, replace(DEAR, unit_price=Decimal("13.00")), True),
        (DEAR, replace(DEAR, unit_price=Decimal("14.01")), False),
        (DEAR, replace(DEAR, unit_price=Decimal("9.00")), False),
        (replace(LINE, amount_minor=55_00), replace(LINE, amount_minor=55_01), False),
        (replace(LINE, reference_price=None), replace(LINE, reference_price=None, unit_price=Decimal("6.00")), True),
        (replace(LINE, reference_price=None), replace(LINE, reference_price=None, unit_price=Decimal("5.00")), False),
        (HEADER, replace(HEADER, amount_minor=54_99), True),
        (HEADER, replace(HEADER, amount_minor=55_01), False),
        (HEADER, replace(HEADER, quantity=11, amount_minor=50_00), False),
        (DISCOUNT, replace(DISCOUNT, discount_minor=19_00, discount_bp=1900), True),
        (DISCOUNT, replace(DISCOUNT, discount_minor=21_00), False),
        (DISCOUNT, replace(DISCOUNT, quantity=5, discount_bp=4000), False),  # the same discount on half of it
        (replace(HEADER, margin_bp=300), replace(HEADER, margin_bp=299), False),
        (replace(HEADER, margin_bp=300), replace(HEADER, margin_bp=400), True),
        (HEADER, replace(HEADER, margin_bp=400), True),  # what nobody looked at is not compared
        (RUSH, replace(RUSH, requested_on=date(2026, 12, 9)), False),
        (RUSH, replace(RUSH, requested_on=date(2026, 12, 11)), True),
        (RUSH, replace(RUSH, ship_to="reno"), False),
    ],
)
def test_a_decision_covers_no_more_than_the_figures_it_was_taken_on(
    given: Figures, now: Figures, is_covered: bool
) -> None:
    assert covers(given, now) is is_covered


prices_of = st.decimals(Decimal(1), Decimal(20), places=2)
figures_of = st.builds(
    Figures, st.integers(1, 50), st.integers(0, 9999), prices_of, st.none() | prices_of, st.none(), st.none()
)


@given(figures_of, figures_of, figures_of)
def test_what_is_covered_by_what_is_covered_is_covered_where_a_unit_costs_the_same(
    one: Figures, other: Figures, last: Figures
) -> None:
    other, last = (replace(each, reference_price=one.reference_price) for each in (other, last))

    assert covers(one, one)
    if covers(one, other) and covers(other, last):
        assert covers(one, last)


@pytest.fixture
def desk(database: Database) -> Desk:
    """A list price of 10.00, the price of the issue's example."""
    desk = Desk(database)
    _put(desk, lambda session: catalog.put_product(session, PART, "root", NOON))
    return desk


PART = Product("PART", "Part", list_price=usd("10.00"))


def _put(desk: Desk, act: Callable[..., object]) -> None:
    with desk.database.transaction() as session:
        act(session)


def _released(desk: Desk, *lines: tuple[str, int, str] | tuple[str, int], **members: Any) -> str:
    """An accepted order whose holds their owners have released."""
    order_id = desk.place(*lines, **members).order_id
    desk.validate(order_id)
    for hold in desk.read(order_id).holds:
        by = {"sales_rep": RITA, "approver": APPROVER, "support": SUPPORT}[hold.owner_role]
        desk.release(order_id, hold.hold_id, by)
    desk.record(order_id, "accepted")
    assert desk.read(order_id).order.phase == "accepted"
    return order_id


def _cheap(desk: Desk) -> str:
    """10 at 5.50, released by sales."""
    return _released(desk, ("PART", 10, "5.50"))


def _over_threshold(desk: Desk) -> str:
    """200 x 129.00 and tax is over 25,000, released by an approver."""
    return _released(desk, ("PUMP", 200))


def _discounted(desk: Desk) -> str:
    """200.00 of 1,290.00 is 15.51 %, released by an approver."""
    return _released(desk, ("PUMP", 10), by=RITA, discount=amount("200.00"))


def _to_dallas(desk: Desk) -> str:
    """To an address that is not on the customer's list, released by support."""
    elsewhere = replace(ACME, allowed_ship_tos=(AllowedShipTo("CA"),))
    _put(desk, lambda session: customers.put_customer(session, elsewhere, "root", NOON))
    return _released(desk, ("PART", 10))


@dataclass(frozen=True)
class Case:
    """What was decided, what is asked of it then, by whom, and which role's question that is; none is applied at once."""

    says: str
    of: Callable[[Desk], str]
    request: ChangeRequest
    asks: tuple[str, ...] = ()
    by: Caller = BUYER


def _price(price: str, units: int | None = None) -> ChangeRequest:
    return asked(LineChange("1", quantity=units, unit_price=usd(price)))


CASES = [
    Case("ten at 5.50 become 3,000", _cheap, asked(quantity("1", 3000)), ("sales_rep",)),
    Case("one unit more than released", _cheap, asked(quantity("1", 11)), ("sales_rep",)),
    Case("fewer at the same price", _cheap, asked(quantity("1", 5))),
    Case("another line at its list price", _cheap, asked(LineChange(sku="PART", quantity=5))),
    Case("the price lowered again", _cheap, _price("5.00"), ("sales_rep",), RITA),
    Case("fewer at a lower price", _cheap, _price("5.00", 5), ("sales_rep",), RITA),
    Case("more although sales name the same price", _cheap, _price("5.50", 20), ("sales_rep",), RITA),
    Case("a better price", _cheap, _price("6.00"), (), RITA),
    Case("the list price for more", _cheap, _price("10.00", 20), (), RITA),
    Case("a larger total by another line", _over_threshold, asked(LineChange(sku="CENT", quantity=1)), ("approver",)),
    Case("a smaller total", _over_threshold, asked(quantity("1", 199))),
    Case("a larger discount", _discounted, asked(discount=amount("201.00")), ("approver",), RITA),
    Case("a smaller discount", _discounted, asked(discount=amount("196.00")), (), RITA),
    Case("the same discount on less", _discounted, asked(quantity("1", 9)), ("approver",)),
    Case("the same address for more", _to_dallas, asked(quantity("1", 11)), ("support",)),
    Case("another address", _to_dallas, asked(ship_to=replace(DALLAS, street="2 Main St")), ("support",)),
    Case("the same address for less", _to_dallas, asked(quantity("1", 9))),
]


def _asked_of(desk: Desk, order_id: str, case: Case) -> tuple[str, tuple[str, ...]]:
    done = propose(desk, order_id, case.request, case.by)
    if done.change.state == "awaiting_customer":
        answer(desk, order_id, done.change.change_id, "accept")
    state = change(desk, order_id, done.change.change_id).state
    steps = [step for one in reviews(desk, order_id) if one.change_id for step in one.steps]
    return state, tuple(step.role for step in steps)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_what_goes_beyond_a_released_hold_is_asked_again(desk: Desk, case: Case) -> None:
    order_id = case.of(desk)

    state, roles = _asked_of(desk, order_id, case)

    assert (state, roles) == ("in_review" if case.asks else "agreed", case.asks)
    assert desk.read(order_id).order.version == 1
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_a_release_goes_on_covering_what_it_covered_whatever_the_order_is_meanwhile(desk: Desk) -> None:
    order_id = _cheap(desk)
    changed(desk, order_id, asked(quantity("1", 4)), key="1")

    changed(desk, order_id, asked(quantity("1", 10)), key="2")  # up to the ten that were released
    more = propose(desk, order_id, asked(quantity("1", 11)))

    assert more.change.state == "in_review"
    assert desk.read(order_id).order.lines[0].quantity == 10
    assert desk.broken() == []


def test_a_second_raise_is_asked_beyond_what_the_second_decision_covers(database: Database) -> None:
    desk = ReviewDesk(database, reviews=[])
    _put(desk, lambda session: catalog.put_product(session, PART, "root", NOON))
    order_id = _cheap(desk)
    more = propose(desk, order_id, asked(quantity("1", 300))).change
    desk.decide(order_id, RITA)
    assert apply(desk, order_id, more.change_id).is_applied

    changed(desk, order_id, asked(quantity("1", 250)), key="2")
    changed(desk, order_id, asked(quantity("1", 300)), key="3")
    again = propose(desk, order_id, asked(quantity("1", 301)))

    assert again.change.state == "in_review"
    assert desk.broken() == []


def test_what_older_releases_kept_without_figures_covers_the_version_it_was_about(desk: Desk) -> None:
    order_id = _cheap(desk)
    _put(desk, lambda session: session.execute(text("UPDATE violation SET given_for = NULL")))

    assert propose(desk, order_id, asked(quantity("1", 11))).change.state == "in_review"
    pending = desk.read(order_id).asked.change
    assert pending is not None
    withdraw(desk, order_id, pending.change_id)
    changed(desk, order_id, asked(quantity("1", 4)))
    changed(desk, order_id, asked(quantity("1", 10)), key="2")

    assert desk.broken() == []


def _held(desk: Desk) -> str:
    """10 at 5.50 in review: sales have released the price, accounting has not released credit."""
    order_id = desk.place(("PART", 10, "5.50")).order_id
    desk.validate(order_id, is_granted=False)
    [price] = [hold for hold in desk.read(order_id).holds if hold.hold_type == "price"]
    desk.release(order_id, price.hold_id, RITA)
    return order_id


@pytest.mark.parametrize(
    ("request_", "by", "holds"),
    [
        (asked(quantity("1", 11)), BUYER, ["credit", "price"]),
        (asked(quantity("1", 9)), BUYER, ["credit"]),
        (_price("5.00"), RITA, ["credit", "price"]),
        (_price("6.00"), RITA, ["credit"]),
        (asked(LineChange(sku="PART", quantity=5)), BUYER, ["credit"]),
    ],
)
def test_of_an_order_in_review_what_goes_beyond_a_release_is_held_again(
    desk: Desk, request_: ChangeRequest, by: Caller, holds: list[str]
) -> None:
    order_id = _held(desk)

    done = propose(desk, order_id, request_, by)
    if done.change.state == "awaiting_customer":
        answer(desk, order_id, done.change.change_id, "accept")
    assert apply(desk, order_id, done.change.change_id, is_granted=False).is_applied

    assert sorted(desk.read(order_id).standing.axes.holds) == holds
    assert desk.broken() == []


def test_an_open_hold_is_not_placed_twice_and_names_the_lines_of_today(desk: Desk) -> None:
    order_id = desk.place(("PART", 10, "5.50"), ("PUMP", 1, "99.00")).order_id
    desk.validate(order_id)

    done = propose(desk, order_id, asked(quantity("1", 0), quantity("2", 2)))
    apply(desk, order_id, done.change.change_id)

    [price] = desk.read(order_id).holds
    assert price.is_open
    assert price.reason.endswith("(line 2)")


def _policy(desk: Desk, severity: str) -> None:
    """A company rule about large quantities, of a severity, beside the built-in ones."""
    document = yaml.safe_load(engine.BUILT_IN.read_text("utf-8"))
    owned = {"hold_type": "quantity", "owner_role": "support"} if severity == "HOLD" else {}
    rule = {"code": "LARGE", "scope": "line", "when": "line.quantity >= 10", "message": "It is much.", **owned}
    policy = {**document, "rules": [*document["rules"], {**rule, "severity": severity}]}
    _put(desk, lambda session: policies.put_policy(session, policy, "root", desk.now))


def test_a_warning_of_before_decides_nothing_when_the_rule_holds_by_now(desk: Desk) -> None:
    _policy(desk, "WARN")
    order_id = desk.place(("PART", 10)).order_id
    desk.validate(order_id, is_granted=False)
    _policy(desk, "HOLD")

    [credit] = desk.read(order_id).holds
    after = desk.release(order_id, credit.hold_id, ACCOUNTING)

    assert [hold.code for hold in after.holds if hold.is_open] == ["LARGE"]


def test_a_warning_stops_no_change_however_much_it_grows(desk: Desk) -> None:
    _policy(desk, "WARN")
    order_id = desk.accepted(("PART", 10))

    changed(desk, order_id, asked(quantity("1", 300)))

    after = desk.read(order_id)
    assert (after.order.version, after.order.lines[0].quantity, after.holds) == (2, 300, ())


def test_what_a_rule_holds_only_when_the_change_is_made_is_asked_before_anything_leaves(desk: Desk) -> None:
    """The customer's list of addresses is cut while the change waits for its reviewers: nobody was asked about that."""
    order_id = _cheap(desk)
    elsewhere = replace(ACME, allowed_ship_tos=(AllowedShipTo("CA"),))
    done = propose(desk, order_id, asked(quantity("1", 9)))
    _put(desk, lambda session: customers.put_customer(session, elsewhere, "root", NOON))
    assert apply(desk, order_id, done.change.change_id).is_applied

    assert [hold.code for hold in desk.read(order_id).holds if hold.is_open] == ["SHIP_TO_NOT_ALLOWED"]


def test_an_approval_of_one_tier_does_not_cover_a_total_of_two(desk: Desk) -> None:
    """10 pumps are over 1,000: the manager; 50 are over 5,000: the finance director too, and the manager again."""
    with_matrix(desk)
    order_id = desk.place(("PUMP", 10)).order_id
    desk.validate(order_id)
    assert [step.position for one in reviews(desk, order_id) for step in one.steps] == ["manager"]

    done = propose(desk, order_id, asked(quantity("1", 50)))
    apply(desk, order_id, done.change.change_id)

    steps = [step for one in reviews(desk, order_id) if one.state == "open" for step in one.steps]
    assert [(step.position, step.order_version) for step in steps] == [("manager", 2), ("finance_director", 2)]
