from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from gateway.http.plumbing.deps import ApiSettings, Deps
from services.kernel.ids import new_id
from services.kernel.money import UnitPrice
from services.orders import models
from services.orders.access.standing import Standing
from services.orders.domain.mails import Contacts
from services.orders.domain.masterdata import Customer, PriceAgreement, Product
from services.orders.lifecycle import validate as validation
from services.orders.masterdata import catalog, customers, prices
from services.orders.policies import engine
from services.orders.returns.photo_files import PhotoFiles
from services.runtime.auth import Authenticator, LocalIssuer, MachineIssuer
from services.runtime.db import Database
from services.runtime.settings import ServiceSettings
from tests.api.application import app_over
from tests.api.fake_billing import FakeBilling
from tests.api.fake_workflows import FakeWorkflows
from tests.api.fakes import FakeFulfillment, FakeInventory, FakeNotifications
from tests.conftest import ROOT
from workflows.messages import OrderRef

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
CARRIER_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CONTACTS = Contacts("warehouse@oms.example", "accounting@oms.example", "support@oms.example", "http://x/{order_id}")
SUBJECTS = {"customer": "ann", "sales_rep": "sam"}

ORDER: dict[str, Any] = {
    "channel": "web",
    "customer_id": "cus_acme",
    "po_number": "PO-7781",
    "currency": "USD",
    "payment": {"method": "terms"},
    "ship_to": {
        "name": "ACME Receiving",
        "street": "1 Main Street",
        "city": "Dallas",
        "region": "TX",
        "postal_code": "75001",
        "country": "US",
    },
    "lines": [{"sku": "PUMP-100", "quantity": 4, "unit_price": "129.00"}, {"sku": "INSTALL-8H", "quantity": 1}],
}


@dataclass
class World:
    """An application over a real orders database and small neighbors, and tokens for everybody."""

    app: FastAPI
    database: Database
    keys_dir: Path
    inventory: FakeInventory = field(default_factory=FakeInventory)
    fulfillment: FakeFulfillment = field(default_factory=FakeFulfillment)
    billing: FakeBilling = field(default_factory=FakeBilling)
    notifications: FakeNotifications = field(default_factory=FakeNotifications)
    workflows: FakeWorkflows = field(default_factory=FakeWorkflows)

    def token(self, role: str, *, company: str = "cus_acme", sub: str = "") -> str:
        """A good token; the sales representative is sam, the customer ann of ACME."""
        name = sub or SUBJECTS.get(role, role)
        if role == "service":
            return MachineIssuer(self.keys_dir).token(sub=name, roles=[role])
        return LocalIssuer(self.keys_dir).token(sub=name, roles=[role], company=company if role == "customer" else None)

    def bearer(self, role: str, **claims: str) -> dict[str, str]:
        """The header of a good token."""
        return {"Authorization": f"Bearer {self.token(role, **claims)}"}

    async def send(
        self,
        method: str,
        path: str,
        role: str = "",
        *,
        key: str = "",
        claims: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """One request as a role."""
        headers = dict(more.pop("headers", {}))
        if role:
            headers |= self.bearer(role, **(claims or {}))
        if key:
            headers["Idempotency-Key"] = key
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, headers=headers, **more)

    async def place(
        self, role: str = "customer", *, key: str = "k1", claims: dict[str, str] | None = None, **changes: Any
    ) -> httpx.Response:
        """Place the order, changed."""
        return await self.send("POST", "/v1/orders", role, key=key, claims=claims, json={**ORDER, **changes})

    def validates(self, *, is_granted: bool = True) -> None:
        """Let the workflow's first turn run the real rules."""

        def validate(order: OrderRef) -> None:
            credit = engine.Credit(is_granted, exposure_minor=0, limit_minor=1_000_000)
            with self.database.transaction() as session:
                validation.validate(session, order.order_id, credit, CONTACTS, NOW)

        self.workflows.on_place = validate


STRIPE_SECRET = "whsec_api"
MakeWorld = Callable[..., World]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file with the master data, to be copied."""
    path = tmp_path_factory.mktemp("api") / "orders.db"
    database = _open(path)
    database.migrate()
    with database.transaction() as session:
        _master(session)
    database.close()
    return path


@contextmanager
def world_over(template: Path, folder: Path, **settings: Any) -> Iterator[World]:
    """A World over its own copy of the template."""
    path = folder / f"orders-{new_id('db')}.db"
    shutil.copy(template, path)
    database = _open(path)
    try:
        yield build_world(database, folder / "keys", **settings)
    finally:
        database.close()


@pytest.fixture
def make_world(tmp_path: Path, template: Path) -> Iterator[MakeWorld]:
    """Make a World; settings may differ."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(world_over(template, tmp_path, **settings))


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A World as it usually is."""
    return make_world()


def build_world(
    database: Database, keys_dir: Path, *, oidc_issuer: str = "", standing: Standing | None = None, **settings: Any
) -> World:
    """A World over a database with the master data: two customers, two products, one agreement."""
    world = World(FastAPI(), database, keys_dir)
    world.app = app_over(
        Deps(
            database=database,
            clock=lambda: NOW,
            authenticator=Authenticator(ServiceSettings(keys_dir=keys_dir, oidc_issuer=oidc_issuer)),
            standing=standing or Standing(),
            workflows=world.workflows,
            inventory=cast(Any, world.inventory),
            fulfillment=cast(Any, world.fulfillment),
            billing=cast(Any, world.billing),
            notifications=cast(Any, world.notifications),
            photos=PhotoFiles(keys_dir / "photos"),
            settings=ApiSettings(
                carrier_secrets={"ups": CARRIER_SECRET},
                **{
                    "stripe_webhook_secret": STRIPE_SECRET,
                    "stream_poll_s": 0.02,
                    "stream_max_s": 0.3,
                    "place_timeout": timedelta(seconds=1),
                    **settings,
                },
            ),
        )
    )
    return world


def _open(path: Path) -> Database:
    return Database(f"sqlite:///{path}", models.Table.metadata, ROOT / "services" / "orders" / "migrations")


def _master(session: Any) -> None:
    acme = Customer(
        "cus_acme", "ACME", "USD", tax_rate=Decimal("0.0825"), sales_rep="sam", contact_email="a@acme.example"
    )
    rival = Customer("cus_rival", "Rival", "USD", sales_rep="sue", contact_email="r@rival.example")
    for customer in (acme, rival):
        customers.put_customer(session, customer, "admin", NOW)
    pump = Product("PUMP-100", "Pump", list_price=UnitPrice.parse("140.00", "USD"), weight_grams=4000)
    visit = Product("INSTALL-8H", "Installation", kind="service", list_price=UnitPrice.parse("800.00", "USD"))
    for product in (pump, visit):
        catalog.put_product(session, product, "admin", NOW)
    price = UnitPrice.parse("129.00", "USD")
    prices.put_agreement(session, PriceAgreement("cus_acme", "PUMP-100", price, date(2026, 1, 1)), "admin", NOW)
