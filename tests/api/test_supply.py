"""Expected receipts, movements, the outlook and promises over the API."""

from __future__ import annotations

import pytest

from gateway.http.plumbing.paging import sealed
from oms.inventory.v1 import supply_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.orders.models.promises import PromiseRow
from tests.api.conftest import NOW, World

PO = {"warehouse_id": "wh_1", "sku": "pump-100", "quantity": 60, "expected_on": "2099-12-09", "reference": "PO-1"}
RECEIPTS = "/v1/stock/expected-receipts"


async def announced(world: World) -> str:
    answer = await world.send("POST", RECEIPTS, "manufacturing", key="a1", json={**PO, "kind": "work_order"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["expected_receipt_id"])


async def test_a_reference_is_announced_once_changed_and_cancelled(world: World) -> None:
    receipt = await announced(world)
    again = await world.send("POST", RECEIPTS, "warehouse", key="k1", json={**PO, "quantity": 50})
    change = {"expected_on": "2099-12-16", "reason": "the vessel is late"}
    path = f"{RECEIPTS}/{receipt}"
    changed = [await world.send("POST", f"{path}/change", "warehouse", key="c1", json=change) for _ in range(2)]
    acts = world.inventory.actions
    cancelled = await world.send("POST", f"{path}/cancel", "warehouse", key="k2", json={"reason": "no material"})
    listed = (await world.send("GET", RECEIPTS, "sales_rep")).json()["rows"]
    everything = (await world.send("GET", f"{RECEIPTS}?all=true&reference=PO-1", "auditor")).json()["rows"]

    assert again.json() == {"expected_receipt_id": receipt, "is_known": True}
    assert changed[0].json() == changed[1].json()
    assert (changed[0].json()["moved_order_count"], acts) == (1, 3)
    assert changed[0].json()["receipt"]["expected_on"] == "2099-12-16"
    assert (cancelled.json()["receipt"]["cancelled_quantity"], listed) == (50, [])
    assert [(one["sku"], one["kind"]) for one in everything] == [("PUMP-100", "purchase_order")]


@pytest.mark.parametrize(
    ("act", "body", "status", "code"),
    [
        ("change", {"expected_on": "2020-01-01"}, 422, "DATE_PAST"),
        ("change", {"expected_on": "16 December"}, 422, "INVALID_REQUEST"),
        ("change", {"quantity": 0}, 422, "INVALID_REQUEST"),
        ("cancel", {"reason": ""}, 422, "INVALID_REQUEST"),
    ],
)
async def test_what_cannot_be_changed_is_refused_by_what_to_do(
    world: World, act: str, body: dict[str, object], status: int, code: str
) -> None:
    receipt = await announced(world)

    answer = await world.send("POST", f"{RECEIPTS}/{receipt}/{act}", "warehouse", key="k3", json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_unknown_receipt_says_where_to_look_and_a_past_day_is_not_announced(world: World) -> None:
    unknown = await world.send("POST", f"{RECEIPTS}/exp_9/change", "warehouse", key="k4", json={"quantity": 5})
    past = await world.send("POST", RECEIPTS, "warehouse", key="k5", json={**PO, "expected_on": "2020-01-01"})
    service = await world.send("POST", RECEIPTS, "customer", key="k6", json=PO)

    assert (unknown.status_code, unknown.json()["code"]) == (404, "EXPECTED_RECEIPT_UNKNOWN")
    assert "list of expected receipts" in unknown.json()["detail"]
    assert (past.status_code, past.json()["code"]) == (422, "DATE_PAST")
    assert service.status_code == 403


async def test_the_outlook_names_takers_and_movements_their_value_to_who_sees_prices(world: World) -> None:
    receipt = pb.ExpectedReceipt(expected_receipt_id="exp_1", reference="PO-1", kind="transfer", remaining_quantity=5)
    world.inventory.outlook = pb.GetSupplyOutlookResponse(
        receipts=[
            pb.OutlookReceipt(
                receipt=receipt, due_on="2099-12-01", taken_quantity=3,
                takers=[pb.Taker(order_id="ord_x", line_id="1", quantity=3)],
            )
        ],
        atp=[pb.AtpDay(day="2099-12-01", quantity=2)],
    )  # fmt: skip
    value = types.Money(minor_units=700, currency="USD")
    world.inventory.movements = [
        pb.Movement(movement_id="mov_1", sku="PUMP-100", kind="received", quantity=7, value=value)
    ]

    outlook = (await world.send("GET", "/v1/stock/outlook?sku=pump-100", "warehouse")).json()
    seen = (await world.send("GET", "/v1/stock/movements?sku=PUMP-100", "accounting")).json()["rows"]
    plain = (await world.send("GET", "/v1/stock/movements?sku=PUMP-100", "warehouse")).json()["rows"]
    nothing = await world.send("GET", "/v1/stock/movements", "warehouse")

    assert outlook["receipts"][0]["takers"] == [
        {"order_id": "ord_x", "order_number": None, "line_id": "1", "quantity": 3}
    ]
    assert outlook["atp"] == [{"day": "2099-12-01", "quantity": 2}]
    assert (seen[0]["value"], plain[0]["value"]) == ({"amount": "7.00", "currency": "USD"}, None)
    assert nothing.status_code == 422


async def test_a_span_of_days_that_is_none_is_refused_and_an_empty_ledger_has_figures(world: World) -> None:
    wrong = await world.send("GET", "/v1/promises/on-time?since=2026-12-02&until=2026-12-01", "auditor")
    figures = (await world.send("GET", "/v1/promises/on-time", "sales_rep")).json()
    rows = (await world.send("GET", "/v1/promises?late=true", "warehouse")).json()
    cursor = await world.send("GET", "/v1/promises?cursor=abc", "auditor")

    assert (wrong.status_code, wrong.json()["code"]) == (422, "SPAN_INVALID")
    assert (figures["delivered"], figures["on_time_percent"]) == (0, None)
    assert rows == {"rows": [], "next_cursor": None}
    assert cursor.json()["code"] == "CURSOR_INVALID"


async def promised(world: World, *ids: str) -> None:
    """Open promises of four pumps."""
    order_id = (await world.place()).json()["order_id"]
    with world.database.transaction() as session:
        for promise_id in ids:
            row = PromiseRow(
                promise_id=promise_id, order_id=order_id, line_id="1", sku="PUMP-100", quantity=4, promised_on="2026-12-04",
                first_on="2026-12-04", given_at=NOW, given_by="acceptance", reason="", outcome="open", ended_on="",
                moved_to="", why="",
            )  # fmt: skip
            session.add(row)


async def test_promises_of_a_sku_are_found_however_it_is_typed(world: World) -> None:
    await promised(world, "prm_1")

    found = (await world.send("GET", "/v1/promises?sku=pump-100", "auditor")).json()["rows"]

    assert [one["promise_id"] for one in found] == ["prm_1"]


@pytest.mark.parametrize("key", ["x", "2026-12-01 y", "-1 y", "5", "99999999999999999999 y"])
async def test_a_cursor_that_no_page_of_promises_gave_is_refused(world: World, key: str) -> None:
    answer = await world.send("GET", f"/v1/promises?cursor={sealed('promises', key)}", "auditor")

    assert (answer.status_code, answer.json()["code"]) == (422, "CURSOR_INVALID")


async def test_promises_come_in_pages_the_newest_first(world: World) -> None:
    await promised(world, "prm_1", "prm_2", "prm_3")

    pages: list[str] = []
    cursor: str | None = ""
    for _ in range(3):
        page = (await world.send("GET", f"/v1/promises?limit=1&cursor={cursor or ''}", "auditor")).json()
        pages += [one["promise_id"] for one in page["rows"]]
        cursor = page["next_cursor"]

    assert (pages, cursor) == (["prm_3", "prm_2", "prm_1"], None)
