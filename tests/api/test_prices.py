"""Price agreements over HTTP: who they are for, quantity breaks, and what an overlap says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World

AGREED = {"sku": "PUMP-100", "price": "100.00", "currency": "USD", "valid_from": "2026-06-01"}


async def put(world: World, key: str = "", **changes: Any) -> dict[str, Any]:
    answer = await world.send("POST", "/v1/prices", "admin", key=key, json={**AGREED, **changes})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_an_agreement_that_overlaps_another_is_stored_and_warned_of(world: World) -> None:
    stored = await put(world, customer_id="cus_acme")

    (warning,) = stored["warnings"]
    assert warning.startswith("overlaps the agreement of ")
    assert warning.endswith("from 2026-01-01 on: on days of both, the one from 2026-06-01 applies")


async def test_a_quantity_break_and_a_group_price_are_stored_without_a_warning(world: World) -> None:
    of_many = await put(world, customer_id="cus_acme", min_quantity=10)
    of_group = await put(world, customer_group="schools")

    assert (of_many["min_quantity"], of_many["customer_group"], of_many["warnings"]) == (10, None, [])
    assert (of_group["customer_id"], of_group["customer_group"], of_group["min_quantity"]) == (None, "schools", 1)


async def test_agreements_are_listed_in_pages_and_a_row_can_be_sent_back(world: World) -> None:
    await put(world, customer_id="cus_acme", min_quantity=10)
    await put(world, customer_id="cus_acme", min_quantity=100)
    await put(world, customer_group="schools")

    rows: list[dict[str, Any]] = []
    path = "/v1/prices?limit=1"
    while path:
        page = (await world.send("GET", path, "admin")).json()
        rows += page["rows"]
        path = f"/v1/prices?limit=1&cursor={page['next_cursor']}" if page["next_cursor"] else ""

    assert [(row["customer_id"], row["customer_group"], row["min_quantity"]) for row in rows] == [
        (None, "schools", 1),
        ("cus_acme", None, 1),
        ("cus_acme", None, 10),
        ("cus_acme", None, 100),
    ]
    again = await world.send("POST", "/v1/prices", "admin", json=rows[2])
    assert {**again.json(), "warnings": None} == {**rows[2], "warnings": None}


async def test_a_representative_sees_the_prices_of_the_assigned_customers_and_their_groups(world: World) -> None:
    customer = (await world.send("GET", "/v1/customers/cus_acme", "admin")).json()
    credit = customer.pop("credit")
    limit = credit["limit"]["amount"] if credit else "1000.00"
    body = {**customer, "customer_group": "schools", "sales_rep": "rep.maria", "credit_limit": limit}
    assert (await world.send("POST", "/v1/customers", "admin", json=body)).status_code == 200
    await put(world, customer_group="schools")
    await put(world, customer_group="hospitals")

    rows = (await world.send("GET", "/v1/prices", "sales_rep", claims={"sub": "rep.maria"})).json()["rows"]

    assert {row["customer_group"] for row in rows} == {None, "schools"}


@pytest.mark.parametrize("party", [{}, {"customer_id": "cus_acme", "customer_group": "schools"}])
async def test_an_agreement_without_one_party_is_refused(world: World, party: dict[str, str]) -> None:
    answer = await world.send("POST", "/v1/prices", "admin", json={**AGREED, **party})

    assert (answer.status_code, answer.json()["code"]) == (422, "AGREEMENT_PARTY_MISSING")
