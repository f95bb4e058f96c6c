"""Races on real databases, each beside a naive twin or a planted order that shows the harness can catch a mistake."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from sqlalchemy import text

from services.inventory import queues
from services.inventory.domain import facts
from services.inventory.queues import BATCH
from services.inventory.store import backorders, batches
from services.runtime.db import Database
from services.runtime.outbox import Notice
from tests import threads
from tests.inventory.stockroom import Stockroom

pytestmark = pytest.mark.on_postgres


def at_once(acts: Sequence[Callable[[], object]]) -> list[object]:
    """Run all acts on a dozen threads that begin together; a failure of one fails the test."""
    return threads.at_once(acts, threads=12, within_s=150)


def one_unit_orders(stockroom: Stockroom, orders: int, units: int) -> tuple[int, int]:
    """Race for units, one each; how many orders were told that they have theirs, and how many that they wait."""
    stockroom.receive("w1", "C", units)

    at_once([partial(stockroom.reserve, f"o{n:04}", {"l1": ("C", 1)}, key=f"order/{n}") for n in range(orders)])

    notified = [fact["lines"]["l1"] for fact in stockroom.facts("stock_reserved")]
    return sum(line["allocated"] for line in notified), sum(line["backordered"] for line in notified)


def test_120_orders_race_for_20_units_and_20_get_one(stockroom: Stockroom) -> None:
    assert one_unit_orders(stockroom, orders=120, units=20) == (20, 100)
    assert stockroom.stock("C") == {"w1": (20, 20)}
    assert stockroom.broken() == {}


def test_orders_that_race_for_the_cheapest_warehouse_are_planned_from_what_is_left_and_none_in_part(
    stockroom: Stockroom,
) -> None:
    """w2 serves three whole orders at 16; who comes later is served by w1 and w3 at 17."""
    for place, sku, units in (("w1", "A", 30), ("w2", "A", 30), ("w2", "B", 12), ("w3", "B", 12)):
        stockroom.receive(place, sku, units)
    wanted, costs = {"l1": ("A", 10), "l2": ("B", 4)}, {"w1": 900, "w2": 1600, "w3": 800}
    orders = [f"o{number}" for number in range(6)]

    at_once([partial(stockroom.reserve, order_id, wanted, costs, key=order_id) for order_id in orders])

    held = sorted(tuple(sorted({place for _, place in stockroom.held(order_id)})) for order_id in orders)
    assert held == [("w1", "w3")] * 3 + [("w2",)] * 3
    assert all(sum(stockroom.held(order_id).values()) == 14 for order_id in orders)
    assert {stockroom.plans(order_id)[0].candidates[0].total_minor for order_id in orders} == {1600, 1700}
    assert stockroom.broken() == {}


@pytest.mark.prove
def test_1000_orders_race_for_100_units_and_100_get_one(stockroom: Stockroom) -> None:
    assert one_unit_orders(stockroom, orders=1000, units=100) == (100, 900)
    assert stockroom.stock("C") == {"w1": (100, 100)}
    assert stockroom.broken() == {}


def test_a_naive_twin_that_reads_and_then_writes_oversells(database: Database) -> None:
    """The same race without a condition in the update: proof that the harness makes writers meet."""
    with database.transaction() as session:
        session.execute(text("CREATE TABLE naive (sku TEXT PRIMARY KEY, on_hand INTEGER, allocated INTEGER)"))
        session.execute(text("INSERT INTO naive VALUES ('C', 20, 0)"))

    def reserve() -> int:
        with database.reading() as session:
            free = session.execute(text("SELECT on_hand - allocated FROM naive")).scalar_one()
        time.sleep(0.002)  # what a network hop between reading and writing would take
        if free < 1:
            return 0
        with database.transaction() as session:
            session.execute(text("UPDATE naive SET allocated = allocated + 1"))
        return 1

    sold = at_once([reserve] * 120)

    assert sum(unit for unit in sold if isinstance(unit, int)) > 20


def test_of_two_shipments_of_an_order_that_leave_at_once_one_ends_its_reservation(stockroom: Stockroom) -> None:
    orders = [f"o{number:02}" for number in range(30)]
    stockroom.receive("w1", "C", 30)
    stockroom.receive("w2", "D", 30)
    for order_id in orders:
        stockroom.reserve(order_id, {"l1": ("C", 1), "l2": ("D", 1)})

    parts = (("w1", {"l1": ("C", 1)}), ("w2", {"l2": ("D", 1)}))
    leaving = [
        partial(stockroom.ship, order_id, f"{order_id}/{place}", place, lines, key=f"{order_id}/{place}")
        for order_id in orders
        for place, lines in parts
    ]
    at_once(leaving)

    with stockroom.database.reading() as session:
        states = session.execute(text("SELECT state, COUNT(*) FROM reservation GROUP BY state")).all()
    assert [tuple(row) for row in states] == [("shipped", 30)]


def test_one_order_sent_many_times_at_once_is_reserved_once(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "C", 10)

    answers = at_once([lambda: stockroom.reserve("o1", {"l1": ("C", 3)}, key="order/o1/reserve/1")] * 24)

    assert all(answer == answers[0] for answer in answers)
    assert stockroom.stock("C") == {"w1": (10, 3)}
    assert stockroom.broken() == {}


def test_opposite_line_orders_do_not_deadlock(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 50)
    stockroom.receive("w1", "B", 50)

    def reserve(n: int) -> object:
        first, second = ("A", "B") if n % 2 else ("B", "A")
        return stockroom.reserve(f"o{n}", {"l1": (first, 1), "l2": (second, 1)}, key=f"order/{n}")

    at_once([partial(reserve, n) for n in range(60)])

    assert stockroom.stock("A") == stockroom.stock("B") == {"w1": (50, 50)}
    assert stockroom.broken() == {}


def test_two_receipts_at_once_do_not_fill_twice(stockroom: Stockroom) -> None:
    for n in range(10):
        stockroom.reserve(f"o{n}", {"l1": ("J", 3)}, placed_days=n)

    at_once([partial(stockroom.receive, "w1", "J", 2, key=f"receipt/{n}") for n in range(20)])

    assert stockroom.stock("J") == {"w1": (40, 30)}
    assert [stockroom.held(f"o{n}") for n in range(10)] == [{("l1", "w1"): 3}] * 10
    assert stockroom.broken() == {}


def test_receipts_and_reservations_at_once_leave_nobody_beside_stock(stockroom: Stockroom) -> None:
    acts: list[Callable[[], object]] = []
    for n in range(40):
        acts.append(partial(stockroom.reserve, f"o{n}", {"l1": ("J", 2)}, key=f"order/{n}"))
        acts.append(partial(stockroom.receive, "w1", "J", 1, key=f"receipt/{n}"))

    at_once(acts)

    assert stockroom.stock("J") == {"w1": (40, 40)}
    assert stockroom.broken() == {}


def test_the_last_fact_of_an_order_knows_all_that_happened_to_it(stockroom: Stockroom) -> None:
    """Receipts of two SKUs fill the same orders at once: neither fact may miss what the other did."""
    for turn in range(6):
        orders = [f"o{turn}{n}" for n in range(6)]
        for order_id in orders:
            stockroom.reserve(order_id, {"l1": ("A", 1), "l2": ("B", 1)})

        at_once([partial(stockroom.receive, "w1", sku, 6, key=f"receipt/{turn}/{sku}") for sku in ("A", "B")])

        assert [stockroom.facts("stock_allocated", one)[-1]["is_complete"] for one in orders] == [True] * 6
    assert stockroom.broken() == {}


def test_releases_shipments_and_receipts_at_once_keep_every_invariant(stockroom: Stockroom) -> None:
    stockroom.receive("w1", "A", 20, "3.33")
    stockroom.receive("w1", "B", 20, "0.07")
    for n in range(30):
        stockroom.reserve(f"o{n}", {"l1": ("A", 1), "l2": ("B", 1)}, placed_days=n)

    acts: list[Callable[[], object]] = []
    for n in range(10):
        lines = {"l1": ("A", 1), "l2": ("B", 1)}
        acts += [
            partial(stockroom.release, f"o{n + 10}"),
            partial(stockroom.ship, f"o{n}", f"s{n}", "w1", lines),
            partial(stockroom.receive, "w2", "A" if n % 2 else "B", 3, "1.11", key=f"receipt/{n}"),
        ]
    at_once(acts)

    assert stockroom.broken() == {}
    assert [stockroom.waiting(f"o{n}") for n in range(20, 30)] == [{}] * 10
    issued = sum(fact["value_minor"] for fact in stockroom.facts("stock_issued"))
    received = sum(fact["value_minor"] for fact in stockroom.facts("stock_received"))
    assert received - issued == stockroom.value()


def test_an_announcement_beside_a_batch_of_news_does_not_deadlock(stockroom: Stockroom) -> None:
    """The batch has taken an order that the announcement tells at once, and one that it leaves to the next batch."""
    if stockroom.database.is_sqlite:
        pytest.skip("writers of SQLite wait for each other before they begin")
    for n in range(BATCH + 2):
        stockroom.reserve(f"o{n:02}", {"l1": ("B", 1)}, {"w1": 900}, placed_days=n)
    with stockroom.database.transaction() as session:
        queue = backorders.whole_queue(session, "B")
        batches.leave_unnotified(session, [queue[0], queue[-1]], stockroom.now)

    with threads.Crew(1) as crew:
        with stockroom.database.transaction() as session:
            moved = batches.take_unnotified(session, [queue[0].order_id, queue[-1].order_id])
            announced = crew.submit(stockroom.expect, "w1", "B", BATCH + 2, "2026-04-01")
            threads.until(lambda: _somebody_waits(stockroom.database))
            queues.notify(session, [Notice(facts.EXPECTED, *one) for one in moved.items()], stockroom.now)
        assert announced.result()
    stockroom.fill_on()

    expected_on = {fact["order_id"]: fact["lines"]["l1"]["expected_on"] for fact in stockroom.facts("stock_expected")}
    assert expected_on == {f"o{n:02}": "2026-04-01" for n in range(BATCH + 2)}


def _somebody_waits(database: Database) -> bool:
    with database.reading() as session:
        return bool(session.execute(text("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")).scalar())
