"""Of two who replace the same version of master data at once, one is refused: nobody's change is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session

from services.kernel.errors import Refused
from services.kernel.money import UnitPrice
from services.orders.domain.exchange import ExchangeRate
from services.orders.domain.masterdata import Customer, PriceAgreement, Product
from services.orders.domain.people import Person
from services.orders.masterdata import catalog, customers, exchange, people, prices
from services.runtime.db import Database
from tests.orders.desk import NOON
from tests.threads import at_once

pytestmark = pytest.mark.on_postgres

WRITERS = 6
Put = Callable[[Session, Any, "int | None"], Any]
Step = Callable[[Any, int], Any]


def _price(number: int) -> UnitPrice:
    return UnitPrice(Decimal(100 + number), "USD")


KINDS: dict[str, tuple[Any, Step, Put]] = {
    "customer": (
        Customer("cus_race", "Race", "USD"),
        lambda one, number: replace(one, name=f"Race {number}"),
        lambda session, one, seen: customers.put_customer(session, one, "root", NOON, seen),
    ),
    "product": (
        Product("RACE", "Race"),
        lambda one, number: replace(one, description=f"Race {number}"),
        lambda session, one, seen: catalog.put_product(session, one, "root", NOON, seen),
    ),
    "price": (
        PriceAgreement("", "RACE", _price(0), date(2026, 1, 1), customer_group="plants"),
        lambda one, number: replace(one, price=_price(number)),
        lambda session, one, seen: prices.put_agreement(session, one, "root", NOON, seen).agreement,
    ),
    "exchange rate": (
        ExchangeRate("KWD", "USD", Decimal(3), date(2026, 1, 1)),
        lambda one, number: replace(one, rate=Decimal(3 + number)),
        lambda session, one, seen: exchange.put_rate(session, one, "root", NOON, seen),
    ),
    "person": (
        Person("racer", "Race", "", ("support",)),
        lambda one, number: replace(one, name=f"Race {number}"),
        lambda session, one, seen: people.put_person(session, one, "root", NOON, seen),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_of_all_who_saw_one_version_exactly_one_replaces_it(database: Database, kind: str) -> None:
    first, changed, put = KINDS[kind]
    stored = _put(database, put, first, None)
    assert stored is not None

    outcomes = at_once([partial(_put, database, put, changed(first, n), stored.version) for n in range(1, WRITERS + 1)])

    winners = [one for one in outcomes if one is not None]
    assert [one.version for one in winners] == [stored.version + 1]
    assert _put(database, put, winners[0], stored.version + 1) == winners[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_naive_twin_loses_changes(database: Database, kind: str) -> None:
    """Without a version everybody replaces what everybody else has written: the harness bites."""
    first, changed, put = KINDS[kind]
    stored = _put(database, put, first, None)
    assert stored is not None

    outcomes = at_once([partial(_put, database, put, changed(first, n), None) for n in range(1, WRITERS + 1)])

    versions = sorted(one.version for one in outcomes if one is not None)
    assert versions == [stored.version + n for n in range(1, WRITERS + 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_version_of_what_is_not_there_creates_nothing(database: Database, kind: str) -> None:
    first, _, put = KINDS[kind]

    assert _put(database, put, first, 1) is None
    assert _put(database, put, first, None).version == 1


def _put(database: Database, put: Put, value: Any, seen: int | None) -> Any:
    try:
        with database.transaction() as session:
            return put(session, value, seen)
    except Refused as refused:
        if refused.reason != "VERSION_STALE":
            raise
        return None
