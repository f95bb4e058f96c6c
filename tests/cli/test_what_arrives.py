"""`oms parcels`, `oms quarantine`, and what of `oms returns` does without goods."""

from __future__ import annotations

from typing import Any

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms
from tests.cli.test_returns import INSPECTED, RETURN

PARCEL: dict[str, Any] = {
    "parcel_id": "pcl_1", "number": "PCL-1001", "warehouse_id": "wh_1", "state": "waiting", "waits_for": "support",
    "lines": [
        {"sku": "PUMP", "description": "", "quantity": 2, "seems": "of_order", "matched": 0},
        {"sku": None, "description": "a hose", "quantity": 1, "seems": "foreign", "matched": 0},
    ],
    "order_number": "SO-1001", "return_number": None, "received_at": "2026-03-02T09:00:00.000Z",
}  # fmt: skip
UNITS = {
    "movement_id": "mov_1", "sku": "PUMP", "warehouse_id": "wh_1", "disposition": "quarantine", "quantity": 2,
    "value": {"amount": "100.00", "currency": "USD"}, "return_number": "RMA-1001", "taken_at": "2026-03-02T09:00:00.000Z",
}  # fmt: skip


def test_a_parcel_is_recorded_matched_and_decided(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/parcels", PARCEL, 201)
    api.on("POST /v1/parcels/PCL-1001/match", {**RETURN, "stage": "received", "waits_for": "warehouse"}, 201)
    api.on("POST /v1/parcels/PCL-1001/decision", {**PARCEL, "state": "sent_back", "waits_for": None})

    recorded = command(
        "parcels",
        "record",
        "--warehouse",
        "wh_1",
        "--sku",
        "PUMP=2",
        "--described",
        "a hose=1",
        "--reference",
        "SO-1001",
    )
    matched = command("parcels", "match", "PCL-1001", "SO-1001", "--line", "1=2")
    decided = command("parcels", "decide", "PCL-1001", "send_back", "--note", "not ours")
    empty = command("parcels", "record", "--warehouse", "wh_1")

    bodies = [one.body for one in api.asked]
    goods = [{"sku": "PUMP", "quantity": 2}, {"description": "a hose", "quantity": 1}]
    assert bodies[0] == {"warehouse_id": "wh_1", "lines": goods, "note": "", "reference": "SO-1001"}
    assert bodies[1]["lines"] == [{"line_id": "1", "quantity": 2, "reason": "other"}]
    assert bodies[2] == {"outcome": "send_back", "note": "not ours"}
    assert recorded.out == "PCL-1001 at wh_1: waiting\n2 PUMP, 1 a hose (foreign, of order)\nWaiting on support\n"
    assert matched.out == "RMA-1001 of SO-1001: received, waiting on warehouse\n"
    assert decided.out.startswith("PCL-1001 at wh_1: sent back")
    assert (empty.code, "say what is in it" in empty.err) == (1, True)


def test_parcels_and_quarantine_are_listed(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/parcels", PARCEL)
    api.page("GET /v1/quarantine", UNITS)

    parcels, apart = command("parcels"), command("quarantine", "list", "--warehouse", "wh_1")

    assert all(word in parcels.out for word in ("PCL-1001", "SO-1001", "2 PUMP"))
    assert all(word in apart.out for word in ("mov_1", "quarantine", "RMA-1001"))


def test_a_quarantine_is_ended_by_a_decision(command: Oms, api: FakeApi) -> None:
    done = {
        "left_quantity": 1,
        "filled_quantity": 1,
        "filled_order_ids": ["ord_1"],
        "decision_id": "mov_2",
        "value": None,
    }
    api.on("POST /v1/quarantine/mov_1/decision", done)

    answer = command("quarantine", "decide", "mov_1", "release", "--quantity", "1", "--reason", "tested")

    assert api.asked[-1].body == {"quantity": 1, "outcome": "release", "reason": "tested"}
    assert answer.out == "1 released to stock, 1 still in quarantine\n1 units fill backorders of 1 orders\n"


def test_a_return_is_credited_without_its_goods_and_counted_with_others(command: Oms, api: FakeApi) -> None:
    for verb in ("keep", "credit", "give-up", "receive"):
        api.on(f"POST /v1/returns/RMA-1001/{verb}", INSPECTED)

    for verb in ("keep", "credit", "give-up"):
        assert command("returns", verb, "RMA-1001", "--note", "agreed").code == 0
    command("returns", "receive", "RMA-1001", "--warehouse", "wh_1", "--other", "SEAL=1", "--described", "a hose=2")

    others = [{"sku": "SEAL", "quantity": 1}, {"description": "a hose", "quantity": 2}]
    assert [one.body for one in api.asked[:3]] == [{"note": "agreed"}] * 3
    assert api.asked[3].body == {"warehouse_id": "wh_1", "lines": [], "others": others}
