"""Master data that is replaced is asked what hangs on it."""

from __future__ import annotations

from typing import Any

import pytest

from oms.billing.v1 import billing_pb2 as billing
from oms.types.v1 import types_pb2 as types
from tests.api.conftest import World

ACME = {"customer_id": "cus_acme", "name": "ACME", "currency": "EUR", "credit_limit": "100.00"}


def usd(minor: int) -> types.Money:
    return types.Money(currency="USD", minor_units=minor)


@pytest.mark.parametrize(
    ("owed", "status"),
    [({"committed": usd(1)}, 409), ({"receivable": usd(1)}, 409), ({"receivable": usd(-1)}, 409), ({}, 200)],
    ids=["ordered", "owed", "cash of it left", "nothing"],
)
async def test_a_customers_currency_stays_while_it_has_exposure(
    world: World, owed: dict[str, Any], status: int
) -> None:
    amounts = {name: money.minor_units for name, money in owed.items()}
    world.billing.PutCreditAccount(
        billing.PutCreditAccountRequest(customer_id="cus_acme", limit=usd(1000), net_days=30)
    )
    world.billing.standing["cus_acme"] = (amounts.get("committed", 0), amounts.get("receivable", 0))

    answer = await world.send("POST", "/v1/customers", "admin", json=ACME)

    assert answer.status_code == status
    assert answer.json().get("code", "CURRENCY_IN_USE") == "CURRENCY_IN_USE"
    kept = (await world.send("GET", "/v1/customers/cus_acme", "admin")).json()
    assert kept["currency"] == ("USD" if status == 409 else "EUR")


async def test_nor_while_an_order_of_it_lives(world: World) -> None:
    number = (await world.place()).json()["number"]

    answer = await world.send("POST", "/v1/customers", "admin", json=ACME)

    assert (answer.status_code, answer.json()["code"]) == (409, "CURRENCY_IN_USE")
    assert number in answer.json()["detail"]


async def test_everything_else_of_it_may_change(world: World) -> None:
    await world.place()

    answer = await world.send("POST", "/v1/customers", "admin", json={**ACME, "currency": "USD", "name": "Acme Inc."})

    assert (answer.status_code, answer.json()["name"]) == (200, "Acme Inc.")
