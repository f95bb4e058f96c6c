"""Steps of returns: what they tell orders."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

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


def _said(*units: facts_pb2.InspectedUnits, **more: Any) -> tuple[list[Any], ReturnActivities]:
    """What a document of these inspected units has inventory, fulfillment and billing asked."""
    asked: list[Any] = []
    found = pb.ReturnDocument()
    found.CopyFrom(FOUND)
    found.arrived_in, found.received_by = more.pop("arrived_in", ""), "pat"
    found.inspections[0].CopyFrom(pb.ReturnInspection(inspection_id="insp_1", warehouse_id="W1", units=units, **more))

    async def document(_asked: Any) -> pb.GetReturnResponse:
        return pb.GetReturnResponse(document=found)

    async def advance(_asked: Any) -> pb.AdvanceReturnResponse:
        return pb.AdvanceReturnResponse(next="over", state="closed")

    async def keep(request: Any) -> Any:
        asked.append(request)
        return billing.CreditReturnResponse()

    services: Any = SimpleNamespace(
        orders=SimpleNamespace(GetReturn=document, AdvanceReturn=advance),
        billing=SimpleNamespace(CreditReturn=keep),
        inventory=SimpleNamespace(TakeReturn=keep),
        fulfillment=SimpleNamespace(ExpectReturn=keep),
    )
    return asked, ReturnActivities(services)


def _units(quantity: int, disposition: str, responsible: str = "carrier") -> facts_pb2.InspectedUnits:
    return facts_pb2.InspectedUnits(
        line_id="1", sku="PUMP", quantity=quantity, grade="A", disposition=disposition, responsible=responsible
    )


@pytest.mark.parametrize("without_goods", ["keep", "in_advance"])
def test_units_that_are_credited_without_goods_are_taken_into_no_warehouse(without_goods: str) -> None:
    nothing, alone = _said(_units(2, without_goods))
    some, mixed = _said(_units(1, without_goods), _units(1, "refurbish"))

    done = [asyncio.run(one.take_return(ReturnStep("key", "rma_1", "insp_1"))) for one in (alone, mixed)]

    assert nothing == []
    assert [(unit.quantity, unit.disposition) for unit in some[0].units] == [(1, "refurbish")]
    assert done[0].note == f"2 to {without_goods}"


@pytest.mark.parametrize(("before", "credited"), [(0, [1, 2]), (1, [1, 1]), (2, [1]), (3, None)])
def test_units_that_were_credited_in_advance_are_not_credited_again(before: int, credited: list[int] | None) -> None:
    asked, steps = _said(
        _units(2, "restock"), _units(1, "scrap", "customer"), credited_before={"1": before}, fee_line_ids=["1"]
    )

    asyncio.run(steps.credit_return(ReturnStep("key", "rma_1", "insp_1")))

    assert [sorted(line.quantity for line in each.lines) for each in asked] == ([credited] if credited else [])


def test_goods_of_a_parcel_are_announced_as_already_here() -> None:
    asked, steps = _said(_units(1, "restock"), arrived_in="W1")

    asyncio.run(steps.expect_return(ReturnStep("key", "rma_1")))

    assert (asked[0].arrived_in, asked[0].received_by) == ("W1", "pat")
