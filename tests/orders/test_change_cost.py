"""What a change costs: the rules are asked once a request, and the database no more often for many lines than for few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from sqlalchemy import text

from services.orders.domain.changes import ChangeRequest, LineChange
from services.orders.domain.masterdata import AllowedShipTo, Product
from services.orders.masterdata import catalog, customers
from services.orders.policies import engine
from services.orders.store import masterdata as store
from services.orders.store.holds import violations_of
from services.runtime.db import Database
from tests.orders.change_desk import answer, apply, asked, changed, preview, propose, quantity
from tests.orders.desk import ACME, NOON, RITA, Desk, usd
from tests.plans import counted

FEW, MANY = 10, 499
Result = TypeVar("Result")
Cost = tuple[int, int]
"""Statements and evaluations."""


class CountingDesk(Desk):
    """A desk that counts what it asks of the database and of the rules."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        with database.transaction() as session:
            for number in range(MANY):
                catalog.put_product(session, Product(f"S{number}", "Thing", list_price=usd("1.00")), "root", NOON)
        self.accepted(("S0", 1))  # what a process reads once it has read then

    def costs(self, act: Callable[[], Result]) -> tuple[Result, Cost]:
        """What an act gives, and the statements and evaluations that it took: each takes the policy's programs once."""
        before = _taken()
        with counted(self.database) as sent:
            result = act()
        return result, (len(sent), _taken() - before)


def _taken() -> int:
    uses = engine.compiled.cache_info()
    return uses.hits + uses.misses


@pytest.fixture
def desk(database: Database) -> CountingDesk:
    return CountingDesk(database)


def _added(lines: int) -> ChangeRequest:
    return asked(*(LineChange(sku=f"S{number}", quantity=2) for number in range(1, lines)))


def _change(desk: CountingDesk, lines: int) -> list[Cost]:
    """The costs of a preview, a proposal and the application of so many added lines."""
    order_id = desk.accepted(("S0", 1))
    _, shown = desk.costs(lambda: preview(desk, order_id, _added(lines)))
    done, agreed = desk.costs(lambda: propose(desk, order_id, _added(lines)))
    outcome, made = desk.costs(lambda: apply(desk, order_id, done.change.change_id))
    assert outcome.is_applied
    return [shown, agreed, made]


def test_a_change_of_many_lines_asks_no_more_often_than_one_of_few(desk: CountingDesk) -> None:
    few, many = _change(desk, FEW), _change(desk, MANY)

    assert many == few == [(15, 1), (29, 1), (27, 1)]


def test_a_change_asks_less_than_twice_as_often_as_the_placing_of_its_order(desk: CountingDesk) -> None:
    lines = [(f"S{number}", 2) for number in range(MANY)]
    _, placed = desk.costs(lambda: desk.accepted(*lines))

    _, agreed, made = _change(desk, MANY)

    assert placed == (45, 1)
    assert (agreed[0] + made[0], agreed[1] + made[1]) == (56, 2)


def test_the_version_that_stands_is_evaluated_once_and_only_where_something_is_new(desk: CountingDesk) -> None:
    """The customer's addresses are cut after the order: what is asked is whether that is more than stood there before."""
    order_id = desk.accepted(("S0", 10))
    elsewhere = replace(ACME, allowed_ship_tos=(AllowedShipTo("CA"),))
    with desk.database.transaction() as session:
        customers.put_customer(session, elsewhere, "root", NOON)

    _, (_, evaluations) = desk.costs(lambda: propose(desk, order_id, asked(quantity("1", 11))))

    assert evaluations == 2


def test_a_line_rule_that_names_all_lines_sees_them_and_rules_keep_their_order(desk: CountingDesk) -> None:
    """Rules that name no other line are evaluated without the list of lines, which costs its length for each of them."""
    warns = {"scope": "line", "severity": "WARN", "message": "Look."}
    rules = [
        {**warns, "code": "SEVERAL", "when": "lines.exists(other, other.line_id != line.line_id)"},
        {**warns, "code": "EVERY", "when": "line.quantity > 0"},
        {**warns, "code": "LAST", "when": "size(lines) == 2 && lines[1].sku == line.sku"},
    ]
    with desk.database.transaction() as session:
        store.add_policy(
            session, {"rules": rules}, "root", NOON
        )  # as an older release took it: today it costs too much

    order_id = desk.accepted(("S0", 1), ("S1", 1))

    with desk.database.reading() as session:
        said = [(one.code, one.line_id) for one in violations_of(session, order_id)]
    assert said == [("SEVERAL", "1"), ("SEVERAL", "2"), ("EVERY", "1"), ("EVERY", "2"), ("LAST", "2")]


@pytest.mark.parametrize("kept", ["last_line_id", "NULL"], ids=["kept by each change", "of an older release"])
def test_a_line_id_is_given_once_though_its_change_never_came_about(desk: CountingDesk, kept: str) -> None:
    order_id = desk.accepted(("S0", 1), ("S1", 1))
    gone = propose(desk, order_id, asked(LineChange(sku="S2", quantity=1)), RITA).change
    answer(desk, order_id, gone.change_id, "decline")
    changed(desk, order_id, asked(quantity("2", 0)))
    with desk.database.transaction() as session:
        session.execute(text(f"UPDATE change_order SET last_line_id = {kept}"))

    done = propose(desk, order_id, asked(LineChange(sku="S3", quantity=1)))

    assert [line.line_id for line in done.proposal.after.lines] == ["1", "4"]
