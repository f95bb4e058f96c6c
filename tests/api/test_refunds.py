"""Refunds that are owed to cards over HTTP: listed, tried again, and recorded as paid another way."""

from __future__ import annotations

from tests.api.conftest import World


async def test_what_is_owed_is_listed_for_accounting_and_auditors(world: World) -> None:
    found = await world.send("GET", "/v1/refunds?state=open", "auditor")
    paid = await world.send("GET", "/v1/refunds?state=paid", "accounting")
    hidden = await world.send("GET", "/v1/refunds", "customer")

    [row] = found.json()["rows"]
    assert (row["amount"], row["state"]) == ({"amount": "750.00", "currency": "USD"}, "open")
    assert (row["failed_count"], row["reason"], row["is_escalated"]) == (5, "insufficient_funds", True)
    assert (row["settled_at"], row["reference"]) == (None, None)
    assert (paid.json()["rows"], hidden.status_code) == ([], 403)


async def test_a_retry_is_made_once_and_one_that_is_paid_is_not_tried(world: World) -> None:
    path = "/v1/refunds/rfd_1"

    first = await world.send("POST", f"{path}/retry", "accounting", key="r")
    again = await world.send("POST", f"{path}/retry", "accounting", key="r")
    paid = await world.send("POST", f"{path}/payment", "accounting", key="p", json={"reference": "WIRE-9"})
    late = await world.send("POST", f"{path}/retry", "accounting", key="late")
    unknown = await world.send("POST", "/v1/refunds/rfd_2/retry", "accounting", key="u")
    nameless = await world.send("POST", f"{path}/payment", "accounting", key="n", json={"reference": ""})

    assert (first.status_code, first.json()) == (200, again.json())
    assert (paid.json()["state"], paid.json()["reference"], paid.json()["settled_by"]) == (
        "paid_otherwise",
        "WIRE-9",
        "accounting",
    )
    assert (late.status_code, late.json()["code"]) == (409, "REFUND_SETTLED")
    assert (unknown.status_code, nameless.status_code) == (404, 422)
