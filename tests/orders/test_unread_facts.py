"""Facts that orders cannot project: kept as they came, or refused."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import text

from oms.facts.v1 import facts_pb2
from services.kernel.errors import InvalidArgument
from services.orders.lifecycle import dead_letters, fact_wire
from services.orders.store import facts
from tests.facts import strange
from tests.orders.desk import ADMIN, CONTACTS, Desk, shipment


@pytest.mark.parametrize(
    ("kind", "detail", "is_known_order", "state"),
    [
        ("stock_issued", {"sku": "PUMP"}, True, "unknown"),
        ("stock_reserved", {"lines": {}}, False, "orphaned"),
        ("shipment_shipped", {"lines": {}}, True, "unreadable"),
    ],
)
@pytest.mark.on_postgres
def test_what_cannot_be_projected_is_kept_and_harms_nobody(
    desk: Desk, kind: str, detail: dict[str, Any], is_known_order: bool, state: str
) -> None:
    order_id = desk.accepted(("PUMP", 2))
    count = len(desk.events(order_id))

    recorded = desk.notify(desk.fact(order_id if is_known_order else "ord_none", "inventory", kind, 1, detail))

    assert len(recorded) == 1
    assert len(desk.events(order_id)) == count
    with desk.database.reading() as session:
        assert session.execute(text("SELECT state FROM fact")).scalars().all() == [state]


def test_a_kind_of_a_later_release_is_kept_as_it_came_and_changes_nothing(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 2))
    count = len(desk.events(order_id))
    sent = strange(fact_id="fact_9", source="fulfillment", order_id=order_id, sequence=7)

    recorded = desk.notify(sent)

    assert recorded == ["fact_9"]
    assert len(desk.events(order_id)) == count
    with desk.database.reading() as session:
        (row,) = session.execute(text("SELECT kind, state, detail FROM fact")).all()
    assert (row.kind, row.state) == ("unknown_99", "unknown")
    assert facts_pb2.Fact.FromString(b64decode(json.loads(row.detail)["message"])) == sent


def test_a_fact_of_a_kind_learned_since_is_projected_when_it_is_tried_again(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 2))
    came = desk.fact(order_id, "fulfillment", "shipment_shipped", 2, shipment("SH-1", "shipped", {"1": 1}))
    document = {"message": b64encode(came.SerializeToString()).decode()}
    then = replace(fact_wire.fact(came), kind="unknown_24", detail=None, document=document)
    with desk.database.transaction() as session:
        facts.keep(session, [(then, "unknown")], desk.now)

    with desk.database.transaction() as session:
        dead_letters.retry(session, "fact", came.fact_id, ADMIN, CONTACTS, desk.now)

    assert desk.read(order_id).progress.lines["1"].shipped == 1
    assert desk.signals(order_id) == ["shipment_shipped"]
    with desk.database.reading() as session:
        assert session.execute(text("SELECT kind, state FROM fact")).all() == [("shipment_shipped", "projected")]


def test_a_fact_that_was_kept_unread_is_read_by_what_a_later_release_knows(desk: Desk) -> None:
    came = desk.fact("ord_1", "fulfillment", "shipment_shipped", 2, shipment("SH-1", "shipped", {"1": 1}))
    then = fact_wire.fact(came)
    as_unknown = {"message": b64encode(came.SerializeToString()).decode()}

    by_message = fact_wire.reread(replace(then, kind="unknown_24", detail=None, document=as_unknown))
    by_document = fact_wire.reread(replace(then, detail=None))

    assert (by_message.kind, by_message.detail) == (then.kind, then.detail)
    assert by_document == then


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fact_id": ""}, "FACT_INCOMPLETE"),
        ({"stock_reserved": None}, "FACT_INCOMPLETE"),
        ({"source": ""}, "FACT_INCOMPLETE"),
        ({"fact_id": "f\0"}, "TEXT_NOT_PRINTABLE"),
        ({"source": "s\0"}, "TEXT_NOT_PRINTABLE"),
        ({"order_id": "o\0"}, "TEXT_NOT_PRINTABLE"),
        ({"subject_id": "s" * 201}, "TEXT_TOO_LONG"),
        ({"occurred_at": Timestamp()}, "INSTANT_OUT_OF_RANGE"),
        ({"occurred_at": Timestamp(seconds=2**62)}, "INSTANT_OUT_OF_RANGE"),
        ({"occurred_at": Timestamp(seconds=1_772_366_400, nanos=-1)}, "INSTANT_OUT_OF_RANGE"),
    ],
)
def test_a_fact_that_nobody_could_keep_is_refused(desk: Desk, change: dict[str, Any], reason: str) -> None:
    fact = desk.fact("ord_1", "inventory", "stock_reserved", 1, {})
    for name, value in change.items():
        if value is None:
            fact.ClearField(name)  # type: ignore[arg-type]  # a name of the table above
        elif isinstance(value, Timestamp):
            fact.occurred_at.CopyFrom(value)
        else:
            setattr(fact, name, value)

    with pytest.raises(InvalidArgument) as refusal:
        desk.notify(fact)

    assert refusal.value.reason == reason
