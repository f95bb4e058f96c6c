"""What reading and deciding reviews costs does not grow with the orders that wait."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from services.orders.models import Table
from services.orders.overview import inbox
from services.runtime.db import Database
from tests.orders.review_desk import FAY, MAX, PEG, ReviewDesk
from tests.orders.test_plans import recorded, scans

FEW = 100
PARKED = 5_000
MOST_TIMES = 5
"""What a page of fifty times as many orders may cost, counts included; 1.6 on SQLite, 1.1 on PostgreSQL today."""


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def park(desk: ReviewDesk, count: int) -> None:
    """Copies of one order in review, with their lines, progress, review and steps."""
    order_id = desk.reviewed(200)
    with desk.database.transaction() as session:
        for name in ("sales_order", "order_line", "order_progress", "review", "review_step"):
            table = Table.metadata.tables[name]
            rows = [dict(row) for row in session.execute(select(table).where(table.c.order_id == order_id)).mappings()]
            copies = [copied(row, number) for number in range(count) for row in rows]
            for start in range(0, len(copies), 500):
                session.execute(insert(table), copies[start : start + 500])
        session.execute(text("ANALYZE"))  # as the database does by itself after a while


def copied(row: dict[str, Any], number: int) -> dict[str, Any]:
    ids = ("order_id", "review_id", "step_id", "number", "request_key", "start_fact_id")
    return {**row, **{name: f"{row[name]}-{number}" for name in ids if name in row}}


def test_no_statement_of_a_reviews_life_reads_a_whole_table(desk: ReviewDesk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("PostgreSQL reads small tables from end to end whatever their indexes")
    statements: dict[str, Any] = {}
    recorded(desk.database, statements)

    order_id = desk.reviewed(200)
    desk.pass_deadline(order_id)
    desk.decide(order_id, MAX)
    with desk.database.reading() as session:
        for which in ("me", "team", "all"):
            inbox.page(session, FAY, which, desk.now)
        inbox.page(session, PEG, "all", desk.now)
        inbox.counts(session, FAY, desk.now)
    desk.decide(order_id, FAY)

    seen = dict(statements)
    assert len(seen) > 30
    assert scans(desk, seen) == []


@pytest.mark.on_postgres
def test_a_page_of_a_full_inbox_is_read_at_once(desk: ReviewDesk) -> None:
    park(desk, 200)

    with desk.database.reading() as session:
        first = inbox.page(session, MAX, "me", desk.now, limit=50)
        counts = inbox.counts(session, MAX, desk.now)

    assert len(first.rows) == 50
    assert first.next_cursor
    assert (counts.mine, counts.team) == (201, 201)
    assert all(row.obstacle is None for row in first.rows)


def fastest_page_s(desk: ReviewDesk) -> float:
    """Seconds a page with its counts takes: the fastest of 15, because others may be at work on this machine."""
    taken = []
    with desk.database.reading() as session:
        for which in ("me", "team", "all") * 5:
            begun = perf_counter()
            inbox.page(session, MAX, which, desk.now, limit=50)
            inbox.counts(session, MAX, desk.now)
            taken.append(perf_counter() - begun)
    return min(taken)


@pytest.mark.prove
@pytest.mark.quiet
def test_a_page_of_5000_orders_in_review_costs_little_more_than_one_of_100(desk: ReviewDesk) -> None:
    park(desk, FEW)
    of_few = fastest_page_s(desk)
    park(desk, PARKED)
    of_many = fastest_page_s(desk)

    engine = desk.database.engine.dialect.name
    print(f"{engine}: a page of {FEW} orders in review {of_few * 1000:.1f} ms, of {PARKED} {of_many * 1000:.1f} ms")
    assert of_many / of_few < MOST_TIMES
