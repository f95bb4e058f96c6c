"""Temporal's database is gone: every open order is found, told as an exception, repaired, and ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.harness import System
from tests.system.states import SCARCE, Company, begin, end_of, go_on_unheard, live_to_the_end
from tests.system.test_leases import sweep
from tests.system.trade import Trade, ok


@pytest.fixture
def losing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own, whose Temporal may lose all that it knows."""
    with System(tmp_path_factory.mktemp("losing"), request.param) as system:
        yield system


def lived_undisturbed(company: Company) -> dict[str, Any]:
    """State → how an order of it ends when nothing happens to its workflow."""
    orders = begin(company, 1)
    every = [order_id for [order_id] in orders.values()]
    go_on_unheard(company, orders)
    company.idle(*every)
    live_to_the_end(company, every, SCARCE)
    return {name: end_of(company, order_id) for name, [order_id] in orders.items()}


def lose(company: Company, orders: dict[str, list[str]]) -> None:
    """What happens unheard happens to these orders, then Temporal forgets everything."""
    system = company.trade.system
    system.on_loop(system.worker.shutdown())
    go_on_unheard(company, orders)
    system.lose_temporal()


def repaired(system: System) -> list[str]:
    """Ids of the orders that `oms repair` starts again."""
    rows, cursor = [], ""
    while True:
        part = ok(system.api("admin").post("/v1/repairs", json={"cursor": cursor}))
        rows += [row["order_id"] for row in part["rows"]]
        if part["next_cursor"] is None:
            return rows
        cursor = part["next_cursor"]


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What of an end is not as it should be: what it is, and what it should be."""
    return {what: (found[what], wanted[what]) for what in wanted if found[what] != wanted[what]}


@pytest.mark.prove
@pytest.mark.parametrize(
    ("losing", "count"),
    [
        pytest.param("sqlite", 1, id="sqlite-15 orders"),
        pytest.param("postgres", 1, id="postgres-15 orders", marks=pytest.mark.slice),
        pytest.param("sqlite", 20, id="sqlite-300 orders"),
        pytest.param("postgres", 20, id="postgres-300 orders"),
    ],
    indirect=["losing"],
)
def test_after_temporal_lost_everything_repaired_orders_end_as_undisturbed_ones(losing: System, count: int) -> None:
    with Trade(losing) as trade:
        company = Company(trade)
        undisturbed = lived_undisturbed(company)
        orders = begin(company, count)
        every = [order_id for ids in orders.values() for order_id in ids]

        lose(company, orders)
        started = repaired(losing)
        company.idle(*every)
        again = repaired(losing)
        live_to_the_end(company, every, SCARCE * count)

        unlike = {
            (name, place): differences(end_of(company, order_id), undisturbed[name])
            for name, order_ids in orders.items()
            for place, order_id in enumerate(order_ids)
        }
        assert set(started) == set(every)
        assert again == []
        assert {which: found for which, found in unlike.items() if found} == {}
        assert sweep(losing, "lost") == {"lost": 0, "failing": 0}
        trade.until_audit_is_clean()
