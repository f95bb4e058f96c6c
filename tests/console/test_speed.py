"""What a page costs the server at 5,000 orders, against the page of one order; test_pages.py counts statements with every test.

Machines differ by five times and more, so the gate is a ratio: a page that shows all orders may cost so many pages of a
single one, whose cost does not grow. `pytest -m prove -s` on this file prints the milliseconds.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.orders import models
from services.orders.lifecycle import apply_facts, place, record_milestone, validate
from services.orders.lifecycle.record_milestone import Milestone
from services.orders.policies import engine
from services.runtime.db import Database
from tests.conftest import ROOT
from tests.console.world import ConsoleWorld, build
from tests.facts import heard
from tests.orders.desk import CONTACTS, RITA, SHOP, Desk, invoiced, shipment, stock

ONE_ORDER = "/orders/SO-1003"
MOST_TIMES = 25
"""What a page may cost, in pages of one order: the dearest costs 13 today; where one takes 2.9 ms, 25 are 73 ms."""
CHANNELS = ("web", "edi", "phone", "amazon", "email")


def _world(tmp_path: Path, orders: int) -> ConsoleWorld:
    database = Database(f"sqlite:///{tmp_path}/orders.db", models.Table.metadata, ROOT / "services/orders/migrations")
    database.migrate()
    world = build(database, tmp_path / "keys")
    world.desk.now = datetime.now(UTC) - timedelta(hours=40)
    chance = random.Random(7)
    for _ in range(0, orders, 500):
        with database.transaction() as session:
            for _ in range(min(500, orders)):
                _live(world.desk, session, chance)
    return world


def _live(desk: Desk, session: object, chance: random.Random) -> None:
    """One order of three lines, as far as chance takes it: held, waiting for stock, shipped or delivered."""
    desk.now += timedelta(seconds=20)
    command = desk.command(
        ("PUMP", chance.randint(1, 40)), ("CENT", chance.randint(1, 90)), ("INSTALL", 1),
        channel=chance.choice(CHANNELS), po_number=f"PO-{chance.randint(1, 9_999_999)}",
    )  # fmt: skip
    order_id = place.place(session, command, chance.choice((SHOP, RITA)), desk.now).order_id  # type: ignore[arg-type]  # a session
    is_granted = chance.random() > 0.05
    credit = engine.Credit(is_granted, exposure_minor=0, limit_minor=10**9)
    verdict = validate.validate(session, order_id, credit, CONTACTS, desk.now)  # type: ignore[arg-type]  # see above
    if verdict.outcome != "cleared":
        return
    record_milestone.record(session, order_id, Milestone("accepted", 1), CONTACTS, desk.now)  # type: ignore[arg-type]  # see above
    pumps = command.lines[0].quantity
    short = pumps if chance.random() < 0.2 else 0
    shown = [("inventory", "stock_reserved", stock({"1": (pumps - short, short)}, "2026-12-03"))]
    if not short:
        shown += [
            ("fulfillment", "shipment_shipped", shipment(f"SH-{desk.facts}", "shipped", {"1": pumps})),
            ("billing", "invoice_issued", invoiced(f"INV-{desk.facts}", 10_000, {"1": pumps})),
        ]
    for source, kind, detail in shown:
        desk.facts += 1
        fact = heard(kind, detail, source, order_id)
        apply_facts.take(session, [fact], CONTACTS, desk.now)  # type: ignore[arg-type]  # see above


PAGES = (
    ("admin", "/"),
    ("admin", "/?status=backordered&sort=-total"),
    ("support", "/?q=PUMP"),
    ("support", "/?q=acme"),
    ("sales_rep", "/?needs=accounting"),
    ("support", ONE_ORDER),
    ("approver", "/reviews?for=all"),
    ("admin", "/dead-letters"),
    ("support", "/exceptions"),
    ("customer", "/my"),
    ("customer", "/my/orders/SO-1003"),
)


async def _measure(world: ConsoleWorld, rounds: int, notify: Callable[[str], None] = print) -> dict[str, float]:
    """Page → median of milliseconds."""
    found = {}
    for role, path in PAGES:
        browser = world.browser(role)
        took = []
        for _ in range(rounds + 1):
            started = time.process_time()
            answer = await browser.get(path)
            took.append((time.process_time() - started) * 1000)
            assert answer.status_code == 200, path
        found[path] = statistics.median(took[1:])
        notify(f"{found[path]:6.1f} ms  {role:10} {path}")
    return found


def _too_dear(took: dict[str, float]) -> dict[str, float]:
    """Page → how many pages of one order it costs, where these are too many."""
    times = {path: ms / took[ONE_ORDER] for path, ms in took.items()}
    return {path: round(found, 1) for path, found in times.items() if found > MOST_TIMES}


@pytest.mark.prove
@pytest.mark.quiet
async def test_no_page_of_five_thousand_orders_costs_much_more_than_that_of_one(tmp_path: Path) -> None:
    assert _too_dear(await _measure(_world(tmp_path, 5000), rounds=15)) == {}
