"""Exchange rates over HTTP: accounting enters them, staff reads them."""

from __future__ import annotations

import pytest

from tests.api.conftest import World

RATE = {"from_currency": "KWD", "to_currency": "USD", "rate": "3.2485", "valid_from": "2026-12-01"}


async def test_a_rate_is_entered_replaced_and_listed_in_pages(world: World) -> None:
    for rate, day in (("3.20", "2026-11-01"), ("3.0", "2026-12-01"), ("3.2485", "2026-12-01")):
        made = await world.send(
            "POST", "/v1/exchange-rates", "accounting", json={**RATE, "rate": rate, "valid_from": day}
        )
        assert made.status_code == 200, made.text

    first = (await world.send("GET", "/v1/exchange-rates?limit=1", "auditor")).json()
    rest = (await world.send("GET", f"/v1/exchange-rates?limit=1&cursor={first['next_cursor']}", "auditor")).json()

    assert [(row["rate"], row["valid_from"]) for row in (*first["rows"], *rest["rows"])] == [
        ("3.20", "2026-11-01"),
        ("3.2485", "2026-12-01"),
    ]
    assert rest["rows"] == [{**RATE, "version": 2}]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("role", ["admin", "approver", "support", "customer"])
async def test_nobody_but_accounting_enters_a_rate(world: World, role: str) -> None:
    assert (await world.send("POST", "/v1/exchange-rates", role, json=RATE)).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"to_currency": "KWD"}, "EXCHANGE_RATE_OF_ITSELF"),
        ({"rate": "0"}, "EXCHANGE_RATE_OUT_OF_RANGE"),
        ({"to_currency": "XXX"}, "CURRENCY_UNKNOWN"),
        ({"rate": "-1"}, "INVALID_REQUEST"),
    ],
)
async def test_a_rate_that_cannot_be_is_refused(world: World, wrong: dict[str, str], code: str) -> None:
    answer = await world.send("POST", "/v1/exchange-rates", "accounting", json={**RATE, **wrong})

    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_policy_says_its_currency_or_the_companys(world: World) -> None:
    rule = {"code": "BIG", "when": "order.total > 20000.0", "severity": "WARN", "message": "Big."}
    in_euros = await world.send("POST", "/v1/policies", "admin", json={"rules": [rule], "currency": "EUR"})
    plain = await world.send("POST", "/v1/policies", "admin", json={"rules": [rule]})

    assert (in_euros.json()["currency"], plain.json()["currency"]) == ("EUR", None)
