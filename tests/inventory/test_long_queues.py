"""Thousands wait for one SKU: goods and announcements are answered at once, and the queue is served batch after batch."""

from __future__ import annotations

import random
from functools import partial

import pytest
from sqlalchemy import text

from services.inventory import queues
from services.inventory.domain.backorders import Fill
from services.inventory.domain.distribution import distribute
from services.inventory.filler import QueueFiller
from services.inventory.queues import BATCH
from services.inventory.store import backorders, batches, stock
from tests.inventory.stockroom import Stockroom
from tests.plans import counted
from tests.threads import at_once

SKU = "HOT"
COSTS = ({"w1": 900, "w2": 1000}, {"w2": 900}, {"w1": 900}, {"w2": 700, "w1": 800})
PER_BATCH = 18
"""Statements of a batch, whatever waits behind it; one of them reads the policy, one looks for queues that it has not ranked."""


def queue_up(stockroom: Stockroom, orders: int, *, chance: random.Random | None = None) -> None:
    """So many orders wait, placed on different days, not in the order in which they came; with a chance for more than one unit."""
    days = random.Random(7).sample(range(orders), orders)
    for number, day in enumerate(days):
        units = chance.randint(1, 4) if chance else 1
        costs = chance.choice(COSTS) if chance else {"w1": 900}
        stockroom.reserve(f"ord_{number:05}", {"l1": (SKU, units)}, costs, placed_days=day)


def held(stockroom: Stockroom) -> dict[tuple[str, str], int]:
    """(Order, warehouse) → units."""
    query = text(
        "SELECT r.order_id, a.warehouse_id, a.held_quantity FROM allocation a JOIN reservation r "
        "ON r.reservation_id = a.reservation_id WHERE a.held_quantity > 0"
    )
    with stockroom.database.reading() as session:
        return {(row[0], row[1]): row[2] for row in session.execute(query)}


def by_order(fills: tuple[Fill, ...]) -> dict[tuple[str, str], int]:
    return {(fill.backorder.order_id, fill.warehouse_id): fill.quantity for fill in fills}


def all_at_once(stockroom: Stockroom, free: dict[str, int]) -> dict[tuple[str, str], int]:
    """What one batch for everybody would give."""
    with stockroom.database.reading() as session:
        return by_order(distribute(backorders.whole_queue(session, SKU), free))


@pytest.mark.on_postgres
def test_batches_give_everybody_what_one_for_all_would(stockroom: Stockroom) -> None:
    """Two warehouses, orders that one or both may serve, at costs of their own, too little for all."""
    queue_up(stockroom, 3 * BATCH, chance=random.Random(3))
    wanted = all_at_once(stockroom, {"w1": 200, "w2": 230})

    for place, units in (("w1", 200), ("w2", 230)):
        stockroom.shelve(place, {SKU: units})
    with stockroom.database.transaction() as session:
        stock.take_turns(session, [SKU])
        queues.notify_filled(session, queues.fill_queues(session, [SKU], stockroom.now), stockroom.now)
    first = held(stockroom)
    is_left = stockroom.fill_on() > 0

    assert held(stockroom) == wanted
    assert (is_left, len(first) < len(wanted)) == (True, True)
    assert stockroom.broken() == {}


@pytest.mark.on_postgres
def test_two_receipts_at_the_same_time_and_fillers_of_two_processes_serve_the_queue_in_turn(
    stockroom: Stockroom,
) -> None:
    queue_up(stockroom, 3 * BATCH)
    wanted = all_at_once(stockroom, {"w1": 2 * BATCH + 50})

    at_once([partial(stockroom.receive, "w1", SKU, BATCH + 25, key=f"receipt {number}") for number in range(2)])
    at_once([stockroom.fill_on, stockroom.fill_on])

    assert held(stockroom) == wanted
    assert len(stockroom.facts("stock_allocated")) == 2 * BATCH + 50
    assert stockroom.broken() == {}


def test_a_process_that_ends_between_batches_loses_nothing(stockroom: Stockroom) -> None:
    queue_up(stockroom, 2 * BATCH + 10)
    wanted = all_at_once(stockroom, {"w1": 2 * BATCH + 10})
    answer = stockroom.receive("w1", SKU, 2 * BATCH + 10)
    first, broken = held(stockroom), stockroom.broken()
    filler = QueueFiller(stockroom.database, lambda: stockroom.now)

    # another process, that knows nothing of it but what is stored
    while filler.fill_batch():
        pass

    assert (answer.filled_quantity, len(first), broken) == (BATCH, BATCH, {})
    assert sorted({order for order, _ in first}) == sorted({order for order, _ in list(wanted)[:BATCH]})
    assert held(stockroom) == wanted
    assert stockroom.fill_on() == 0


def test_who_comes_while_a_queue_is_being_served_gets_what_the_queue_will_leave(stockroom: Stockroom) -> None:
    queue_up(stockroom, 2 * BATCH)
    stockroom.receive("w1", SKU, 2 * BATCH + 3)

    new = stockroom.reserve("ord_new", {"l1": (SKU, 5)}, {"w1": 900}, placed_days=3 * BATCH)
    changed = stockroom.change("ord_new", {"l1": (SKU, 6)}, {"w1": 900}, placed_days=3 * BATCH)
    stockroom.fill_on()

    assert [part.quantity for part in new.allocations] == [3]
    assert [part.quantity for part in changed.allocations] == [3]
    assert sum(held(stockroom).values()) == 2 * BATCH + 3
    assert stockroom.waiting("ord_new") == {"l1": 3}


def test_who_comes_for_what_is_not_free_where_they_may_be_served_reads_no_queue(stockroom: Stockroom) -> None:
    with counted(stockroom.database) as usual:
        stockroom.reserve("ord_usual", {"l1": ("COLD", 1)}, {"w3": 900})
    queue_up(stockroom, BATCH + 2)
    stockroom.receive("w1", SKU, BATCH + 2)

    with counted(stockroom.database) as meanwhile:
        stockroom.reserve("ord_new", {"l1": (SKU, 1)}, {"w3": 900}, placed_days=BATCH + 2)

    assert len(meanwhile) == len(usual)


@pytest.mark.on_postgres
def test_a_batch_costs_the_same_whatever_waits_behind_it(stockroom: Stockroom) -> None:
    queue_up(stockroom, 4 * BATCH)

    with counted(stockroom.database) as answered:
        stockroom.receive("w1", SKU, 4 * BATCH)
    with counted(stockroom.database) as first:
        stockroom.fill_batch()
    with counted(stockroom.database) as second:
        stockroom.fill_batch()

    assert (len(first), len(second)) == (PER_BATCH, PER_BATCH)
    assert len(answered) <= 2 * PER_BATCH


@pytest.mark.on_postgres
def test_many_orders_hear_of_other_days_in_batches_each_once_and_of_the_newest(stockroom: Stockroom) -> None:
    queue_up(stockroom, 2 * BATCH + 10)

    with counted(stockroom.database) as answered:
        stockroom.expect("w1", SKU, 2 * BATCH + 10, "2026-04-10")
    notified_at_once = len(stockroom.facts("stock_expected"))
    stockroom.expect("w1", SKU, 2 * BATCH + 10, "2026-04-02")
    stockroom.fill_on()

    notified: dict[str, list[str]] = {}
    for fact in stockroom.facts("stock_expected"):
        notified.setdefault(fact["order_id"], []).append(fact["lines"]["l1"]["expected_on"])
    assert (notified_at_once, len(answered) <= 2 * PER_BATCH) == (BATCH, True)
    assert {days[-1] for days in notified.values()} == {"2026-04-02"}
    assert (len(notified), sum(map(len, notified.values()))) == (2 * BATCH + 10, 2 * BATCH + 10 + BATCH)


@pytest.mark.parametrize("table", ["backorder", "outbox"])
def test_one_that_cannot_go_on_stops_no_other_and_goes_on_once_it_can(stockroom: Stockroom, table: str) -> None:
    """Goods for two SKUs, and orders that are to hear of days: the first of each cannot be written."""
    for place, sku in enumerate(("BAD", "GOOD")):
        for number in range(BATCH + 2):
            stockroom.reserve(f"{sku}_{number:02}", {"l1": (sku, 1)}, {"w1": 900}, placed_days=place)
        stockroom.expect("w1", sku, BATCH + 2, "2026-04-01")
        stockroom.receive("w1", sku, BATCH + 1)
    refuse(stockroom, *REFUSED[table])
    filler = QueueFiller(stockroom.database, lambda: stockroom.now)

    while filler.fill_batch():
        pass
    meanwhile = left(stockroom)
    allow(stockroom, table)
    while filler.fill_batch():
        pass

    assert meanwhile == (["BAD"], []) if table == "backorder" else ([], ["BAD_50"])
    assert left(stockroom) == ([], [])
    assert [stockroom.stock(sku)["w1"] for sku in ("BAD", "GOOD")] == [(BATCH + 1, BATCH + 1)] * 2


REFUSED = {
    "backorder": ("UPDATE ON backorder", "new.sku = 'BAD'"),
    "outbox": ("INSERT ON outbox", "new.kind = 'stock_expected' AND new.order_id = 'BAD_50'"),
}


def refuse(stockroom: Stockroom, act: str, when: str) -> None:
    """A trigger stands for whatever is wrong with one SKU or order."""
    with stockroom.database.transaction() as session:
        if stockroom.database.engine.dialect.name == "postgresql":
            session.execute(
                text("CREATE FUNCTION planted() RETURNS trigger AS 'BEGIN RAISE ''planted''; END' LANGUAGE plpgsql")
            )
            session.execute(
                text(f"CREATE TRIGGER refused BEFORE {act} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION planted()")
            )
        else:
            session.execute(
                text(f"CREATE TRIGGER refused BEFORE {act} WHEN {when} BEGIN SELECT RAISE(ABORT, 'planted'); END")
            )


def allow(stockroom: Stockroom, table: str) -> None:
    """Nothing is wrong any more."""
    of_table = f" ON {table}" if stockroom.database.engine.dialect.name == "postgresql" else ""
    with stockroom.database.transaction() as session:
        session.execute(text(f"DROP TRIGGER refused{of_table}"))


def left(stockroom: Stockroom) -> tuple[list[str], list[str]]:
    """SKUs whose queues are still to be filled, and orders that are still to hear of other days."""
    with stockroom.database.reading() as session:
        return batches.next_left(session, BATCH), batches.next_unnotified(session, BATCH)
