"""A console over a real orders database with orders of every kind in it, and a person logged in at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import yaml
from fastapi import FastAPI
from sqlalchemy import event

from gateway.console.visitor import session_cookie
from gateway.http.plumbing.deps import ApiSettings, ConsoleSettings, Deps
from oms.billing.v1 import billing_pb2 as billing
from oms.inventory.v1 import inventory_pb2 as inventory
from oms.types.v1 import types_pb2 as types
from services.orders.access import logins
from services.orders.access.logins import Opened
from services.orders.domain.changes import LineChange
from services.orders.domain.tax_engine import OwnRates, TaxDesk
from services.orders.policies import engine, versions
from services.orders.returns.photo_files import PhotoFiles
from services.runtime.auth import Authenticator, LocalIssuer, Principal
from services.runtime.db import Database
from services.runtime.settings import ServiceSettings
from tests.api.application import app_over
from tests.api.fake_billing import FakeBilling
from tests.api.fake_workflows import FakeWorkflows
from tests.api.fakes import FakeFulfillment, FakeInventory, FakeNotifications
from tests.orders.change_desk import asked, propose
from tests.orders.desk import CONTACTS, RITA, SHOP, SUPPORT, Desk, invoice, invoiced, paid, shipment, stock
from tests.orders.review_desk import ReviewDesk

BASE = "http://console.example"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
COMPANIES = {"customer": "cus_acme"}


@dataclass
class ConsoleWorld:
    """The application, its database, the small neighbors, and the desk that places orders."""

    app: FastAPI
    desk: Desk
    keys_dir: Path
    workflows: FakeWorkflows = field(default_factory=FakeWorkflows)
    notifications: FakeNotifications = field(default_factory=FakeNotifications)
    billing: FakeBilling = field(default_factory=FakeBilling)
    inventory: FakeInventory = field(default_factory=FakeInventory)

    @property
    def database(self) -> Database:
        return self.desk.database

    def principal(self, role: str, sub: str = "", company: str = "") -> Principal:
        name = sub or {"sales_rep": "rita", "customer": "ann"}.get(role, role)
        return Principal(name, frozenset({role}), company or COMPANIES.get(role))

    def log_in(self, role: str, sub: str = "", company: str = "") -> Opened:
        """A login of somebody, as the login page would have begun it."""
        with self.database.transaction() as session:
            principal = self.principal(role, sub, company)
            return logins.open_login(session, principal, datetime.now(UTC), is_by_password=False)

    def browser(self, role: str = "", *, sub: str = "", company: str = "") -> Browser:
        """Somebody at the pages; without a role nobody is logged in."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
        client = httpx.AsyncClient(transport=transport, base_url=BASE, headers={"Accept": "text/html"})
        if not role:
            return Browser(client)
        opened = self.log_in(role, sub, company)
        client.cookies.set(session_cookie(self.app.state.deps.console), opened.cookie, domain="console.example")
        return Browser(client, opened.login.csrf, opened.cookie)

    def warehouse(self, code: str, name: str) -> None:
        """A warehouse that inventory knows by name."""
        kept = inventory.Warehouse(warehouse_id=code, name=name)
        self.inventory.PutWarehouse(inventory.PutWarehouseRequest(warehouse=kept))

    def token(self, role: str, **claims: Any) -> str:
        company = COMPANIES.get(role)
        return LocalIssuer(self.keys_dir).token(sub=claims.pop("sub", role), roles=[role], company=company, **claims)


@dataclass
class Browser:
    """Pages without script: follow a link, send a form with what it hides."""

    client: httpx.AsyncClient
    csrf: str = ""
    cookie: str = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def send(self, page: str, path: str, **fields: str) -> httpx.Response:
        """Open a page, then post to a path with the page's hidden token, as a browser says where it comes from."""
        shown = await self.client.get(page)
        found = CSRF.search(shown.text)
        assert found, f"{page} has no form: {shown.status_code}"
        came_from = {"Referer": f"{BASE}{page}"}
        return await self.client.post(path, data={"csrf": found.group(1), **fields}, headers=came_from)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        return await self.client.post(path, data=fields)


def with_figures(world: ConsoleWorld) -> ConsoleWorld:
    """120 pumps, 40 announced of which others wait for 25; a limit of 50,000 with 30,000 used, 4,000 of it overdue."""
    world.inventory.on_hand[("PUMP", "wh_1")] = 120
    world.inventory.inbound["PUMP"] = [
        inventory.InboundSupply(expected_on="2026-12-08", quantity=40, warehouse_id="wh_1", reference="PO-4711")
    ]
    world.inventory.waiting["PUMP"] = 25
    limit = types.Money(minor_units=50_000_00, currency="USD")
    world.billing.PutCreditAccount(billing.PutCreditAccountRequest(customer_id="cus_acme", limit=limit, net_days=30))
    world.billing.standing["cus_acme"] = (18_000_00, 12_000_00)
    world.billing.receivables = [
        billing.Receivable(
            customer_id="cus_acme",
            currency="USD",
            current_minor=8_000_00,
            days_30_minor=3_000_00,
            older_minor=1_000_00,
            overdue_since="2026-09-02",
        )
    ]
    return world


def build(
    database: Database,
    keys_dir: Path,
    *,
    with_billing: Any = None,
    takes_cards: bool = False,
    taxes: TaxDesk | None = None,
    **console: Any,
) -> ConsoleWorld:
    """A console over a database; the small billing service unless another one is given."""
    world = ConsoleWorld(FastAPI(), Desk(database), keys_dir)
    world.desk.keys = world.desk.facts = 1000  # behind those that filled the database
    settings = ServiceSettings(keys_dir=keys_dir, oidc_issuer=console.get("oidc_issuer", ""))
    world.app = app_over(
        Deps(
            database=database,
            clock=lambda: datetime.now(UTC),
            authenticator=Authenticator(settings),
            workflows=world.workflows,
            inventory=cast(Any, world.inventory),
            fulfillment=cast(Any, FakeFulfillment()),
            billing=cast(Any, with_billing or world.billing),
            notifications=cast(Any, world.notifications),
            contacts=CONTACTS,
            taxes=taxes or OwnRates(),
            photos=PhotoFiles(keys_dir / "photos"),
            settings=ApiSettings(stream_poll_s=0.05, stripe_webhook_secret="whsec_console" if takes_cards else ""),
            console=ConsoleSettings(**{"public_url": BASE, "temporal_ui_url": "http://temporal.example", **console}),
        )
    )
    return world


def fill(desk: Desk) -> dict[str, str]:
    """Orders of every kind, placed not long ago: name → number."""
    desk.now = datetime.now(UTC) - timedelta(hours=20)
    made = {
        "delivered": _life(desk, desk.accepted(("PUMP", 2), po_number="PO-7781")),
        "backordered": _backordered(desk),
        "shipping": _shipping(desk),
        "held": _held(desk),
        "rejected": _placed(desk, ("OLD", 1), po_number="PO-1"),
        "bolt": desk.place(("CENT", 3), by=SUPPORT, customer_id="cus_bolt", channel="email").number,
        "edi": _placed(desk, ("PUMP", 40), ("INSTALL", 1), by=RITA, channel="edi", po_number="4500012345"),
        **_asked(desk),
    }
    return {name: _number(desk, one) for name, one in made.items()}


def _asked(desk: Desk) -> dict[str, str]:
    """A change that waits for its customer, and an order that two levels of people are asked about."""
    changing = desk.accepted(("PUMP", 3), po_number="PO-9200")
    propose(desk, changing, asked(LineChange("1", quantity=2), reason="one pump is short until January"), RITA)
    reviewing = ReviewDesk(desk.database)
    reviewing.now, reviewing.keys = desk.now, desk.keys + 100
    reviewed = reviewing.reviewed(300, by=SUPPORT, po_number="PO-9100")
    with desk.database.transaction() as session:
        versions.put_policy(session, yaml.safe_load(engine.BUILT_IN.read_text("utf-8")), "root", desk.now)
    return {"changing": changing, "reviewed": reviewed}


def _number(desk: Desk, reference: str) -> str:
    return reference if reference.startswith("SO-") else desk.read(reference).order.number


def _placed(desk: Desk, *lines: tuple[str, int], **more: Any) -> str:
    order_id = desk.place(*lines, **more).order_id
    desk.validate(order_id)
    return order_id


def _held(desk: Desk) -> str:
    order_id = desk.place(("PUMP", 200), po_number="PO-9000").order_id
    desk.validate(order_id, is_granted=False)
    return order_id


def _backordered(desk: Desk) -> str:
    order_id = desk.accepted(("PUMP", 5), ("CENT", 12), channel="edi", po_number="PO-7790")
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (0, 5), "2": (0, 12)}, "2026-12-03")))
    return order_id


def _shipping(desk: Desk) -> str:
    order_id = desk.accepted(("PUMP", 10), po_number="PO-7800", channel="amazon", channel_ref="114-22", by=SHOP)
    for fact in (
        ("inventory", "stock_reserved", 1, stock({"1": (10, 0)})),
        ("fulfillment", "shipment_shipped", 1, shipment("SH-8", "shipped", {"1": 6})),
        ("fulfillment", "shipment_picked", 2, shipment("SH-9", "picked", {"1": 4}, before={"1": 6})),
        ("billing", "invoice_issued", 1, invoiced("INV-8", 83_013, {"1": 6})),
    ):
        desk.notify(desk.fact(order_id, *fact))
    return order_id


def delivered(desk: Desk, order_id: str) -> str:
    """Two pumps arrive and are invoiced; gives the order's id."""
    for fact in (
        ("inventory", "stock_reserved", 1, stock({"1": (2, 0)})),
        ("fulfillment", "shipment_picked", 1, shipment("SH-1", "picked", {"1": 2})),
        ("fulfillment", "shipment_shipped", 2, shipment("SH-1", "shipped", {"1": 2})),
        ("billing", "invoice_issued", 1, invoiced("INV-1", 27_671, {"1": 2})),
        ("fulfillment", "shipment_delivered", 3, shipment("SH-1", "delivered", {"1": 2})),
    ):
        desk.notify(desk.fact(order_id, *fact))
    return order_id


def _life(desk: Desk, order_id: str) -> str:
    delivered(desk, order_id)
    desk.notify(desk.fact(order_id, "billing", "payment_received", 2, paid(27_671, [invoice("INV-1", 27_671, 27_671)])))
    return order_id


@contextmanager
def statements(world: ConsoleWorld) -> Iterator[list[str]]:
    """The SELECTs that run meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(world.database.engine, "before_cursor_execute", note)
