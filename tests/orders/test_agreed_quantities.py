"""An agreed price is one of the units it was agreed for, and what a rule blocks is decided by nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from sqlmodel import Session

from services.kernel.errors import Refused
from services.orders.domain.changes import LineChange
from services.orders.domain.masterdata import PriceAgreement, Product
from services.orders.masterdata import catalog, prices
from services.orders.policies import recheck
from services.runtime.db import Database
from tests.orders.change_desk import apply, asked, change, changed, propose, quantity
from tests.orders.desk import NOON, RITA, Desk, usd

PART = Product("PART", "Part", list_price=usd("10.00"))


@pytest.fixture
def desk(database: Database) -> Desk:
    desk = Desk(database)
    _put(desk, lambda session: catalog.put_product(session, PART, "root", NOON))
    return desk


def _put(desk: Desk, act: Callable[[Session], object]) -> None:
    with desk.database.transaction() as session:
        act(session)


def _ended(desk: Desk) -> None:
    _put(desk, lambda session: catalog.put_product(session, replace(PART, is_sellable=False), "root", NOON))


def test_of_a_product_that_ended_what_was_ordered_stays_and_no_more_is_added(desk: Desk) -> None:
    order_id = desk.accepted(("PART", 10))
    _ended(desk)

    with pytest.raises(Refused) as refusal:
        propose(desk, order_id, asked(quantity("1", 11)))
    changed(desk, order_id, asked(quantity("1", 9)))

    assert refusal.value.reason == "SKU_NOT_SELLABLE"


def test_a_product_that_ends_while_a_change_waits_is_not_added(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    done = propose(desk, order_id, asked(LineChange(sku="PART", quantity=5)))
    _ended(desk)

    outcome = apply(desk, order_id, done.change.change_id)

    assert (outcome.is_applied, outcome.reason) == (False, "line 2: The SKU is not sold any more.")
    assert change(desk, order_id, done.change.change_id).customer_reason == outcome.reason


def test_a_block_is_decided_by_nobody(desk: Desk) -> None:
    """Fewer of an ended product are let pass as they stand, which does not make it sellable."""
    order_id = desk.accepted(("PART", 10))
    _ended(desk)
    changed(desk, order_id, asked(quantity("1", 9)))

    with desk.database.reading() as session:
        new = recheck.changed_facts(session, desk.read(order_id).order, desk.now).violations

    assert [one.code for one in new] == ["SKU_NOT_SELLABLE"]


def _agree(desk: Desk, *rows: tuple[str, int, date | None]) -> None:
    def put(session: Session) -> None:
        for price, least, until in rows:
            agreement = PriceAgreement("cus_acme", "PART", usd(price), date(2026, 1, 1), until, least)
            prices.put_agreement(session, agreement, "root", NOON)

    _put(desk, put)


TODAY, YESTERDAY = NOON.date(), date(2026, 11, 22)


@pytest.mark.parametrize(
    ("says", "before", "after", "units", "price", "state"),
    [
        ("the list price of today", (), (), 150, "10.00", "agreed"),
        ("beyond the 100 of an agreement in force", [("9.00", 100, None)], (), 150, "9.00", "agreed"),
        ("up to the next break", [("9.00", 100, None), ("8.00", 200, None)], (), 200, "8.00", "agreed"),
        ("an agreement that has ended", [("9.00", 100, TODAY)], [("9.00", 100, YESTERDAY)], 150, "9.00", "in_review"),
        ("it has ended, and fewer", [("9.00", 100, TODAY)], [("9.00", 100, YESTERDAY)], 99, "9.00", "agreed"),
        ("a lower one by now", (), [("8.00", 1, None)], 150, "10.00", "in_review"),
        ("ended, and another one has breaks", [("5.00", 1, TODAY)], [("5.00", 1, YESTERDAY), ("8.00", 120, None)], 150, "5.00", "in_review"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_an_agreed_price_is_one_of_the_units_it_was_agreed_for(
    desk: Desk,
    says: str,
    before: list[tuple[str, int, date | None]],
    after: list[tuple[str, int, date | None]],
    units: int,
    price: str,
    state: str,
) -> None:
    """100 units are ordered at the price of `before`, then `after` is stored and the customer alone wants other units."""
    _agree(desk, *before)
    order_id = desk.accepted(("PART", 100))
    _agree(desk, *after)

    done = propose(desk, order_id, asked(quantity("1", units)))

    assert done.change.state == state, says
    assert done.proposal.after.lines[0].unit_price == usd(price)


def test_more_of_what_has_no_price_today_asks_sales_for_one(desk: Desk) -> None:
    order_id = desk.accepted(("PART", 10))
    _put(desk, lambda session: catalog.put_product(session, replace(PART, list_price=None), "root", NOON))

    with pytest.raises(Refused) as refusal:
        propose(desk, order_id, asked(quantity("1", 11)))
    changed(desk, order_id, asked(quantity("1", 9)))
    named = propose(desk, order_id, asked(LineChange("1", quantity=11, unit_price=usd("10.00"))), RITA)

    assert refusal.value.reason == "PRICE_MISSING"
    assert named.change.state == "awaiting_customer"
