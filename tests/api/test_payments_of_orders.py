"""Payments that name orders, and payments that are taken back, moved and refunded, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World

PAYMENT = {"customer_id": "cus_acme", "amount": {"amount": "100.00", "currency": "USD"}, "reference": "WIRE-1"}


def part(name: str, amount: str = "100.00", currency: str = "USD") -> dict[str, Any]:
    return {"order_id": name, "amount": {"amount": amount, "currency": currency}}


async def test_a_payment_names_an_order_by_its_number_and_is_held_for_it(world: World) -> None:
    placed = (await world.place()).json()

    paid = await world.send(
        "POST", "/v1/payments", "accounting", key="p1", json={**PAYMENT, "orders": [part(placed["number"])]}
    )

    assert paid.status_code == 201
    assert [one["order_id"] for one in paid.json()["deposits"]] == [placed["order_id"]]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"orders": [part("SO-9999")]}, 404, "ORDER_UNKNOWN"),
        ({"orders": [part("{number}", currency="EUR")]}, 409, "ORDER_CURRENCY_DIFFERS"),
        ({"orders": [part("{number}")], "customer_id": "cus_rival"}, 409, "ORDER_OF_ANOTHER_CUSTOMER"),
    ],
)
async def test_a_payment_for_an_order_that_is_not_its_payers_books_nothing(
    world: World, body: dict[str, Any], status: int, code: str
) -> None:
    number = (await world.place()).json()["number"]
    named = [{**one, "order_id": one["order_id"].format(number=number)} for one in body["orders"]]

    answer = await world.send("POST", "/v1/payments", "accounting", key="p1", json={**PAYMENT, **body, "orders": named})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert world.billing.payments == []


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("reversal", {"reason": "check bounced"}),
        ("reapply", {"reason": "meant for another order", "on_account": True}),
        ("refund", {"reason": "paid twice", "amount": {"amount": "1.00", "currency": "USD"}}),
    ],
)
async def test_a_payment_is_corrected_by_accounting_alone_and_once_a_key(
    world: World, act: str, body: dict[str, Any]
) -> None:
    paid = (await world.send("POST", "/v1/payments", "accounting", key="p1", json=PAYMENT)).json()
    path = f"/v1/payments/{paid['payment_id']}/{act}"
    before = world.billing.actions

    refused = await world.send("POST", path, "support", key="c1", json=body)
    answers = [await world.send("POST", path, "accounting", key="c1", json=body) for _ in range(2)]

    assert refused.status_code == 403
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert world.billing.actions == before + 1
    unknown = await world.send("POST", f"/v1/payments/pay_none/{act}", "accounting", key="c2", json=body)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "PAYMENT_NOT_FOUND")


async def test_the_money_of_an_order_is_read_by_its_customer(world: World) -> None:
    number = (await world.place()).json()["number"]

    money = (await world.send("GET", f"/v1/orders/{number}/money", "customer")).json()

    assert (money["held"]["amount"], money["waiting_on"]) == ("5.00", "cash")
