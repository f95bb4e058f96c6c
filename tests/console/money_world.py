"""A console over orders and a billing service of its own, with payments of every kind in it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx

from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.billing import models
from services.billing.servicer import BillingServicer
from services.orders.order import lookup
from services.runtime.db import Database
from tests.billing.desk import Desk as Cashier
from tests.billing.desk import order_of
from tests.conftest import ROOT
from tests.console.world import BASE, Browser, ConsoleWorld, build
from tests.databases import migrated_url
from tests.orders.desk import Desk

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Local:
    """The stub of a service in this process: a call is the servicer's method."""

    def __init__(self, servicer: Any) -> None:
        self._servicer = servicer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._servicer, name)

        def call(request: Any, timeout: float = 0) -> Any:
            assert timeout >= 0
            return method(request, None)

        return call


@dataclass
class MoneyWorld:
    """The console, who works at billing, and the orders by name: name → number, and name → id."""

    console: ConsoleWorld
    cashier: Cashier
    numbers: dict[str, str]
    ids: dict[str, str]
    payments: dict[str, str]
    billing: BillingServicer

    async def confirm(self, browser: Browser, preview: str, path: str, **fields: str) -> httpx.Response:
        """Open a preview and press its button with all that it hides; `fields` are typed there."""
        shown = (await browser.get(preview)).text
        came_from = {"Referer": f"{BASE}{preview}"}
        return await browser.client.post(path, data={**hidden_in(shown, path), **fields}, headers=came_from)

    @property
    def stored(self) -> list[pb.Payment]:
        """All payments, the oldest first."""
        return list(self.cashier.billing.ListPayments(pb.ListPaymentsRequest(), cast(Any, None)).payments)


def hidden_in(page: str, path: str) -> dict[str, str]:
    """What the form that is sent to this path hides."""
    form = page.partition(f'action="{path}" method="post"')[2].partition("</form>")[0]
    return {name: html.unescape(value) for name, value in HIDDEN.findall(form)}


def billing_database(folder: Path) -> Database:
    """A migrated database of billing."""
    url = migrated_url("sqlite", "billing", folder)
    return Database(url, models.Table.metadata, ROOT / "services" / "billing" / "migrations")


def money_world(orders: Database, cash: Database, keys_dir: Path, numbers: dict[str, str], **console: Any) -> MoneyWorld:  # fmt: skip
    """The console over both, and the orders that `filled` placed."""
    cashier = Cashier(cash)
    cashier.now = datetime.now(UTC) - timedelta(days=3)
    billing = BillingServicer(cash, read_order=cashier.orders.__getitem__)
    world = build(orders, keys_dir, with_billing=Local(billing), **console)
    ids = {name: _id(world.desk, number) for name, number in numbers.items()}
    made = MoneyWorld(world, cashier, numbers, ids, {}, billing)
    _spend(made)
    return made


def _id(desk: Desk, number: str) -> str:
    with desk.database.reading() as session:
        return lookup.find_id(session, number)


def _spend(made: MoneyWorld) -> None:
    """Acme owes 600 of which 200 is late, Bolt waits for credit and Acme for 500 in cash; one payment of each state."""
    cashier, ids = made.cashier, made.ids
    cashier.limit(100_000)
    cashier.limit(0, "cus_bolt")
    for shipment, units, days in (("shp_1", 2, 90), ("shp_2", 4, 5)):
        order = order_of({"1": (6, "100.00")}, order_id=ids["delivered"])
        order.number = made.numbers["delivered"]
        cashier.invoice(order, shipment, {"1": units}, shipped_at=cashier.now - timedelta(days=days))
    cashier.commit(ids["held"], 50_000, method="prepaid")
    cashier.commit(ids["bolt"], 90_000, customer_id="cus_bolt")
    paid = {
        "applied": cashier.pay(10_000, "WIRE-1"),
        "held": cashier.pay(20_000, "CHECK-7", orders={ids["held"]: 20_000}),
        "account": cashier.pay(7_500, "WIRE-2", on_account=True),
        "bounced": cashier.pay(3_000, "CHECK-8", on_account=True),
        "bolt": cashier.pay(4_000, "BOLT-1", customer_id="cus_bolt", on_account=True),
    }
    cashier.reverse(paid["bounced"].payment_id)
    made.payments = {name: payment.payment_id for name, payment in paid.items()}
    sold = order_of({"1": (1, "83.00")}, order_id=ids["shipping"], payment_method="settled_elsewhere")
    sold.number, sold.channel = made.numbers["shipping"], "amazon"
    sold.settlement.reference, sold.settlement.is_tax_remitted = "114-22", False
    sold.settlement.fees.CopyFrom(types.Money(minor_units=1_200, currency="USD"))
    cashier.invoice(sold, "shp_9", {"1": 1})


def wait_for_invoices(money: MoneyWorld) -> None:
    """Two shipments of Acme wait for accounting, one of Bolt for the end of its week and one of Acme for its delivery."""
    for name, customer_id, policy, shipments in (
        ("edi", "cus_acme", "manual", 2),
        ("bolt", "cus_bolt", "weekly", 1),
        ("backordered", "cus_acme", "per_delivery", 1),
    ):
        order = order_of(
            {"1": (6, "100.00")},
            order_id=money.ids[name],
            customer_id=customer_id,
            invoicing=policy,
            freight=1200,
            tax_rate="0.1",
        )
        order.number = money.numbers[name]
        for number in range(shipments):
            shipped_at = money.cashier.now - timedelta(hours=number)
            money.cashier.leave(order, f"shp_{name}_{number}", {"1": 2}, shipped_at=shipped_at)
