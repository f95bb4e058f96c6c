"""Tax rates over HTTP, and what they make of orders: categories, certificates, VAT numbers, and what is said of bad input."""

from __future__ import annotations

from typing import Any

import pytest

from services.runtime.company import Company
from tests.api.conftest import World

RATE = {"country": "US", "region": "TX", "category": "standard", "rate": "0.1", "valid_from": "2026-01-01"}


async def put(world: World, **changes: Any) -> None:
    made = await world.send("POST", "/v1/tax-rates", "accounting", json={**RATE, **changes})
    assert made.status_code == 200, made.text


async def test_a_rate_is_entered_replaced_and_listed_in_pages(world: World) -> None:
    await put(world)
    await put(world, rate="0.0825")
    await put(world, category="freight", rate="goods")

    first = (await world.send("GET", "/v1/tax-rates?limit=1", "auditor")).json()
    rest = (await world.send("GET", f"/v1/tax-rates?limit=1&cursor={first['next_cursor']}", "auditor")).json()

    rows = [(row["category"], row["rate"], row["version"]) for row in (*first["rows"], *rest["rows"])]
    assert rows == [("freight", "goods", 1), ("standard", "0.0825", 2)]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("role", ["admin", "approver", "support", "customer"])
async def test_nobody_but_accounting_enters_a_rate(world: World, role: str) -> None:
    assert (await world.send("POST", "/v1/tax-rates", role, json=RATE)).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"rate": "goods"}, "TAX_RATE_MISSING"),
        ({"rate": "1.5"}, "INVALID_REQUEST"),
        ({"country": "Texas"}, "INVALID_REQUEST"),
        ({"category": "Food & drink"}, "INVALID_REQUEST"),
        ({"valid_from": "soon"}, "INVALID_REQUEST"),
    ],
)
async def test_a_rate_that_cannot_be_is_refused(world: World, wrong: dict[str, str], code: str) -> None:
    answer = await world.send("POST", "/v1/tax-rates", "accounting", json={**RATE, **wrong})

    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_product_of_a_category_that_no_rate_names_is_refused(world: World) -> None:
    product = {"sku": "RICE", "description": "Rice", "tax_category": "food"}

    before = await world.send("POST", "/v1/products", "admin", json=product)
    await put(world, category="food", rate="0")
    after = await world.send("POST", "/v1/products", "admin", json=product)

    assert (before.status_code, before.json()["code"]) == (422, "TAX_CATEGORY_UNKNOWN")
    assert "store a rate for it first" in before.json()["detail"]
    assert (after.status_code, after.json()["tax_category"]) == (200, "food")


async def test_a_vat_number_with_wrong_digits_is_refused_by_a_seller_in_the_eu_alone(world: World) -> None:
    number = {"customer_id": "cus_acme", "tax_id": "DE136695977"}
    elsewhere = await world.send("PATCH", "/v1/customers", "admin", json=number)
    world.database.company = Company("DE")
    wrong = await world.send(
        "PATCH", "/v1/customers", "admin", json={"customer_id": "cus_acme", "tax_id": "DE136695977"}
    )
    right = await world.send(
        "PATCH", "/v1/customers", "admin", json={"customer_id": "cus_acme", "tax_id": "DE136695976"}
    )

    assert elsewhere.status_code == 200  # a Mexican number may begin so, too
    assert (wrong.status_code, wrong.json()["code"]) == (422, "TAX_ID_INVALID")
    assert (right.status_code, right.json()["tax_id"]) == (200, "DE136695976")


CERTIFICATE = {
    "certificate": "TX-88",
    "country": "US",
    "region": "TX",
    "valid_from": "2020-01-01",
    "valid_to": "2020-12-31",
}


async def test_an_expired_certificate_is_refused_where_it_is_named_and_else_not_taken(world: World) -> None:
    await put(world)
    exempt = {"customer_id": "cus_acme", "tax_exemptions": [CERTIFICATE]}
    assert (await world.send("PATCH", "/v1/customers", "admin", json=exempt)).status_code == 200

    named = await world.place(tax_exemption="TX-88")
    plain = await world.place(key="k2")

    assert (named.status_code, named.json()["code"]) == (422, "TAX_EXEMPTION_INVALID")
    assert "expired on 2020-12-31" in named.json()["detail"]
    (row,) = plain.json()["totals"]["taxes"]
    assert (plain.status_code, row["rate"], row["code"]) == (201, "0.1", "S")


async def test_a_certificate_in_force_exempts_and_is_on_the_order(world: World) -> None:
    await put(world)
    exempt = {"customer_id": "cus_acme", "tax_exemptions": [{**CERTIFICATE, "valid_to": None}]}
    assert (await world.send("PATCH", "/v1/customers", "admin", json=exempt)).status_code == 200

    placed = (await world.place()).json()
    order = (await world.send("GET", f"/v1/orders/{placed['order_id']}", "support")).json()

    (row,) = order["totals"]["taxes"]
    assert (row["code"], row["reason"]) == ("E", "Exempt under certificate TX-88")
    assert (order["tax_exemption"], order["totals"]["tax"]["amount"]) == ("TX-88", "0.00")
    assert order["tax_on"]
