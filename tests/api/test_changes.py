from __future__ import annotations

from typing import Any

import pytest

from oms.fulfillment.v1 import fulfillment_pb2
from services.orders.changes import apply
from services.orders.policies.engine import Credit
from services.orders.store import orders
from tests.api.conftest import CONTACTS, NOW, World

SWAP = {"reason": "PUMP-100 is short", "lines": [{"line_id": "1", "sku": "INSTALL-8H", "unit_price": "790.00"}]}


async def _accepted(world: World) -> str:
    world.validates()
    return str((await world.place()).json()["order_id"])


def _settles(world: World) -> None:
    """Let the workflow make an agreed change as soon as it looks."""

    def settle(number: str, change_id: str) -> None:
        with world.database.transaction() as session:
            apply.apply(session, orders.find_id(session, number), change_id, Credit(True, 0, 0), CONTACTS, NOW)

    world.workflows.on_refresh = settle


async def _change(world: World, order_id: str, role: str, body: dict[str, Any], **more: Any) -> Any:
    return await world.send("POST", f"/v1/orders/{order_id}/changes", role, json=body, **more)


async def test_a_change_is_previewed_and_then_made_as_it_was_shown(world: World) -> None:
    order_id = await _accepted(world)
    _settles(world)
    body = {"reason": "fewer", "lines": [{"line_id": "1", "quantity": 2}], "version": 1}

    shown = await _change(world, order_id, "customer", body, params={"preview": True})
    made = await _change(world, order_id, "customer", body, key="c1")
    again = await _change(world, order_id, "customer", body, key="c1")

    assert (shown.status_code, shown.json()["state"], shown.json()["change_id"]) == (200, "preview", None)
    assert (made.status_code, made.json()["state"], again.json()) == (201, "applied", made.json())
    assert made.json()["difference"] == shown.json()["difference"]
    # 2 x 129.00 + 800.00 = 1,058.00 + 8.25 % = 1,145.29
    assert made.json()["totals_after"]["total"]["amount"] == "1145.29"
    order = (await world.send("GET", f"/v1/orders/{order_id}", "customer")).json()
    assert (order["version"], order["versions"], order["change"]) == (2, 2, None)
    assert [line["quantity"] for line in order["lines"]] == [2, 1]


async def test_a_proposal_stands_beside_the_order_until_the_customer_answers(world: World) -> None:
    order_id = await _accepted(world)

    made = (await _change(world, order_id, "sales_rep", SWAP)).json()
    order = (await world.send("GET", f"/v1/orders/{order_id}", "customer")).json()

    assert (made["state"], made["needs_consent"]) == ("awaiting_customer", True)
    assert (order["lines"][0]["sku"], order["change"]["change_id"]) == ("PUMP-100", made["change_id"])
    assert (order["change"]["proposed_by"], order["waiting_for"]["who"]) == ("sales_rep", "customer")
    assert order["waiting_for"]["due"] == "2026-12-03T09:00:00.000Z"

    _settles(world)
    path = f"/v1/orders/{order_id}/changes/{made['change_id']}/consent"
    rival = await world.send("POST", path, "customer", claims={"company": "cus_rival"}, json={"answer": "accept"})
    accepted = await world.send("POST", path, "customer", json={"answer": "accept", "version": 1})
    late = await world.send("POST", path, "customer", json={"answer": "decline"})

    assert rival.status_code == 404
    assert (accepted.status_code, accepted.json()["state"], accepted.json()["consented_by"]) == (200, "applied", "ann")
    assert (late.status_code, late.json()["code"], late.json()["parameters"]) == (
        409,
        "CHANGE_NOT_WAITING",
        {"state": "applied"},
    )
    assert [update for _, update, _ in world.workflows.refreshed] == ["amend", "consent"]


async def test_a_picker_sees_what_may_yet_change_until_it_is_settled(world: World) -> None:
    order_id = await _accepted(world)
    for shipment_id, line_id in (("shp_1", "1"), ("shp_2", "2")):
        lines = [fulfillment_pb2.ShipmentLine(line_id=line_id, sku="A", quantity=1)]
        world.fulfillment.release(shipment_id, order_id=order_id, lines=lines)
    made = (await _change(world, order_id, "sales_rep", SWAP)).json()

    shown = (await world.send("GET", "/v1/shipments", "warehouse")).json()["rows"]
    picked = (await world.send("POST", "/v1/shipments/shp_1/pick", "warehouse", key="p")).json()
    await world.send("POST", f"/v1/orders/{order_id}/changes/{made['change_id']}/withdrawal", "sales_rep")
    after = (await world.send("GET", "/v1/shipments/shp_1", "warehouse")).json()

    pending = {
        "change_id": made["change_id"],
        "state": "awaiting_customer",
        "what": [
            "PUMP-100 replaced by INSTALL-8H: 4 × PUMP-100 (Pump) → 4 × INSTALL-8H (Installation)",
        ],
        "since": "2026-12-01T09:00:00.000Z",
        "until": "2026-12-02T09:00:00.000Z",
    }
    assert [row["change_pending"] for row in shown] == [pending, None]
    assert (picked["state"], picked["change_pending"]) == ("picked", pending)
    assert after["change_pending"] is None


async def test_a_proposal_is_withdrawn_by_sales(world: World) -> None:
    order_id = await _accepted(world)
    change_id = (await _change(world, order_id, "sales_rep", SWAP)).json()["change_id"]

    path = f"/v1/orders/{order_id}/changes/{change_id}/withdrawal"
    gone = await world.send("POST", path, "sales_rep", json={"note": "wrong SKU"})
    again = await world.send("POST", path, "support")

    assert (gone.json()["state"], gone.json()["ended_reason"]) == ("withdrawn", "wrong SKU")
    assert (again.status_code, again.json()["code"]) == (409, "CHANGE_HAS_ENDED")
    listed = (await world.send("GET", f"/v1/orders/{order_id}/changes", "customer")).json()["rows"]
    assert [(row["state"], row["ended_reason"]) for row in listed] == [("withdrawn", "")]


async def test_changes_are_listed_in_pages(world: World) -> None:
    order_id = await _accepted(world)
    _settles(world)
    for units in (3, 2, 1):
        await _change(world, order_id, "customer", {"reason": "fewer", "lines": [{"line_id": "1", "quantity": units}]})

    path = f"/v1/orders/{order_id}/changes"
    first = (await world.send("GET", path, "support", params={"limit": 2})).json()
    rest = (await world.send("GET", path, "support", params={"limit": 2, "cursor": first["next_cursor"]})).json()

    assert [row["to_version"] for row in first["rows"] + rest["rows"]] == [2, 3, 4]
    assert rest["next_cursor"] is None


async def test_a_workflow_that_is_away_leaves_the_change_to_the_relay(world: World) -> None:
    order_id = await _accepted(world)
    world.workflows.is_away = True

    body = {"reason": "fewer", "lines": [{"line_id": "1", "quantity": 2}]}
    made = await _change(world, order_id, "customer", body)

    assert (made.status_code, made.json()["state"]) == (202, "agreed")


async def test_every_version_is_shown_and_the_warehouse_sees_no_price(world: World) -> None:
    order_id = await _accepted(world)
    _settles(world)
    await _change(world, order_id, "customer", {"reason": "fewer", "lines": [{"line_id": "1", "quantity": 2}]})

    path = f"/v1/orders/{order_id}/versions"
    rows = (await world.send("GET", path, "customer")).json()["rows"]
    warehouse = (await world.send("GET", path, "warehouse")).json()["rows"]

    assert [(row["version"], row["is_current"], row["lines"][0]["quantity"]) for row in rows] == [
        (1, False, 4),
        (2, True, 2),
    ]
    assert (rows[0]["totals"]["merchandise"]["amount"], rows[0]["replaced_at"] is None) == ("1316.00", False)
    assert [(row["totals"], row["lines"][0]["unit_price"], row["lines"][0]["extended"]) for row in warehouse] == [
        (None, None, None)
    ] * 2


@pytest.mark.parametrize(
    ("role", "body", "status", "code"),
    [
        ("customer", {"lines": []}, 422, "INVALID_REQUEST"),
        ("customer", {"reason": "", "lines": []}, 422, "INVALID_REQUEST"),
        ("customer", {"reason": "x"}, 409, "NOTHING_CHANGES"),
        ("customer", {"reason": "x", "surprise": 1}, 422, "INVALID_REQUEST"),
        ("customer", {"reason": "x", "lines": [{"line_id": "1", "quantity": -1}]}, 422, "INVALID_REQUEST"),
        ("customer", {"reason": "x", "lines": [{"line_id": "1", "quantity": 1.5}]}, 422, "INVALID_REQUEST"),
        ("customer", {"reason": "x", "lines": [{"line_id": "1", "quantity": 10**9}]}, 422, "INVALID_REQUEST"),
        ("customer", {"reason": "x", "lines": [{"line_id": "1'--", "quantity": 1}]}, 422, "INVALID_REQUEST"),
        ("customer", {"reason": "x", "lines": [{"line_id": "77", "quantity": 1}]}, 409, "LINE_UNKNOWN"),
        ("customer", {"reason": "x", "lines": [{"sku": "NOPE-1", "quantity": 1}]}, 409, "SKU_UNKNOWN"),
        ("customer", {"reason": "x", "lines": [{"line_id": "1", "quantity": 1}] * 2001}, 422, "INVALID_REQUEST"),
        ("customer", {"reason": "x", "discount": "5.00"}, 403, "AMOUNT_NOT_PERMITTED"),
        ("customer", {"reason": "x", "lines": [{"line_id": "1", "unit_price": "1.00"}]}, 403, "AMOUNT_NOT_PERMITTED"),
        ("sales_rep", {"reason": "x", "freight": "5.001"}, 422, "TOO_MANY_DECIMALS"),
        ("sales_rep", {"reason": "x", "freight": "-5"}, 422, "INVALID_REQUEST"),
        ("sales_rep", {"reason": "x", "discount": "99999.00"}, 409, "DISCOUNT_TOO_LARGE"),
        ("sales_rep", {"reason": "x", "requested_on": "2026-13-01"}, 422, "INVALID_REQUEST"),
        ("sales_rep", {"reason": "x", "ship_complete": "yes"}, 422, "INVALID_REQUEST"),
        ("sales_rep", {"reason": "x", "ship_to": {"country": "Texas"}}, 422, "INVALID_REQUEST"),
        ("sales_rep", {"reason": "x", "version": 9, "freight": "1.00"}, 409, "VERSION_STALE"),
        ("auditor", {"reason": "x", "freight": "1.00"}, 403, "ROLE_NOT_ALLOWED"),
    ],
)
async def test_a_bad_change_is_refused_as_a_problem_and_changes_nothing(
    world: World, role: str, body: dict[str, Any], status: int, code: str
) -> None:
    order_id = await _accepted(world)

    refused = await _change(world, order_id, role, body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    order = (await world.send("GET", f"/v1/orders/{order_id}", "support")).json()
    assert (order["version"], order["change"]) == (1, None)


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"answer": "maybe"}, 422), ({"answer": "accept", "version": 0}, 422), ({"answer": "accept"}, 404)],
)
async def test_a_bad_answer_is_refused(world: World, body: dict[str, Any], status: int) -> None:
    order_id = await _accepted(world)

    refused = await world.send("POST", f"/v1/orders/{order_id}/changes/chg_none/consent", "customer", json=body)

    assert refused.status_code == status


async def test_another_customers_order_is_changed_and_read_by_nobody_of_theirs(world: World) -> None:
    order_id = await _accepted(world)
    rival = {"company": "cus_rival", "sub": "bob"}
    body = {"reason": "x", "lines": [{"line_id": "1", "quantity": 1}]}

    tried = [
        await _change(world, order_id, "customer", body, claims=rival),
        await _change(world, order_id, "customer", body, claims=rival, params={"preview": True}),
        await world.send("GET", f"/v1/orders/{order_id}/changes", "customer", claims=rival),
        await world.send("GET", f"/v1/orders/{order_id}/versions", "customer", claims=rival),
        await _change(world, order_id, "sales_rep", body, claims={"sub": "sue"}),
    ]

    assert [answer.status_code for answer in tried] == [404] * 5
