"""Cancelling lines and units in one line each, and an order of which some have come far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from oms.orders.v1 import orders_pb2 as pb
from oms.types.v1 import types_pb2
from services.orders.changes import cancel_units
from services.orders.domain.cancellation import Cancellation, CancellationPreview
from services.orders.domain.cancelled_units import LineToCancel
from services.orders.domain.masterdata import Product
from services.orders.lifecycle import cancel
from services.orders.lifecycle.cancel import Asked, Requested
from services.orders.masterdata import catalog
from services.orders.policies import engine
from services.orders.policies import versions as policy_versions
from tests.orders.change_desk import apply
from tests.orders.desk import ANY, BUYER, CONTACTS, SUPPORT, Desk, invoiced, shipment, stock, usd


def stocked(desk: Desk) -> None:
    """Things at 50.00 and at 5.50 to sell, at any discount."""
    with_rules(desk)
    with desk.database.transaction() as session:
        for sku, price in (("FIFTY", "50.00"), ("OTHER", "50.00"), ("PLAIN", "5.50")):
            catalog.put_product(session, Product(sku, sku.title(), list_price=usd(price)), "root", desk.now)


def with_rules(desk: Desk, *more: dict[str, str]) -> None:
    """The built-in rules but for those on discounts, and these."""
    document = yaml.safe_load(engine.BUILT_IN.read_text("utf-8"))
    document["rules"] = [*(rule for rule in document["rules"] if "discount" not in rule["when"]), *more]
    with desk.database.transaction() as session:
        policy_versions.put_policy(session, document, "root", desk.now)


def ask(
    desk: Desk,
    order_id: str,
    lines: Mapping[str, int | None] | None = None,
    by: Any = BUYER,
    *,
    is_closing: bool = False,
    waived: str = "",
) -> Requested:
    named = [LineToCancel(line_id, units) for line_id, units in (lines or {}).items()]
    with desk.database.transaction() as session:
        return cancel.request(
            session, order_id, by, "project postponed", desk.now, asked=Asked(named, is_closing, waived)
        )


def preview(
    desk: Desk,
    order_id: str,
    lines: Mapping[str, int | None] | None = None,
    *,
    is_closing: bool = False,
    waived: str = "",
) -> CancellationPreview:
    named = [LineToCancel(line_id, units) for line_id, units in (lines or {}).items()]
    with desk.database.reading() as session:
        return cancel.preview(session, order_id, SUPPORT, None, Asked(named, is_closing, waived), desk.now)


def ask_without_refund(desk: Desk, order_id: str, lines: Mapping[str, int | None], by: Any) -> Requested:
    named = [LineToCancel(line_id, units) for line_id, units in lines.items()]
    with desk.database.transaction() as session:
        asked = Asked(named, keeps_cash=True)
        return cancel.request(session, order_id, by, "swapped as agreed", desk.now, asked=asked)


def settle(desk: Desk, order_id: str, done: Requested, **more: Any) -> pb.ApplyChangeResponse:
    return apply(desk, order_id, done.cancellation.change_id, **more)


def cancelled(desk: Desk, order_id: str, lines: Mapping[str, int | None] | None = None) -> Cancellation:
    """Ask and let the workflow settle it; nothing is with a warehouse."""
    done = ask(desk, order_id, lines)
    assert settle(desk, order_id, done, key=done.cancellation.cancellation_id).is_applied
    return found(desk, order_id, done)


def found(desk: Desk, order_id: str, done: Requested) -> Cancellation:
    with desk.database.reading() as session:
        one = cancel.get(session, order_id, done.cancellation.cancellation_id, SUPPORT.scope)
    assert one is not None
    return one


def keep(desk: Desk, order_id: str, done: Requested, carried: Mapping[str, int]) -> None:
    with desk.database.transaction() as session:
        cancel_units.keep_units(session, order_id, done.cancellation.change_id, carried, CONTACTS, desk.now)


def keep_again(desk: Desk, order_id: str, done: Requested, carried: Mapping[str, int]) -> pb.KeepUnitsResponse:
    """As the step does, and does again when its worker died."""
    request = pb.KeepUnitsRequest(
        request_id=f"{order_id}/recall",
        order_id=order_id,
        change_id=done.cancellation.change_id,
        carried=[types_pb2.LineQuantity(line_id=line_id, quantity=units) for line_id, units in carried.items()],
    )
    return desk.servicer.KeepUnits(request, ANY)


def answered(desk: Desk, order_id: str, done: Requested, sequence: int, *, yes: bool, **detail: Any) -> None:
    said = {"change_id": done.cancellation.change_id, "is_acknowledged": yes, "reason": "" if yes else "the truck left"}
    desk.notify(desk.fact(order_id, "fulfillment", "recall_answered", sequence, {**said, **detail}))


def part_shipped(desk: Desk) -> str:
    """40 wanted: 10 shipped and billed, 10 picked, 10 released, 10 backordered."""
    order_id = desk.accepted(("PUMP", 40))
    parts = [shipment(f"SH-{n}", state, {"1": 10}) for n, state in ((1, "shipped"), (2, "picked"), (3, "released"))]
    counts = {"released": 30, "picked": 20, "packed": 10, "shipped": 10, "delivered": 0}
    together = {"lines": {"1": counts}, "shipments": [part["shipment"] for part in parts]}
    desk.notify(
        desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (30, 10)}, "2026-12-08")),
        desk.fact(order_id, "fulfillment", "shipments_released", 3, together),
        desk.fact(order_id, "billing", "invoice_issued", 1, invoiced("INV-1", 138_353, {"1": 10})),
    )
    return order_id
