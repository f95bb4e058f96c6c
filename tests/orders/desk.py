"""An order desk for tests: a small catalog, two customers, and every action of the service in one line."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import text

from oms.facts.v1 import facts_pb2
from oms.orders.v1 import orders_pb2 as pb
from services.kernel.money import Money, UnitPrice
from services.orders.access.matrix import Caller, Reach
from services.orders.approvals import holds
from services.orders.domain.events import Event
from services.orders.domain.holds import NO_ALLOWANCE, Allowance
from services.orders.domain.mails import Contacts
from services.orders.domain.masterdata import Customer, PriceAgreement, Product
from services.orders.domain.order import Address, PlaceLine, PlaceOrder
from services.orders.lifecycle import place as placement
from services.orders.lifecycle.place import Receipt
from services.orders.masterdata import catalog, customers, prices
from services.orders.order import aggregate
from services.orders.order.aggregate import OrderAggregate
from services.orders.order.outbox import SIGNAL, STOCK_SIGNAL
from services.orders.overview.audit import findings
from services.orders.servicer import OrdersServicer
from services.orders.store import events
from services.runtime.auth import Principal
from services.runtime.db import Database
from tests import facts

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DALLAS = Address("Acme Receiving", "1 Main St", "Dallas", "TX", "75001", "US")
CONTACTS = Contacts(
    "warehouse@company.example", "accounting@company.example", "help@company.example", "http://shop/{order_id}"
)
ANY: Any = cast("Any", None)

ACME = Customer(
    customer_id="cus_acme",
    name="Acme",
    currency="USD",
    tax_rate=Decimal("0.0725"),
    contact_email="buyer@acme.example",
    accounting_email="ap@acme.example",
    sales_rep="rita",
    sales_rep_email="rita@company.example",
)
BOLT = Customer(customer_id="cus_bolt", name="Bolt", currency="USD", contact_email="buyer@bolt.example")


def usd(amount: str) -> UnitPrice:
    return UnitPrice.parse(amount, "USD")


PRODUCTS = (
    Product("PUMP", "Pump", list_price=usd("129.00"), standard_cost=usd("80.00"), weight_grams=9000),
    Product("CENT", "Thing at 33.33", list_price=usd("33.33")),
    Product("BOX6", "Sold by six", list_price=usd("10.00"), multiple=6, min_quantity=12),
    Product("OLD", "Not sold any more", list_price=usd("5.00"), is_sellable=False),
    Product("INSTALL", "Installation", kind="service", list_price=usd("95.00")),
)


def caller(sub: str, *roles: str, company: str | None = None, reach: Reach = "all") -> Caller:
    return Caller(Principal(sub, frozenset(roles), company), reach)


BUYER = caller("ann", "customer", company="cus_acme", reach="own")
RIVAL = caller("bob", "customer", company="cus_bolt", reach="own")
SHOP = caller("shop", "channel", company="cus_acme", reach="own")
RITA = caller("rita", "sales_rep", reach="assigned")
SUPPORT = caller("sue", "support")
ACCOUNTING = caller("abe", "accounting")
APPROVER = caller("max", "approver")
ADMIN = caller("root", "admin")


@dataclass
class Desk:
    """The service on a database, with a clock that moves only when told."""

    database: Database

    def __post_init__(self) -> None:
        self.now = NOON
        self.keys = 0
        self.facts = 0
        self.servicer = OrdersServicer(self.database, CONTACTS, lambda: self.now)
        with self.database.transaction() as session:
            for customer in (ACME, BOLT):
                customers.put_customer(session, customer, "root", NOON)
            for product in PRODUCTS:
                catalog.put_product(session, product, "root", NOON)

    def command(self, *lines: tuple[str, int] | tuple[str, int, str], **changes: Any) -> PlaceOrder:
        self.keys += 1
        asked = tuple(PlaceLine(one[0], one[1], usd(one[2]) if len(one) == 3 else None) for one in lines)
        plain = PlaceOrder(f"key-{self.keys}", "web", "cus_acme", "USD", asked, ship_to=DALLAS)
        return replace(plain, **changes)

    def place(self, *lines: tuple[str, int] | tuple[str, int, str], by: Caller = BUYER, **changes: Any) -> Receipt:
        return self.send(self.command(*lines, **changes), by)

    def send(self, command: PlaceOrder, by: Caller = BUYER) -> Receipt:
        self.now += timedelta(seconds=1)
        with self.database.transaction() as session:
            return placement.place(session, command, by, self.now)

    def agree(self, sku: str, price: str) -> None:
        with self.database.transaction() as session:
            agreement = PriceAgreement("cus_acme", sku, usd(price), date(2026, 1, 1))
            prices.put_agreement(session, agreement, "root", NOON)

    def validate(
        self, order_id: str, *, is_granted: bool = True, key: str = "1", card: str = ""
    ) -> pb.ValidateOrderResponse:
        credit = pb.CreditStanding(is_granted=is_granted, card=card)
        request = pb.ValidateOrderRequest(request_id=f"{order_id}/validate/{key}", order_id=order_id, credit=credit)
        return self.servicer.ValidateOrder(request, ANY)

    def record(self, order_id: str, milestone: str, key: str = "1", **more: Any) -> pb.RecordOrderResponse:
        request_id = f"{order_id}/{milestone}/{key}"
        request = pb.RecordOrderRequest(
            request_id=request_id, order_id=order_id, milestone=milestone, version=1, **more
        )
        return self.servicer.RecordOrder(request, ANY)

    def accepted(self, *lines: tuple[str, int], **changes: Any) -> str:
        order_id = self.place(*lines, **changes).order_id
        self.validate(order_id)
        self.record(order_id, "accepted")
        return order_id

    def clear_release(self, order_id: str, key: str = "1") -> pb.ClearReleaseResponse:
        request = pb.ClearReleaseRequest(request_id=f"{order_id}/clear-release/{key}", order_id=order_id)
        return self.servicer.ClearRelease(request, ANY)

    def fact(self, order_id: str, source: str, kind: str, sequence: int, detail: dict[str, Any]) -> facts_pb2.Fact:
        self.facts += 1
        subject_id = str(detail.get("shipment", {}).get("shipment_id", ""))
        fact_id = f"fact_{self.facts}"
        return facts.notified(
            kind,
            detail,
            fact_id=fact_id,
            source=source,
            order_id=order_id,
            subject_id=subject_id,
            sequence=sequence,
        )

    def notify(self, *notified: facts_pb2.Fact) -> list[str]:
        return list(self.servicer.RecordFacts(pb.RecordFactsRequest(facts=notified), ANY).recorded_fact_ids)

    def release(
        self, order_id: str, hold_id: str, by: Caller, note: str = "fine", allowance: Allowance = NO_ALLOWANCE
    ) -> OrderAggregate:
        with self.database.transaction() as session:
            return holds.release(session, order_id, hold_id, by, note, self.now, allowance=allowance)

    def read(self, order_id: str) -> OrderAggregate:
        with self.database.reading() as session:
            return aggregate.read(session, order_id)

    def events(self, order_id: str) -> list[Event]:
        with self.database.reading() as session:
            return events.of_order(session, order_id)

    def outbox(self, kind: str, order_id: str = "") -> list[dict[str, Any]]:
        return self._outbox({kind}, order_id)

    def _outbox(self, kinds: Collection[str], order_id: str) -> list[dict[str, Any]]:
        query = "SELECT fact_id, order_id, subject_id, state, kind, detail FROM outbox ORDER BY position"
        with self.database.reading() as session:
            rows = [row for row in session.execute(text(query)).mappings() if row["kind"] in kinds]
        return [{**dict(row), "detail": json.loads(row["detail"])} for row in rows if order_id in ("", row["order_id"])]

    def mails(self, order_id: str) -> list[str]:
        return [str(row["detail"]["mail"]) for row in self.outbox("notify", order_id)]

    def signals(self, order_id: str) -> list[str]:
        return [str(row["detail"]["signal"]) for row in self._outbox({SIGNAL, STOCK_SIGNAL}, order_id)]

    def broken(self) -> list[str]:
        with self.database.reading() as session:
            return [one.name for one in findings(session) if one.violations]


def stock(lines: dict[str, tuple[int, int]], expected_on: str = "") -> dict[str, Any]:
    """Inventory's detail: line id → (allocated, backordered)."""
    notified = {
        line_id: {"allocated": held, "backordered": waiting, "expected_on": expected_on if waiting else ""}
        for line_id, (held, waiting) in lines.items()
    }
    return {"lines": notified, "is_complete": not any(waiting for _, waiting in lines.values())}


REACHED = {"released": 1, "picked": 2, "packed": 3, "shipped": 4, "delivered": 5}


def shipment(number: str, state: str, lines: dict[str, int], *, before: dict[str, int] | None = None) -> dict[str, Any]:
    """Fulfillment's detail of one shipment; `before` is what earlier shipments have delivered of each line."""
    names = list(REACHED)
    counts = {}
    for line_id, quantity in lines.items():
        earlier = (before or {}).get(line_id, 0)
        counts[line_id] = {name: earlier + (quantity if REACHED[name] <= REACHED[state] else 0) for name in names}
    notified = {
        "shipment_id": f"shp_{number}",
        "number": number,
        "state": state,
        "warehouse_id": "W1",
        "carrier": "roadrunner",
        "tracking_number": "RR123",
        "promised_on": "2026-11-27",
        "is_service": False,
        "lines": [
            {"line_id": line_id, "sku": "PUMP", "description": "Pump", "quantity": quantity}
            for line_id, quantity in lines.items()
        ],
    }
    return {"lines": counts, "shipment": notified}


def together(detail: dict[str, Any]) -> dict[str, Any]:
    """Detail of a fact of several shipments, of which there is one."""
    return {"lines": detail["lines"], "shipments": [detail["shipment"]]}


def invoice(number: str, total_minor: int, paid_minor: int = 0) -> dict[str, Any]:
    return {
        "invoice_id": f"inv_{number}",
        "number": number,
        "shipment_id": "shp_SH-1",
        "total_minor": total_minor,
        "paid_minor": paid_minor,
        "open_minor": total_minor - paid_minor,
        "currency": "USD",
        "invoiced_on": "2026-11-23",
        "due_on": "2026-12-23",
        "status": "paid" if paid_minor >= total_minor else "open",
    }


def invoiced(number: str, total_minor: int, lines: dict[str, int]) -> dict[str, Any]:
    return {
        "lines": {line_id: {"invoiced": units} for line_id, units in lines.items()},
        "invoice": invoice(number, total_minor),
    }


def paid(amount_minor: int, invoices: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {
        "payment_id": "pay_1",
        "amount_minor": amount_minor,
        "currency": "USD",
        "reference": "wire",
        "invoices": list(invoices),
    }


def amount(text_amount: str) -> Money:
    return Money.parse(text_amount, "USD")
