"""A process that hangs under load: it is noticed, readiness names it, orders are read meanwhile, and all ends as if nothing had been."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import httpx
import pytest

from tests.faults.journey import Journey, Shop
from tests.faults.load import under_load
from tests.faults.running import RunningSystem
from tests.faults.summary import Differences, differences

HUNG_S = 25.0
NAMED_WITHIN_S = 30.0


def stopped(running: RunningSystem, name: str) -> int:
    """Stop the process, as a debugger or a broken disk does; its id."""
    pid = running.pid(name)
    assert pid is not None
    running.send(name, signal.SIGSTOP)
    return pid


def continued(pid: int) -> None:
    with suppress(ProcessLookupError):  # it was ended, and another one does its work
        os.kill(pid, signal.SIGCONT)


def is_said(running: RunningSystem, name: str) -> bool:
    """Whether readiness says degraded and names the part; an orders process that hangs says nothing, and the supervisor does."""
    if running._supervisor.children[name].state == "silent":
        return True
    try:
        answer = httpx.get(f"{running.base_url}/readyz", timeout=6).json()
    except httpx.TransportError:
        return False
    return bool(answer["status"] == "degraded" and answer["checks"].get(name, "ok") != "ok")


def changed(shop: Shop, name: str, orders: int, per_s: float, finished: int) -> list[Differences]:
    """What orders that were placed while a process hung come to otherwise than an undisturbed one; all else is asserted here."""
    running = shop.running
    undisturbed = Journey(shop, shop.goods())
    wanted = undisturbed.travel()
    restarts = running.restarts(name)

    with under_load(shop, orders, per_s) as load:
        began = time.monotonic()
        pid = stopped(running, name)
        try:
            running.wait_for(lambda: is_said(running, name) or None, f"a word on {name}", NAMED_WITHIN_S)
            read_meanwhile = name == "orders" or undisturbed.trade.order(undisturbed.order_id)["status"] == "completed"
            time.sleep(max(began + HUNG_S - time.monotonic(), 0))
        finally:
            continued(pid)
        running.wait_ready()
    released = load.released()
    for journey in released[:finished]:
        journey.ship()
        journey.finish()
    outcomes = [journey.came_to() for journey in released[:finished]]

    print(f"{name}: answers {dict(load.answers)}, restarts {running.restarts(name) - restarts}")
    assert read_meanwhile
    assert running.restarts(name) == restarts
    assert set(load.answers) <= {201, 202, 503, "refused", "cut off", "hung"}
    shop.trade().until_audit_is_clean()
    return [found for got in outcomes if (found := differences(wanted, got))]


@pytest.mark.prove
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name", [pytest.param("inventory", marks=pytest.mark.slice), "billing", "worker", "temporal", "orders"]
)
def test_a_process_that_hangs_for_25_s_under_load_costs_nobody_an_order(shop: Shop, name: str) -> None:
    assert changed(shop, name, orders=20, per_s=1, finished=2) == []


@pytest.mark.prove
@pytest.mark.timeout(300)
def test_a_process_that_never_comes_back_is_ended_and_started_again(shop: Shop) -> None:
    running, restarts = shop.running, shop.running.restarts("fulfillment")

    pid = stopped(running, "fulfillment")
    running.wait_for(lambda: running.restarts("fulfillment") > restarts or None, "its end", 60)
    running.wait_ready()

    assert running.pid("fulfillment") != pid
    journey = Journey(shop, shop.goods())
    journey.place()
