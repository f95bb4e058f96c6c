from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from oms.facts.v1 import facts_pb2
from services.kernel.bounds import MAX_MESSAGE
from services.runtime.facts import facts_route
from services.runtime.outbox import OutboxRow

ROW = OutboxRow(
    fact_id="fact_1",
    position=7,
    kind="shipment_shipped",
    order_id="ord_1",
    subject_id="shp_1",
    sequence=3,
    detail={"lines": {"1": {"shipped": "2"}}, "shipment": {"shipment_id": "shp_1"}, "weather": "fine"},
    occurred_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    attempts=0,
)


def test_a_row_is_told_as_the_fact_of_its_service_and_what_the_receiver_keeps_has_arrived() -> None:
    notified: list[facts_pb2.Fact] = []

    def send(facts: list[facts_pb2.Fact]) -> list[str]:
        notified.extend(facts)
        return ["fact_1"]

    route = facts_route("fulfillment", frozenset({"shipment_shipped"}), send)

    assert list(route.deliver([ROW])) == ["fact_1"]
    [fact] = notified
    assert (fact.fact_id, fact.WhichOneof("detail"), fact.source) == ("fact_1", "shipment_shipped", "fulfillment")
    assert (fact.order_id, fact.subject_id, fact.sequence) == ("ord_1", "shp_1", 3)
    assert fact.shipment_shipped.lines["1"].shipped == 2
    assert fact.shipment_shipped.shipment.shipment_id == "shp_1"
    assert fact.occurred_at.ToDatetime(UTC) == ROW.occurred_at


def test_a_fact_waits_for_company_shorter_than_anybody_notices_unless_its_service_lets_it_wait_longer() -> None:
    kinds = frozenset({"stock_issued"})

    assert facts_route("inventory", kinds, lambda _: []).gathering <= timedelta(milliseconds=50)
    assert facts_route("inventory", kinds, lambda _: [], timedelta(seconds=1)).gathering == timedelta(seconds=1)


def test_facts_go_in_calls_that_the_receiver_takes() -> None:
    calls: list[list[facts_pb2.Fact]] = []

    def send(facts: list[facts_pb2.Fact]) -> list[str]:
        calls.append(facts)
        return [fact.fact_id for fact in facts]

    rows = [
        replace(ROW, fact_id=f"fact_{number}", detail={"shipment": {"carrier": "x" * 1_000_000}}) for number in range(9)
    ]
    route = facts_route("fulfillment", frozenset({"shipment_shipped"}), send)

    assert list(route.deliver(rows)) == [row.fact_id for row in rows]
    assert len(calls) > 1
    assert all(sum(fact.ByteSize() for fact in call) < MAX_MESSAGE for call in calls)
