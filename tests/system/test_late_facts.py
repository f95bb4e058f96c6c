from __future__ import annotations

import uuid
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from oms.facts.v1 import facts_pb2
from oms.orders.v1 import orders_pb2, orders_pb2_grpc
from services.inventory.settings import Settings
from services.runtime.auth import machine_token
from services.runtime.grpc_client import connect
from tests.facts import notified, strange
from tests.system.harness import System
from tests.system.trade import Trade, ok
from workflows import names

SENDERS = ("inventory", "fulfillment", "billing")


def shipped(trade: Trade) -> str:
    """An order of two pumps that has left and is invoiced; its id."""
    customer, pump = trade.customer(), trade.product("pump", "100.00", cost="50.00")
    trade.receive(trade.warehouses({"w1": 900})["w1"], pump, 5, "50.00")
    order_id: str = trade.placed(trade.order_body(customer, [{"sku": pump, "quantity": 2}]))["order_id"]
    trade.send_off(trade.shipments(order_id)[0])
    assert trade.when_idle(order_id)["axes"]["billing"] == "full"
    return order_id


def rows(system: System, service: str, sql: str, **values: str) -> list[Any]:
    """What a query of a service's database gives."""
    with system.processes[service].database.reading() as session:
        return list(session.execute(text(sql), values).all())


def late_facts(system: System) -> float:
    """What /metrics says of late facts."""
    shown = text_string_to_metric_families(httpx.get(f"{system.base_url}/metrics", timeout=60).text)
    return next(family.samples[0].value for family in shown if family.name == "oms_late_facts")


def send_to_orders(system: System, *facts: facts_pb2.Fact) -> list[str]:
    """Hand facts over as the relay of a service does; the ids that orders keeps."""
    settings = Settings(keys_dir=system.folder / "keys")
    channel = connect(f"127.0.0.1:{system.ports['orders']}", machine_token(settings, "fulfillment"))
    with channel:
        stub = orders_pb2_grpc.OrdersServiceStub(channel)
        return list(stub.RecordFacts(orders_pb2.RecordFactsRequest(facts=facts), timeout=60).recorded_fact_ids)


def envelope(order_id: str) -> dict[str, Any]:
    """What a fact of fulfillment says beside its detail."""
    fact_id = f"fact_{uuid.uuid4().hex}"
    return {"fact_id": fact_id, "source": "fulfillment", "order_id": order_id, "subject_id": "shp_1", "sequence": 999}


def state_of(trade: Trade, order_id: str) -> dict[str, Any]:
    """Everything people see of an order, once nothing of it is under way."""
    order, auditor = trade.when_idle(order_id), trade.system.api("auditor")
    reads: dict[str, tuple[str, dict[str, str]]] = {
        "events": (f"/v1/orders/{order_id}/history", {"limit": "100"}),
        "entries": ("/v1/ledger/entries", {"order_id": order_id, "limit": "100"}),
        "account": (f"/v1/customers/{order['customer_id']}", {}),
    }
    read = {name: ok(auditor.get(path, params=query)) for name, (path, query) in reads.items()}
    return read | {"order": order, "mails": trade.addressed_mails(order["number"])}


def test_a_fact_for_a_workflow_that_has_ended_is_kept_and_counted(trade: Trade) -> None:
    system, order_id = trade.system, shipped(trade)
    before = late_facts(system)
    system.on_loop(system.workflow(order_id).terminate("by hand"))

    trade.deliver(trade.shipments(order_id)[0])
    order = trade.when_idle(order_id)

    assert late_facts(system) == before + 1
    kept = rows(system, "orders", "SELECT signal FROM late_fact WHERE order_id = :id", id=order_id)
    assert [row.signal for row in kept] == [names.SHIPMENT_DELIVERED]
    assert order["axes"]["fulfilment"] == "delivered"
    assert not rows(system, "orders", "SELECT fact_id FROM outbox WHERE state = 'dead' AND order_id = :id", id=order_id)


def test_a_kind_that_nobody_knows_is_kept_and_changes_nothing(trade: Trade) -> None:
    order_id = shipped(trade)
    before = state_of(trade, order_id)
    levitated = strange(**envelope(order_id))

    recorded = send_to_orders(trade.system, levitated)

    kept = rows(trade.system, "orders", "SELECT state, kind FROM fact WHERE fact_id = :id", id=levitated.fact_id)
    assert recorded == [levitated.fact_id]
    assert [(row.state, row.kind) for row in kept] == [("unknown", "unknown_99")]
    assert state_of(trade, order_id) == before


def test_a_fact_that_cannot_be_read_or_has_no_order_is_kept_and_stops_no_other(trade: Trade) -> None:
    order_id = shipped(trade)
    before = state_of(trade, order_id)
    unreadable = notified("shipment_delivered", {"lines": {}}, **envelope(order_id))
    orphaned = notified("shipment_delivered", {"lines": {}}, **envelope("ord_nobody"))

    recorded = send_to_orders(trade.system, unreadable, orphaned)

    states = {
        one.fact_id: rows(trade.system, "orders", "SELECT state FROM fact WHERE fact_id = :id", id=one.fact_id)[0].state
        for one in (unreadable, orphaned)
    }
    assert set(recorded) == {unreadable.fact_id, orphaned.fact_id}
    assert states == {unreadable.fact_id: "unreadable", orphaned.fact_id: "orphaned"}
    assert state_of(trade, order_id) == before


def test_every_fact_of_an_order_told_twice_more_changes_nothing(trade: Trade) -> None:
    order_id = shipped(trade)
    trade.deliver(trade.shipments(order_id)[0])
    order = trade.when_idle(order_id)
    trade.pay(order["customer_id"], order["totals"]["total"]["amount"])
    before = state_of(trade, order_id)
    histories = [_history_length(trade, order_id)]

    for _ in range(2):
        for service in SENDERS:
            _send_again(trade.system, service, order_id)
        after = state_of(trade, order_id)
        histories.append(_history_length(trade, order_id))

        assert after == before
    assert before["order"]["status"] == "completed"
    assert len(set(histories)) == 1
    assert not rows(trade.system, "orders", "SELECT fact_id FROM late_fact WHERE order_id = :id", id=order_id)
    trade.until_audit_is_clean()


def test_every_fact_of_an_open_order_told_twice_more_makes_no_event_in_its_workflow(trade: Trade) -> None:
    order_id = shipped(trade)
    before, history = state_of(trade, order_id), _history_length(trade, order_id)

    for service in SENDERS * 2:
        _send_again(trade.system, service, order_id)
        assert state_of(trade, order_id) == before

    assert _history_length(trade, order_id) == history
    trade.until_audit_is_clean()


def _send_again(system: System, service: str, order_id: str) -> None:
    """Every message of a service about the order is unsent again; its relay finds them."""
    with system.processes[service].database.transaction() as session:
        again = text("UPDATE outbox SET state = 'unsent' WHERE order_id = :id RETURNING fact_id")
        assert session.execute(again, {"id": order_id}).all()


def _history_length(trade: Trade, order_id: str) -> int:
    handle = trade.system.workflow(order_id)
    return trade.system.on_loop(handle.describe()).history_length
