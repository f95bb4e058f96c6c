"""Races through the public API, each beside a naive twin that shows that the racers really meet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import create_engine, text

from tests import postgres
from tests.faults.journey import Goods, Shop
from tests.faults.pages import every_row
from tests.system.harness import System
from tests.system.trade import Trade, ok, wait_for
from tests.threads import Crew, at_once

THREADS = 12
NEVER_HANGS = {"connect_timeout": 10, "options": "-c statement_timeout=30s"}


def by_a_dozen(acts: Sequence[Callable[[], int]]) -> list[int]:
    """Run all acts on a dozen threads."""
    with Crew(THREADS, within_s=60 + 0.4 * len(acts)) as crew:
        return crew.map(lambda act: act(), acts)


def one_unit_orders(trade: Trade, goods: Goods, orders: int) -> tuple[int, int, int]:
    """So many people each want one unit; how many are allocated, and how many backordered.

    The last figure is what a naive twin promises, which promises whatever it sees on the shelf when it is asked.
    """

    def buy() -> int:
        on_hand, allocated = trade.stock(goods.sku)[goods.warehouse_id]
        is_promised_by_the_twin = on_hand - allocated >= 1
        ok(trade.place(trade.order_body(goods.customer_id, [{"sku": goods.sku, "quantity": 1}])))
        return int(is_promised_by_the_twin)

    promised_by_the_twin = by_a_dozen([buy] * orders)
    lines = wait_for(lambda: settled(trade, goods.customer_id, orders), "every order's verdict", 120)

    allocated, backordered = (sum(line[name] for line in lines) for name in ("allocated", "backordered"))
    return allocated, backordered, sum(promised_by_the_twin)


def settled(trade: Trade, customer_id: str, orders: int) -> list[dict[str, int]] | None:
    """The quantities of every one-line order once each unit is allocated or backordered; None until then."""
    rows = every_row(trade.system.api("auditor"), "/v1/orders", customer_id=customer_id)
    if any(row["status"] not in {"in_fulfilment", "backordered"} for row in rows):
        return None
    lines = [trade.order(row["order_id"])["lines"][0]["quantities"] for row in rows]
    assert len(lines) == orders
    return lines if all(line["allocated"] + line["backordered"] == 1 for line in lines) else None


def test_60_orders_race_for_6_units_and_6_get_one(system: System) -> None:
    trade = Trade(system)
    goods = stocked(trade, "C", 6)

    allocated, backordered, promised_by_the_twin = one_unit_orders(trade, goods, orders=60)

    assert promised_by_the_twin > 6
    assert (allocated, backordered) == (6, 54)
    assert trade.stock(goods.sku) == {goods.warehouse_id: (6, 6)}
    trade.until_audit_is_clean()


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_1000_orders_race_for_100_units_and_100_get_one(shop: Shop) -> None:
    trade, goods = shop.trade(), shop.goods(units=100)

    allocated, backordered, promised_by_the_twin = one_unit_orders(trade, goods, orders=1000)

    assert promised_by_the_twin > 100
    assert (allocated, backordered) == (100, 900)
    assert trade.stock(goods.sku) == {goods.warehouse_id: (100, 100)}
    trade.until_audit_is_clean()


def stocked(trade: Trade, what: str, units: int) -> Goods:
    """A customer, a warehouse, and a SKU in it."""
    goods = Goods(trade.customer(), trade.product(what, "1.00"), trade.warehouses({"w1": 900})["w1"])
    trade.receive(goods.warehouse_id, goods.sku, units, "0.50")
    return goods


def test_opposite_line_orders_do_not_deadlock(system: System) -> None:
    trade, orders = Trade(system), 40
    goods = stocked(trade, "A", orders)
    other = trade.product("B", "1.00")
    trade.receive(goods.warehouse_id, other, orders, "0.50")
    deadlocks_before = deadlocks(system)

    def buy(skus: tuple[str, str]) -> int:
        body = trade.order_body(goods.customer_id, [{"sku": sku, "quantity": 1} for sku in skus])
        return trade.place(body).status_code

    pairs = [(goods.sku, other) if turn % 2 else (other, goods.sku) for turn in range(orders)]
    by_a_dozen([lambda pair=pair: buy(pair) for pair in pairs])  # type: ignore[misc]  # mypy knows no defaults of a lambda
    full = {goods.warehouse_id: (orders, orders)}
    wait_for(lambda: trade.stock(goods.sku) == trade.stock(other) == full or None, "every order's units")

    trade.until_audit_is_clean()
    assert deadlocks(system) == deadlocks_before


def test_the_naive_twin_that_takes_lines_as_they_come_deadlocks() -> None:
    """The same two rows on PostgreSQL, each taker in the order of its own document: the counter above sees it."""
    url = postgres.new_database_url()
    engine = create_engine(url, connect_args=NEVER_HANGS)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE naive (sku TEXT PRIMARY KEY, allocated INTEGER)"))
        connection.execute(text("INSERT INTO naive VALUES ('A', 0), ('B', 0)"))
    both_hold_one = threading.Barrier(2, timeout=10)

    def take(skus: str) -> int:
        try:
            with engine.begin() as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '100ms'"))
                for sku in skus:
                    connection.execute(
                        text("UPDATE naive SET allocated = allocated + 1 WHERE sku = :sku"), {"sku": sku}
                    )
                    if sku == skus[0]:
                        both_hold_one.wait()
        except Exception as failure:  # noqa: BLE001  # the driver's own word for it is looked at below
            return int("deadlock detected" in str(failure))
        return 0

    assert sum(at_once([lambda: take("AB"), lambda: take("BA")])) == 1
    engine.dispose()
    assert wait_for(lambda: counted_deadlocks(url) or None, "a counted deadlock") == 1


def deadlocks(system: System) -> int:
    """Deadlocks in inventory's database so far; SQLite has one writer and knows none."""
    if system.kind == "sqlite":
        return 0
    system.stop_service("inventory")  # a connection that is open may keep its counts to itself for ten seconds
    found = counted_deadlocks(system._database_url("inventory"))
    system.start_service("inventory")
    return found


def counted_deadlocks(url: str) -> int:
    """What PostgreSQL counts of this database."""
    engine = create_engine(url, connect_args=NEVER_HANGS)
    with engine.connect() as connection:
        query = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        found = int(connection.execute(query).scalar_one())
    engine.dispose()
    return found
