"""Which price agreement applies: one choice for prices and rules, its cases worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import NamedTuple

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import InvalidArgument
from services.kernel.money import UnitPrice
from services.orders.domain.masterdata import PriceAgreement, Product
from services.orders.domain.pricing import agreement_in_force, reference_price
from services.orders.masterdata import customers, prices
from services.orders.policies import contexts
from services.orders.policies.examples import examples
from services.runtime.migrations import config_of, differences, upgrade
from tests.orders.change_desk import asked, changed, quantity
from tests.orders.desk import ACME, BOLT, NOON, RIVAL, Desk, usd

JANUARY, JUNE, JULY = date(2026, 1, 1), date(2026, 6, 1), date(2026, 7, 1)
PUMP = Product("PUMP", "Pump", list_price=usd("12.00"))


def agreed(
    price: str,
    since: date = JANUARY,
    until: date | None = None,
    *,
    least: int = 1,
    group: str = "",
    currency: str = "USD",
) -> PriceAgreement:
    customer_id = "" if group else "cus_acme"
    price_of_one = UnitPrice.parse(price, currency)
    return PriceAgreement(customer_id, "PUMP", price_of_one, since, until, least, group)


class Case(NamedTuple):
    says: str
    agreements: tuple[PriceAgreement, ...]
    units: int
    on: date
    price: str


CASES = [
    Case("without any the list price", (), 1, JULY, "12.00"),
    Case("the one that began last", (agreed("10.00"), agreed("11.00", JUNE)), 1, JULY, "11.00"),
    Case("however they are stored", (agreed("11.00", JUNE), agreed("10.00")), 1, JULY, "11.00"),
    Case("before it begins the one before", (agreed("10.00"), agreed("9.00", JUNE)), 1, date(2026, 5, 31), "10.00"),
    Case("on its first day", (agreed("10.00"), agreed("9.00", JUNE)), 1, JUNE, "9.00"),
    Case("on its last day", (agreed("10.00"), agreed("9.00", JUNE, JULY)), 1, JULY, "9.00"),
    Case("after its end again", (agreed("10.00"), agreed("9.00", JUNE, JULY)), 1, date(2026, 7, 2), "10.00"),
    Case("below every quantity break", (agreed("10.00", least=10),), 9, JULY, "12.00"),
    Case("at a quantity break", (agreed("11.00"), agreed("10.00", least=10)), 10, JULY, "10.00"),
    Case("between two", (agreed("11.00"), agreed("10.00", least=10), agreed("9.00", least=100)), 99, JULY, "10.00"),
    Case("a later agreement ends older breaks", (agreed("9.00", least=10), agreed("9.50", JUNE)), 50, JULY, "9.50"),
    Case("of the group", (agreed("11.50", group="schools"),), 1, JULY, "11.50"),
    Case("the customer's own first", (agreed("11.80"), agreed("11.50", JUNE, group="schools")), 1, JULY, "11.80"),
    Case(
        "the group's where its own asks for more units",
        (agreed("9.00", least=10), agreed("11.50", group="schools")),
        1,
        JULY,
        "11.50",
    ),
    Case("another currency is no price", (agreed("1.00", currency="EUR"),), 1, JULY, "12.00"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_the_agreement_that_applies_sets_the_price(case: Case) -> None:
    found = reference_price(PUMP, case.agreements, "USD", case.on, case.units)

    assert found is not None
    assert found.price.text == case.price


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_rules_see_the_agreement_that_prices_the_line(case: Case) -> None:
    whole, _bare = examples()
    line = replace(whole.order.lines[0], quantity=case.units)
    noon = NOON.replace(year=case.on.year, month=case.on.month, day=case.on.day)
    evidence = replace(whole, order=replace(whole.order, placed_at=noon), agreements={"PUMP": case.agreements})

    seen = contexts.line_context(line, evidence)["agreement"]

    applies = agreement_in_force(case.agreements, "USD", case.on, case.units)
    assert seen == {"exists": applies is not None, "price": float(case.price) if applies else 0.0}


@given(
    st.permutations(
        [agreed("10.00"), agreed("9.50", least=10), agreed("11.00", JUNE, JULY), agreed("8.00", group="schools")]
    ),
    st.integers(1, 20),
    st.dates(JANUARY, date(2026, 12, 31)),
)
def test_the_choice_does_not_depend_on_the_order_of_rows(rows: list[PriceAgreement], units: int, on: date) -> None:
    assert agreement_in_force(rows, "USD", on, units) == agreement_in_force(rows[::-1], "USD", on, units)


@pytest.mark.parametrize(
    ("first", "second", "is_warned"),
    [
        (agreed("10.00"), agreed("11.00", JUNE), True),
        (agreed("10.00", JUNE), agreed("11.00", JANUARY), True),
        (agreed("10.00", JANUARY, JUNE), agreed("11.00", JUNE), True),
        (agreed("10.00", JANUARY, date(2026, 5, 31)), agreed("11.00", JUNE), False),
        (agreed("10.00"), agreed("11.00"), False),  # replaces it
        (agreed("10.00"), agreed("9.00", JUNE, least=10), False),  # a quantity break
        (agreed("10.00"), agreed("11.00", JUNE, group="schools"), False),  # another party
        (agreed("10.00", group="schools"), agreed("11.00", JUNE, group="schools"), True),
    ],
)
@pytest.mark.on_postgres
def test_an_overlap_is_stored_and_warned_of(
    desk: Desk, first: PriceAgreement, second: PriceAgreement, is_warned: bool
) -> None:
    with desk.database.transaction() as session:
        assert prices.put_agreement(session, first, "root", NOON).warnings == ()
        stored = prices.put_agreement(session, second, "root", NOON)

    assert bool(stored.warnings) == is_warned
    if is_warned:
        assert stored.warnings[0].startswith(f"overlaps the agreement of 10.00 from {first.valid_from}")
        assert "the one from 2026-06-01 applies" in stored.warnings[0]


@pytest.mark.parametrize(
    ("customer_id", "group", "least"), [("", "", 1), ("cus_acme", "schools", 1), ("cus_acme", "", 0)]
)
def test_an_agreement_names_one_party_and_a_quantity(customer_id: str, group: str, least: int) -> None:
    with pytest.raises(InvalidArgument):
        PriceAgreement(customer_id, "PUMP", usd("1.00"), JANUARY, None, least, group)


@pytest.mark.on_postgres
def test_a_customer_pays_its_groups_price_and_nobody_elses(desk: Desk) -> None:
    with desk.database.transaction() as session:
        customers.put_customer(session, replace(ACME, customer_group="schools"), "root", NOON)
        prices.put_agreement(session, agreed("11.50", group="schools"), "root", NOON)
        prices.put_agreement(session, agreed("1.00", group="hospitals"), "root", NOON)

    mine = desk.place(("PUMP", 1))
    others = desk.place(("PUMP", 1), customer_id=BOLT.customer_id, by=RIVAL)

    assert desk.read(mine.order_id).order.lines[0].unit_price == usd("11.50")
    assert desk.read(others.order_id).order.lines[0].price_source == "list"


@pytest.mark.on_postgres
def test_a_line_that_loses_or_reaches_a_quantity_break_is_priced_by_it(desk: Desk) -> None:
    with desk.database.transaction() as session:
        for price, least in (("120.00", 1), ("100.00", 10)):
            prices.put_agreement(session, agreed(price, least=least), "root", NOON)
    order_id = desk.accepted(("PUMP", 10), ("CENT", 1))
    assert desk.read(order_id).order.lines[0].unit_price == usd("100.00")

    changed(desk, order_id, asked(quantity("1", 4)))
    fewer = desk.read(order_id).order.lines[0]
    changed(desk, order_id, asked(quantity("1", 12)), key="2")
    more = desk.read(order_id).order.lines[0]

    assert (fewer.unit_price, fewer.reference_price, fewer.extended.text) == (usd("120.00"), usd("120.00"), "480.00")
    assert (more.unit_price, more.reference_price, more.extended.text) == (usd("100.00"), usd("100.00"), "1200.00")
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_agreements_of_an_older_release_stay_and_hold_from_one_unit_on(desk: Desk) -> None:
    with desk.database.transaction() as session:
        prices.put_agreement(session, agreed("10.00"), "root", NOON)
    with desk.database.alone() as connection:
        command.downgrade(config_of(desk.database.migrations, connection), "0010")

    upgrade(desk.database)

    assert differences(desk.database) == []
    assert desk.read(desk.place(("PUMP", 1)).order_id).order.lines[0].unit_price == usd("10.00")
