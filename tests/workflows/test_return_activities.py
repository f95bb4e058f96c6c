"""Steps of returns: what they tell orders."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from oms.billing.v1 import billing_pb2 as billing
from oms.facts.v1 import facts_pb2
from oms.orders.v1 import orders_pb2 as pb
from workflows.activities.returns import ReturnActivities
from workflows.return_messages import ReturnStep

UNITS = facts_pb2.InspectedUnits(
    line_id="1", sku="PUMP", quantity=2, grade="A", disposition="restock", responsible="carrier"
)
FOUND = pb.ReturnDocument(
    return_id="rma_1",
    order_id="ord_1",
    number="RMA-1001",
    lines=[pb.ReturnLine(line_id="1", sku="PUMP", quantity=2)],
    inspections=[pb.ReturnInspection(inspection_id="insp_1", warehouse_id="W1", units=[UNITS])],
)


def test_units_that_were_credited_before_they_came_have_no_credit_notes() -> None:
    requests: list[pb.AdvanceReturnRequest] = []

    async def document(_asked: Any) -> pb.GetReturnResponse:
        return pb.GetReturnResponse(document=FOUND)

    async def credit(_asked: Any) -> billing.CreditReturnResponse:
        return billing.CreditReturnResponse()

    async def advance(asked: pb.AdvanceReturnRequest) -> pb.AdvanceReturnResponse:
        requests.append(asked)
        return pb.AdvanceReturnResponse(next="over", state="closed")

    services: Any = SimpleNamespace(
        orders=SimpleNamespace(GetReturn=document, AdvanceReturn=advance), billing=SimpleNamespace(CreditReturn=credit)
    )
    following = asyncio.run(ReturnActivities(services).credit_return(ReturnStep("key", "rma_1", "insp_1")))

    assert (following.next, following.what) == ("over", [])
    [asked] = requests
    assert (asked.done, asked.inspection_id, list(asked.credit_notes)) == ("credited", "insp_1", [])
    assert not asked.HasField("credited")
    assert not asked.HasField("fee")
