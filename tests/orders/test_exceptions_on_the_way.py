"""A carrier has a problem with a parcel: the order says so, and people hear of it once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from oms.facts.v1 import facts_pb2
from services.kernel.clock import micros
from services.orders.domain.projection import Progress, apply
from tests.facts import heard
from tests.orders.desk import Desk, shipment


def with_exception(desk: Desk, order_id: str, sequence: int, at: str) -> facts_pb2.Fact:
    notified: dict[str, Any] = shipment("SH-1", "shipped", {"1": 1})
    notified["shipment"]["exception_at_micros"] = micros(datetime.fromisoformat(at))
    return desk.fact(order_id, "fulfillment", "shipment_exception", sequence, notified)


def test_a_problem_on_the_way_stands_on_the_shipment_and_in_the_history(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1})))

    desk.notify(with_exception(desk, order_id, 2, "2026-11-24T08:00:00+00:00"))

    found = desk.read(order_id)
    last = desk.events(order_id)[-2]  # the exception that it opens follows
    assert (last.who, last.what, last.why) == ("fulfillment", "shipment_exception", "SH-1")
    assert found.progress.shipments["shp_SH-1"].exception_at == "2026-11-24T08:00:00+00:00"
    assert found.standing.status == "shipped"
    assert desk.signals(order_id) == ["shipment_shipped"]

    desk.notify(desk.fact(order_id, "fulfillment", "shipment_delivered", 3, shipment("SH-1", "delivered", {"1": 1})))

    assert desk.read(order_id).progress.shipments["shp_SH-1"].exception_at == ""
    assert desk.broken() == []


def test_customer_sales_support_and_warehouse_hear_of_a_problem_once(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1})))

    for sequence in (2, 3):
        desk.notify(with_exception(desk, order_id, sequence, f"2026-11-2{sequence}T08:00:00+00:00"))

    notified = [
        row["detail"] for row in desk.outbox("notify", order_id) if row["detail"]["mail"] == "shipment_exception"
    ]
    assert len(notified) == 1
    assert [each["role"] for each in notified[0]["recipients"]] == [
        "customer",
        "sales_rep",
        "support",
        "warehouse_manager",
    ]
    assert len(desk.events(order_id)) == 3 + 1 + 2 + 1  # the exception is opened once


def test_a_problem_that_is_heard_of_after_the_delivery_is_told_to_nobody(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_delivered", 3, shipment("SH-1", "delivered", {"1": 1})))

    desk.notify(with_exception(desk, order_id, 2, "2026-11-22T08:00:00+00:00"))

    assert "shipment_exception" not in desk.mails(order_id)
    assert desk.read(order_id).progress.shipments["shp_SH-1"].exception_at == ""


def test_a_projection_from_before_is_read_as_one_without_problems() -> None:
    fact = heard("shipment_shipped", shipment("SH-1", "shipped", {"1": 1}), "fulfillment")
    document = apply(Progress(), fact).document()
    del document["shipments"]["shp_SH-1"]["exception_at"]

    progress = Progress.of(document)

    assert progress.shipments["shp_SH-1"].exception_at == ""
