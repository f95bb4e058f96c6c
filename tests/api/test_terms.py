"""Payment terms of a customer over HTTP: written once, read everywhere, never against net_days."""

from __future__ import annotations

from typing import Any

import pytest

from oms.billing.v1 import billing_pb2 as billing
from oms.types.v1 import types_pb2 as types
from tests.api.conftest import World

CUSTOMER = {"customer_id": "cus_new", "name": "New", "currency": "USD", "credit_limit": "1000.00"}
PAYMENT = {"customer_id": "cus_acme", "amount": {"amount": "98.00", "currency": "USD"}, "reference": "WIRE-1"}


async def put(world: World, **members: Any) -> Any:
    return await world.send("POST", "/v1/customers", "admin", json=CUSTOMER | members)


async def patch(world: World, **members: Any) -> Any:
    return await world.send("PATCH", "/v1/customers", "admin", json={"customer_id": "cus_new", **members})


@pytest.mark.parametrize(
    ("given", "terms", "net_days"),
    [
        ({}, "net 30", 30),
        ({"net_days": 45}, "net 45", 45),
        ({"terms": "NET 10"}, "net 10", 10),
        ({"terms": "2/10 net 30"}, "2/10 net 30", 30),
        ({"terms": "eom 15", "net_days": 15}, "eom 15", 15),
        ({"terms": "50%@30, 50%@60"}, "50%@30 50%@60", 60),
        ({"terms": None, "net_days": 7}, "net 7", 7),
    ],
)
async def test_terms_or_net_days_say_when_invoices_are_due(
    world: World, given: dict[str, Any], terms: str, net_days: int
) -> None:
    answer = (await put(world, **given)).json()

    assert (answer["terms"], answer["net_days"]) == (terms, net_days)
    assert world.billing.accounts["cus_new"].net_days == net_days


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"terms": "2/10 net 30", "net_days": 45}, "TERMS_CONTRADICT"),
        ({"terms": "net soon"}, "TERMS_INVALID"),
        ({"terms": "50%@30 40%@60"}, "TERMS_INVALID"),
        ({"calendar": "XX"}, "CALENDAR_UNKNOWN"),
        ({"calendar": "US-QQ"}, "CALENDAR_UNKNOWN"),
    ],
)
async def test_terms_that_cannot_be_are_refused_and_nothing_is_kept(
    world: World, given: dict[str, Any], code: str
) -> None:
    answer = await put(world, **given)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert "cus_new" not in world.billing.accounts
    assert (await world.send("GET", "/v1/customers/cus_new", "admin")).status_code == 404


async def test_a_patch_of_one_of_the_two_carries_the_other(world: World) -> None:
    await put(world, terms="2/10 net 30")

    other = (await patch(world, terms="eom 15")).json()
    plain = (await patch(world, net_days=20)).json()
    named = (await patch(world, name="Newer")).json()
    both = await patch(world, terms="eom 15", net_days=20)

    assert (other["terms"], other["net_days"]) == ("eom 15", 15)
    assert (plain["terms"], plain["net_days"]) == ("net 20", 20)
    assert (named["terms"], named["name"]) == ("net 20", "Newer")
    assert both.json()["code"] == "TERMS_CONTRADICT"


async def test_an_order_shows_the_terms_it_was_placed_under(world: World) -> None:
    terms = {"customer_id": "cus_acme", "terms": "2/10 net 30", "calendar": "US-TX"}
    await world.send("PATCH", "/v1/customers", "admin", json=terms | {"credit_limit": "1000.00"})
    placed = (await world.place()).json()
    await world.send("PATCH", "/v1/customers", "admin", json=terms | {"terms": "net 5"})

    order = (await world.send("GET", f"/v1/orders/{placed['order_id']}", "auditor")).json()

    assert (order["terms"], order["net_days"]) == ("2/10 net 30", 30)


async def test_an_invoice_shows_what_is_due_when_and_what_pays_it_early(world: World) -> None:
    def usd(minor: int) -> types.Money:
        return types.Money(minor_units=minor, currency="USD")

    invoice = world.billing.invoice("inv_1", "cus_acme", 10_000)
    early = billing.EarlyDiscount(amount=usd(200), until="2026-03-12", pays=usd(9_800))
    invoice.MergeFrom(billing.Invoice(due_on="2026-04-01", terms="2/10 net 30", early_discount=early))
    waits = world.billing.invoice("inv_2", "cus_acme", 5_000)
    waits.installments.append(billing.Installment(amount=usd(5_000), open=usd(5_000)))

    first, second = [
        (await world.send("GET", f"/v1/invoices/{name}", "accounting")).json() for name in ("inv_1", "inv_2")
    ]

    assert first["terms"] == "2/10 net 30"
    assert {name: first["early_discount"][name] for name in ("until",)} == {"until": "2026-03-12"}
    assert first["early_discount"]["pays"]["amount"] == "98.00"
    assert (second["due_on"], second["installments"][0]["due_on"], second["early_discount"]) == (None, None, None)


async def test_a_payment_says_when_its_cash_came(world: World) -> None:
    answers = [
        await world.send("POST", "/v1/payments", role, key=f"p-{role}", json=PAYMENT | {"received_on": "2026-03-12"})
        for role in ("support", "accounting")
    ]

    assert [answer.status_code for answer in answers] == [403, 201]
    assert answers[1].json()["received_on"] == "2026-03-12"
