"""What waits for its invoice, invoices by hand and their drafts, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World


@pytest.fixture
async def order_id(world: World) -> str:
    placed = await world.place()
    order_id = str(placed.json()["order_id"])
    for number in (1, 2):
        world.billing.waits(f"shp_{number}", order_id)
    return order_id


async def test_what_waits_says_by_which_policy_and_on_whom(world: World) -> None:
    world.billing.waits("shp_1", policy="weekly", invoice_on="2026-11-22")
    world.billing.waits("shp_2", policy="per_delivery")
    world.billing.waits("shp_3", policy="weekly", invoice_on="2026-11-22", draft_id="draft_1")
    world.billing.waits("shp_4")

    rows = (await world.send("GET", "/v1/billable", "accounting")).json()["rows"]
    weekly = (await world.send("GET", "/v1/billable?policy=weekly", "auditor")).json()["rows"]

    assert [(row["shipment_id"], row["waiting_on"], row["invoice_on"], row["draft_id"]) for row in rows] == [
        ("shp_1", "period", "2026-11-22", None),
        ("shp_2", "delivery", None, None),
        ("shp_3", "accounting", "2026-11-22", "draft_1"),
        ("shp_4", "accounting", None, None),
    ]
    assert rows[0]["amount"] == {"amount": "50.00", "currency": "USD"}
    assert [row["shipment_id"] for row in weekly] == ["shp_1", "shp_3"]


async def test_an_order_is_invoiced_by_its_number_once_a_key(world: World, order_id: str) -> None:
    number = (await world.send("GET", f"/v1/orders/{order_id}", "accounting")).json()["number"]
    body = {"order_id": number, "shipments": ["shp_2"]}

    seen = await world.send("POST", "/v1/invoices/preview", "accounting", json=body)
    first = await world.send("POST", "/v1/invoices", "accounting", key="k", json=body)
    again = await world.send("POST", "/v1/invoices", "accounting", key="k", json=body)

    assert (seen.status_code, first.status_code) == (200, 201)
    assert (seen.json()["invoice"]["number"], seen.json()["needs_second_person"]) == ("", False)
    assert first.json()["shipment_ids"] == ["shp_2"]
    assert first.json()["total"] == seen.json()["invoice"]["total"] == {"amount": "50.00", "currency": "USD"}
    assert again.json() == first.json()
    assert [one.shipment_id for one in world.billing.billable] == ["shp_1"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"order_id": "SO-9999"}, 404, "ORDER_UNKNOWN"),
        ({"order_id": "SO-1001", "shipments": ["shp_9"]}, 404, "SHIPMENT_NOT_BILLABLE"),
        ({"shipments": ["shp_1"]}, 422, "INVALID_REQUEST"),
        ({"order_id": "SO-1001", "shipments": "shp_1"}, 422, "INVALID_REQUEST"),
    ],
)
async def test_what_cannot_be_invoiced_is_refused_and_nothing_is(
    world: World, order_id: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await world.send("POST", "/v1/invoices", "accounting", key="k", json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert world.billing.invoices == {}


async def test_without_a_key_nothing_is_invoiced(world: World, order_id: str) -> None:
    answer = await world.send("POST", "/v1/invoices", "accounting", json={"order_id": order_id})

    assert answer.status_code in (400, 422)
    assert world.billing.invoices == {}


async def test_a_draft_is_made_approved_and_posted(world: World, order_id: str) -> None:
    made = await world.send("POST", "/v1/invoice-drafts", "accounting", key="a", json={"order_id": order_id})
    path = f"/v1/invoice-drafts/{made.json()['draft_id']}"
    approved = await world.send("POST", f"{path}/approval", "accounting", key="b")
    posted = await world.send("POST", f"{path}/posting", "accounting", key="c")
    again = await world.send("POST", f"{path}/posting", "accounting", key="c")

    assert (made.status_code, made.json()["state"], made.json()["shipment_ids"]) == (201, "draft", ["shp_1", "shp_2"])
    assert (approved.json()["state"], posted.json()["state"]) == ("approved", "posted")
    assert posted.json()["invoice"]["invoice_id"] == posted.json()["invoice_id"]
    assert again.json() == posted.json()
    assert (await world.send("GET", path, "auditor")).json()["state"] == "posted"


async def test_a_draft_is_discarded_and_gone_from_the_open_ones(world: World, order_id: str) -> None:
    made = await world.send("POST", "/v1/invoice-drafts", "accounting", key="a", json={"order_id": order_id})
    path = f"/v1/invoice-drafts/{made.json()['draft_id']}"
    before = (await world.send("GET", "/v1/invoice-drafts?state=open", "accounting")).json()["rows"]

    discarded = await world.send("POST", f"{path}/discarding", "accounting", key="b")
    refused = await world.send("POST", f"{path}/posting", "accounting", key="c")

    assert [row["draft_id"] for row in before] == [made.json()["draft_id"]]
    assert (discarded.json()["state"], discarded.json()["shipment_ids"]) == ("discarded", [])
    assert (refused.status_code, refused.json()["code"]) == (409, "DRAFT_ENDED")
    assert (await world.send("GET", "/v1/invoice-drafts?state=open", "accounting")).json()["rows"] == []


@pytest.mark.parametrize("role", ["customer", "sales_rep", "warehouse", "auditor", "admin"])
async def test_only_accounting_invoices(world: World, order_id: str, role: str) -> None:
    for path in ("/v1/invoices", "/v1/invoice-drafts", "/v1/invoices/preview"):
        answer = await world.send("POST", path, role, key=f"{role}{path}", json={"order_id": order_id})
        assert answer.status_code == 403, path
