"""Temporal's database is gone: every open order is found, told as an exception, repaired, and ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.conftest import KINDS
from tests.system.harness import System
from tests.system.states import STATES, Company, State, begin, end_of, live_to_the_end
from tests.system.test_leases import sweep
from tests.system.trade import Trade, ok

UNITS_OF_SCARCE = {"backordered": 3, "changing": 2}


@pytest.fixture(params=KINDS)
def losing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own, whose Temporal may lose all that it knows."""
    with System(tmp_path_factory.mktemp("losing"), request.param) as system:
        yield system


def scarce(state: State, count: int) -> int:
    """Units that so many orders of a state still wait for."""
    return UNITS_OF_SCARCE.get(state.name, 0) * count


def lived_undisturbed(company: Company) -> dict[str, object]:
    """State → how an order of it ends when nothing happens to its workflow."""
    ends = {}
    for state in STATES:
        [order_id] = begin(company, state, 1)
        for act in state.unheard:
            act(company, order_id)
        company.idle(order_id)
        live_to_the_end(company, [order_id], scarce(state, 1))
        ends[state.name] = end_of(company, order_id)
    return ends


def lose(company: Company, orders: dict[str, list[str]]) -> None:
    """What happens unheard happens to these orders, then Temporal forgets everything."""
    system = company.trade.system
    system.on_loop(system.worker.shutdown())
    for state in STATES:
        for act in state.unheard:
            for order_id in orders[state.name]:
                act(company, order_id)
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


@pytest.mark.on_postgres
@pytest.mark.parametrize(
    "count", [pytest.param(1, id="15 orders"), pytest.param(20, id="300 orders", marks=pytest.mark.prove)]
)
def test_after_temporal_lost_everything_repaired_orders_end_as_undisturbed_ones(losing: System, count: int) -> None:
    with Trade(losing) as trade:
        company = Company(trade)
        undisturbed = lived_undisturbed(company)
        orders = {state.name: begin(company, state, count) for state in STATES}
        every = [order_id for ids in orders.values() for order_id in ids]

        lose(company, orders)
        started = repaired(losing)
        company.idle(*every)
        again = repaired(losing)
        live_to_the_end(company, every, sum(scarce(state, count) for state in STATES))

        ends = {state.name: [end_of(company, order_id) for order_id in orders[state.name]] for state in STATES}
        assert set(started) == set(every)
        assert again == []
        for name, found in ends.items():
            assert found == [undisturbed[name]] * count, name
        assert sweep(losing, "lost") == {"lost": 0, "stuck": 0}
        trade.until_audit_is_clean()
