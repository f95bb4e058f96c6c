"""What open orders rest on is carried with them or refused: each kind of edit, and which of the two.

Refused elsewhere: another currency of a customer with exposure or a living order (tests/api/test_replaced_master_data.py), a rate
that a shipment needs (tests/fulfillment/test_rate_table.py). Asked again: what rules look at (test_changed_facts.py). Who acts where
people left: test_everything_has_an_owner.py. A warehouse that closes: tests/inventory/test_warehouse_versions.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.kernel.errors import Refused
from services.orders.domain.masterdata import PriceAgreement, Product
from services.orders.domain.people import Person
from services.orders.masterdata import catalog, customers, people, prices
from services.orders.policies import versions
from services.runtime.db import Database
from tests.orders.change_desk import asked, changed, quantity
from tests.orders.desk import ACME, NOON, Desk, usd
from tests.orders.review_desk import AROUND_THE_CLOCK, OVER_5000, ReviewDesk

PUMP = Product("PUMP", "Pump", list_price=usd("129.00"), standard_cost=usd("80.00"), weight_grams=9000)
Edit = Callable[[Any], object]


def _customer(**members: Any) -> Edit:
    return lambda session: customers.put_customer(session, replace(ACME, **members), "root", NOON)


def _pump(**members: Any) -> Edit:
    return lambda session: catalog.put_product(session, replace(PUMP, **members), "root", NOON)


def _price(**members: Any) -> Edit:
    agreed = PriceAgreement("cus_acme", "PUMP", usd("99.00"), date(2026, 1, 1))
    return lambda session: prices.put_agreement(session, replace(agreed, **members), "root", NOON)


CARRIED: dict[str, Edit] = {
    "payment terms": _customer(net_days=7),
    "kind of payment terms": _customer(net_days=15, terms="2/10 eom 15"),
    "calendar of due dates": _customer(calendar="US-TX"),
    "invoicing policy": _customer(invoicing="monthly"),
    "tax rate": _customer(tax_rate=Decimal("0.2")),
    "customer group": _customer(customer_group="plants"),
    "tier": _customer(tier="bronze"),
    "name": _customer(name="Acme Inc."),
    "sales representative": _customer(sales_rep="nobody"),
    "duplicate PO policy": _customer(duplicate_po="block"),
    "goods become a service": _pump(kind="service"),
    "stock becomes built to order": _pump(kind="build_to_order", lead_days=9),
    "weight": _pump(weight_grams=1),
    "description": _pump(description="Another pump"),
    "list price": _pump(list_price=usd("200.00")),
    "list price in another currency": _pump(list_price=replace(usd("200.00"), currency="EUR"), standard_cost=None),
    "no list price": _pump(list_price=None, standard_cost=None),
    "a price that begins": _price(),
    "a price that has ended": _price(valid_to=date(2026, 1, 31)),
}
"""What is edited while an order is open: the order keeps what it was placed under."""


@pytest.mark.parametrize("what", CARRIED)
def test_an_accepted_order_keeps_what_it_was_placed_under(database: Database, what: str) -> None:
    desk = Desk(database)
    order_id = desk.accepted(("PUMP", 4))
    before = desk.read(order_id).order

    with desk.database.transaction() as session:
        CARRIED[what](session)

    assert desk.read(order_id).order == before
    assert desk.broken() == []


@pytest.mark.parametrize("what", CARRIED)
def test_and_a_change_of_it_keeps_them_for_the_lines_that_it_has(database: Database, what: str) -> None:
    desk = Desk(database)
    order_id = desk.accepted(("PUMP", 4))
    before = desk.read(order_id).order
    with desk.database.transaction() as session:
        CARRIED[what](session)

    changed(desk, order_id, asked(quantity("1", 3)))

    after = desk.read(order_id).order
    kept = ("kind", "description", "unit_weight_grams", "unit_price", "sku")
    assert [[getattr(line, name) for name in kept] for line in after.lines] == [
        [getattr(line, name) for name in kept] for line in before.lines
    ]
    kept = ("tax_rate", "net_days", "terms", "calendar", "currency")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert desk.broken() == []


@pytest.mark.parametrize("gone", ["calendar", "rule"])
def test_deadlines_and_questions_of_an_open_review_are_those_of_its_policy(database: Database, gone: str) -> None:
    around = {"hours": {"time_zone": "America/Chicago"}}
    desk = ReviewDesk(database, calendars=around, deadlines={"calendar": "hours"})
    order_id = desk.reviewed(40)
    before, deadline = desk.steps(order_id), desk.deadline(order_id)

    if gone == "calendar":
        desk.policy(reviews=[OVER_5000], deadlines=AROUND_THE_CLOCK)
    else:
        desk.policy(reviews=[], calendars=around, deadlines={"calendar": "hours"})

    assert (desk.steps(order_id), desk.deadline(order_id)) == (before, deadline)
    assert desk.broken() == []


def test_a_calendar_that_people_go_by_stays_in_the_policy(database: Database) -> None:
    desk = ReviewDesk(database, calendars={"plant": {"opens": "06:00"}})
    desk.person(Person("wei", "Wei", "", ("manufacturing",), calendar="plant"))

    with pytest.raises(Refused) as refused:
        desk.policy()

    assert refused.value.reason == "CALENDAR_IN_USE"
    assert "plant: wei" in refused.value.message
    with desk.database.transaction() as session:
        people.put_person(session, Person("wei", "Wei", "", ("manufacturing",), is_active=False), "root", desk.now)
    desk.policy()
    with desk.database.reading() as session:
        assert versions.policy_in_force(session).calendar("plant") is None
