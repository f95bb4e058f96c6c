"""What the console asks of the database, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from services.kernel.errors import Refused
from services.orders.access import logins
from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.overview import OverviewFilter
from services.orders.lifecycle import dead_letters
from services.orders.models import PersonRow
from services.orders.store import dashboard, facts, masterdata, overview
from services.orders.store import dead_letters as store
from services.orders.store import logins as login_store
from services.orders.store.facts import LateFact
from services.runtime.auth import Principal
from services.runtime.migrations import config_of, differences, upgrade
from tests.orders.desk import ADMIN, CONTACTS, NOON, RIVAL, SUPPORT, Desk, shipment, stock, together

SUE = Principal("sue", frozenset({"support"}))


def backordered(desk: Desk) -> str:
    order_id = desk.accepted(("PUMP", 5), ("CENT", 12), channel="edi")
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (0, 5), "2": (0, 12)}, "2026-12-03")))
    return order_id


def held(desk: Desk) -> str:
    order_id = desk.place(("PUMP", 1)).order_id
    desk.validate(order_id, is_granted=False)
    return order_id


@pytest.mark.on_postgres
def test_what_waits_is_counted_for_each_role_and_within_the_scope(desk: Desk) -> None:
    backordered(desk)
    held(desk)
    desk.place(("CENT", 1), by=RIVAL, customer_id="cus_bolt")

    with desk.database.reading() as session:
        everything = dashboard.waiting(session, EVERYTHING, ["accounting", "sales_rep"], date(2026, 12, 10))
        theirs = dashboard.waiting(session, Scope(company="cus_bolt"), ["accounting"], date(2026, 12, 10))

    assert everything.for_role == {"accounting": 1, "sales_rep": 0}
    assert (everything.backordered, everything.held, everything.open, everything.to_ship) == (1, 1, 3, 0)
    assert (everything.dated, everything.past_due) == (1, 1)
    assert (theirs.for_role, theirs.open, theirs.backordered) == ({"accounting": 0}, 1, 0)


@pytest.mark.on_postgres
def test_the_overview_finds_a_customer_by_a_part_of_its_name_in_any_case(desk: Desk) -> None:
    with desk.database.transaction() as session:
        known = masterdata.customer(session, "cus_acme")
        masterdata.put_customer(session, replace(known, name="MÜLLER & SÖHNE"), "ada", desk.now)
    placed = desk.place(("PUMP", 1)).number

    def numbers(q: str) -> list[str]:
        with desk.database.reading() as session:
            return [row.number for row in overview.overview(session, EVERYTHING, OverviewFilter(q=q)).rows]

    assert (numbers("müller"), numbers("Söhn"), numbers("SÖHN"), numbers("meier")) == ([placed], [placed], [placed], [])


def test_an_order_partly_at_work_and_partly_short_waits_for_both_and_counts_for_both(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 5), ("CENT", 12))
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (5, 0), "2": (0, 12)}, "2026-12-03")))
    desk.notify(
        desk.fact(order_id, "fulfillment", "shipments_released", 1, together(shipment("SH-1", "released", {"1": 5})))
    )

    waits = desk.read(order_id).standing.waiting_for
    with desk.database.reading() as session:
        found = dashboard.waiting(session, EVERYTHING, ["warehouse", "supplier"], date(2026, 12, 10))
        listed = [
            overview.overview(session, EVERYTHING, OverviewFilter(needs=role)).rows
            for role in ("warehouse", "supplier")
        ]

    assert waits is not None
    assert (waits.who, waits.what) == ("warehouse, supplier", "pick, pack and ship SH-1; stock for 12 units")
    assert (found.for_role, found.to_ship, found.backordered) == ({"warehouse": 1, "supplier": 1}, 1, 1)
    assert [[row.order_id for row in rows] for rows in listed] == [[order_id], [order_id]]


def test_a_service_waits_to_be_performed_and_goods_to_be_picked(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 5), ("INSTALL", 8))
    visit = shipment("SH-2", "released", {"2": 8})
    desk.notify(
        desk.fact(order_id, "fulfillment", "shipments_released", 1, together(shipment("SH-1", "released", {"1": 5}))),
        desk.fact(
            order_id,
            "fulfillment",
            "shipments_released",
            2,
            together(visit | {"shipment": visit["shipment"] | {"is_service": True}}),
        ),
    )

    both = desk.read(order_id).standing.waiting_for
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_delivered", 3, shipment("SH-1", "delivered", {"1": 5})))
    rest = desk.read(order_id).standing.waiting_for

    assert both is not None
    assert (both.who, both.what) == ("warehouse", "pick, pack and ship SH-1; perform the service SH-2")
    assert rest is not None
    assert (rest.who, rest.what) == ("warehouse", "perform the service SH-2")


@pytest.mark.on_postgres
def test_the_figures_above_the_overview_are_sums_of_what_was_ordered(desk: Desk) -> None:
    backordered(desk)
    held(desk)
    month = desk.now - timedelta(days=30)

    with desk.database.reading() as session:
        by_channel = dashboard.waiting(session, EVERYTHING, [], date(2026, 12, 10)).by_channel
        ages = dashboard.held_since(session, EVERYTHING, [desk.now - timedelta(hours=4)])
        service = dashboard.service_since(session, EVERYTHING, month)
        margins = dashboard.margins_since(session, EVERYTHING, month)
        history = dashboard.history_of(session, "cus_acme", month)

    assert by_channel == {"edi": {"backordered": 1}, "web": {"on_hold": 1}}
    assert ages == [1, 1]
    assert (service.accepted, service.filled_at_once) == (1, 0)
    # six pumps at 129.00, each costing 80.00; CENT has no cost
    assert [(str(one.sold), str(one.cost), str(one.percent)) for one in margins] == [
        ("774.00 USD", "480.00 USD", "38.0")
    ]
    assert (history.placed, history.refused, history.cancelled) == (2, 0, 0)
    # 5 x 129.00 + 12 x 33.33 and 129.00, each with 7.25 % of tax
    assert [str(one) for one in history.sold] == ["1259.07 USD"]


@pytest.mark.on_postgres
def test_the_overview_finds_a_whole_sku_and_what_is_past_its_day(desk: Desk) -> None:
    found = desk.read(backordered(desk)).order.number
    held(desk)

    def numbers(**wanted: Any) -> list[str]:
        with desk.database.reading() as session:
            return [row.number for row in overview.overview(session, EVERYTHING, OverviewFilter(**wanted)).rows]

    assert numbers(q="CENT") == [found]
    assert numbers(due_before=date(2026, 12, 4)) == [found]
    assert numbers(due_before=date(2026, 12, 3)) == []


def test_a_login_is_good_until_it_ends_and_no_longer_than_its_person(desk: Desk) -> None:
    with desk.database.transaction() as session:
        opened = logins.open_login(session, SUE, desk.now, is_by_password=False)
        short = logins.open_login(session, SUE, desk.now, desk.now + timedelta(minutes=1), is_by_password=False)

    def good(cookie: str, after: timedelta) -> bool:
        with desk.database.reading() as session:
            return logins.find_login(session, cookie, desk.now + after) is not None

    assert [good(opened.cookie, timedelta(hours=hours)) for hours in (0, 7, 8)] == [True, True, False]
    assert [good(short.cookie, timedelta(seconds=seconds)) for seconds in (59, 60)] == [True, False]
    with desk.database.transaction() as session:
        session.add(_person("sue", is_active=False))
    assert not good(opened.cookie, timedelta())


@pytest.mark.on_postgres
def test_a_password_is_replaced_and_ends_the_logins_before(desk: Desk) -> None:
    with desk.database.transaction() as session:
        session.add(_person("sue", is_active=True))
        logins.set_password(session, "sue", "hash one", desk.now)
        opened = logins.open_login(session, SUE, desk.now, is_by_password=True)
    with desk.database.transaction() as session:
        logins.set_password(session, "sue", "hash two", desk.now)

    with desk.database.reading() as session:
        assert login_store.secret_of(session, "sue") == ("hash two", True)
        assert logins.find_login(session, opened.cookie, desk.now) is None
        assert login_store.person(session, "sue") == Principal("sue", frozenset({"support"}))


def _person(sub: str, *, is_active: bool) -> PersonRow:
    return PersonRow(
        sub=sub, name=sub, email="", roles=["support"], positions=[], company="", manager="", calendar="",
        is_active=is_active, limits={}, changed_at=NOON, changed_by="root",
    )  # fmt: skip


def dead(desk: Desk) -> str:
    """A dead message, a late fact and a fact of no order; gives the order of the first two."""
    order_id = desk.accepted(("PUMP", 1))
    with desk.database.transaction() as session:
        session.execute(text("UPDATE outbox SET state = 'dead', last_error = 'no such mailbox' WHERE kind = 'notify'"))
        facts.keep_late(session, LateFact("fact_9/stock_allocated", "stock_allocated", order_id, "", desk.now))
    desk.notify(desk.fact("ord_gone", "billing", "invoice_issued", 1, {}))
    return order_id


@pytest.mark.on_postgres
def test_dead_letters_are_listed_and_counted_until_they_are_dismissed(desk: Desk) -> None:
    number = desk.read(dead(desk)).order.number

    with desk.database.reading() as session:
        rows, count = store.outstanding(session), store.count(session)
    with desk.database.transaction() as session:
        for row in rows:
            dead_letters.dismiss(session, row.source, row.subject_id, "looked at it", ADMIN, desk.now)
    with desk.database.reading() as session:
        after, actions = store.count(session), store.newest_actions(session)

    assert count == {"message": 2, "late_fact": 1, "fact": 1}  # two mails of the order
    assert len(rows) == 4
    assert {row.source: row.order_number for row in rows} == {"message": number, "late_fact": number, "fact": ""}
    assert after == dict.fromkeys(count, 0)
    assert {(one.action, one.reason, one.done_by) for one in actions} == {("dismiss", "looked at it", "root")}


@pytest.mark.on_postgres
def test_what_was_done_before_dead_letters_had_their_name_is_kept(desk: Desk) -> None:
    dead(desk)
    with desk.database.transaction() as session:
        dead_letters.record(session, "message", "fct_1", "dismiss", "looked at it", ADMIN, desk.now)
        kept = store.newest_actions(session)
    with desk.database.alone() as connection:
        command.downgrade(config_of(desk.database.migrations, connection), "0007")

    upgrade(desk.database)

    with desk.database.reading() as session:
        assert store.newest_actions(session) == kept
    assert differences(desk.database) == []


@pytest.mark.on_postgres
def test_each_kind_is_tried_again_in_its_way_and_not_twice(desk: Desk) -> None:
    order_id = dead(desk)
    with desk.database.reading() as session:
        rows = {row.source: row.subject_id for row in store.outstanding(session)}

    with desk.database.transaction() as session:
        for source, subject_id in rows.items():
            dead_letters.retry(session, source, subject_id, SUPPORT, CONTACTS, desk.now)

    with desk.database.reading() as session:
        left = {row.source for row in store.outstanding(session)}
    assert desk.signals(order_id)[-1] == "stock_allocated"
    assert left == {"message", "fact"}  # the other mail, and the fact whose order is still not there
    for source in ("message", "late_fact"):
        with pytest.raises(Refused), desk.database.transaction() as session:
            dead_letters.retry(session, source, rows[source], SUPPORT, CONTACTS, desk.now)
