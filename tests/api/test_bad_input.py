from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from gateway.http.plumbing.body import MAX_BYTES
from services.orders.domain.access import EVERYTHING
from services.orders.store import overview
from tests.api.conftest import ORDER, World

GOOD = json.dumps(ORDER)
DEEP = b"[" * 200_000 + b"]" * 200_000


def _with(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new, 1).encode("utf-8", "surrogatepass")


RAW = {
    "nul": _with("PO-7781", "PO\\u0000"),
    "raw nul": _with("PO-7781", "PO\x00"),
    "lone surrogate": _with("PO-7781", "PO\\ud800"),
    "surrogate bytes": _with("PO-7781", "PO\ud800"),
    "c1 control": _with("Dallas", "Dal\x9blas"),
    "escape": _with("Dallas", "Dal\\u001blas"),
    "quantity 1e400": _with('"quantity": 4', '"quantity": 1e400'),
    "quantity NaN": _with('"quantity": 4', '"quantity": NaN'),
    "quantity Infinity": _with('"quantity": 4', '"quantity": Infinity'),
    "quantity 2^63": _with('"quantity": 4', '"quantity": 9223372036854775808'),
    "quantity 2^63-1": _with('"quantity": 4', '"quantity": 9223372036854775807'),
    "quantity 10^5000": _with('"quantity": 4', f'"quantity": {"9" * 5000}'),
    "quantity fraction": _with('"quantity": 4', '"quantity": 4.5'),
    "quantity true": _with('"quantity": 4', '"quantity": true'),
    "quantity text": _with('"quantity": 4', '"quantity": "4"'),
    "quantity negative": _with('"quantity": 4', '"quantity": -4'),
    "price number": _with('"129.00"', "129.00"),
    "price exponent": _with('"129.00"', '"1e2"'),
    "price NaN": _with('"129.00"', '"NaN"'),
    "price negative": _with('"129.00"', '"-1.00"'),
    "price arabic digits": _with('"129.00"', '"١٢٩"'),
    "price seven decimals": _with('"129.00"', '"1.1234567"'),
    "date of year 0": _with('"lines"', '"requested_on": "0000-01-01", "lines"'),
    "date as number": _with('"lines"', '"requested_on": 1e10, "lines"'),
    "date that is none": _with('"lines"', '"requested_on": "2026-02-30", "lines"'),
    "currency unknown": _with('"USD"', '"QQQ"'),
    "currency long": _with('"USD"', '"USDUSDUSD"'),
    "unknown member": _with('"lines"', '"total": "1.00", "lines"'),
    "member twice": _with('"lines"', '"currency": "USD", "lines"'),
    "no lines": json.dumps({**ORDER, "lines": []}).encode(),
    "many lines": json.dumps({**ORDER, "lines": ORDER["lines"] * 1001}).encode(),
    "null customer": json.dumps({**ORDER, "customer_id": None}).encode(),
    "long text": json.dumps({**ORDER, "note": "x" * 501}).encode(),
    "deep": DEEP,
    "deep member": GOOD[:-1].encode() + b', "x": ' + DEEP + b"}",
    "too large": b'"' + b"x" * (MAX_BYTES - 1) + b'"',
    "empty": b"",
    "not an object": b"[]",
    "half": GOOD[:-5].encode(),
    "utf-16": GOOD.encode("utf-16"),
}


@pytest.mark.parametrize("case", RAW)
async def test_a_bad_order_is_refused_as_a_problem_and_nothing_is_stored(world: World, case: str) -> None:
    headers = {"Content-Type": "application/json"}

    answer = await world.send("POST", "/v1/orders", "customer", key="k1", headers=headers, content=RAW[case])

    problem = answer.json()
    assert 400 <= answer.status_code < 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "code", "errors", "parameters"}
    with world.database.reading() as session:
        assert overview.count_by_status(session, EVERYTHING) == {}


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "k\x7f", "é"])
async def test_a_bad_key_is_refused(world: World, key: str) -> None:
    headers = {"Idempotency-Key": key.encode()}

    answer = await world.send("POST", "/v1/orders", "customer", headers=headers, json=ORDER)

    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/orders?limit=0", 422),
        ("/v1/orders?limit=9223372036854775808", 422),
        ("/v1/orders?limit=NaN", 422),
        ("/v1/orders?statsu=received", 422),
        ("/v1/orders?status=received&status=accepted", 422),
        ("/v1/orders?=1", 422),
        ("/v1/orders?cursor=%00", 400),
        ("/v1/orders?cursor=abc", 422),
        ("/v1/orders?cursor=W10=", 422),
        # a cursor of our own making, with a total of 10^30, then with a lone surrogate as the customer
        ("/v1/orders?sort=-total&cursor=WyItdG90YWwiLCAxMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMCwgIngiXQ==", 422),
        ("/v1/orders?sort=customer&cursor=WyJjdXN0b21lciIsICJcdWQ4MDAiLCAieCJd", 422),
        ("/v1/orders?q=%ed%a0%80", 400),
        ("/v1/orders?q=%1b", 400),
        ("/v1/orders?sort=number;drop", 422),
        ("/v1/orders?placed_from=0001-01-01T00:00:00%2B14:00", 422),
        ("/v1/orders?placed_from=9999-12-31T23:59:59-14:00", 422),
        ("/v1/orders?placed_from=12345", 422),
        ("/v1/orders/%00", 400),
        ("/v1/orders/" + "a" * 65, 404),
        ("/v1/orders/..%2f..%2fetc", 404),
        ("/v1/orders/ord_1/history?cursor=99999999999999999999", 422),
        ("/v1/policies?cursor=٣", 422),
        ("/v1/policies?cursor=0", 422),
        ("/v1/prices?cursor=a~b", 422),
        ("/v1/nowhere", 404),
    ],
)
async def test_a_bad_address_is_refused(world: World, path: str, status: int) -> None:
    answer = await world.send("GET", path, "admin")

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("accounting", "/v1/payments"),
        ("admin", "/v1/customers"),
        ("admin", "/v1/products"),
        ("admin", "/v1/people"),
        ("admin", "/v1/prices"),
        ("admin", "/v1/delegations"),
        ("support", "/v1/orders/{order_id}/changes"),
        ("warehouse", "/v1/recalls"),
        ("support", "/v1/backorders"),
    ],
)
async def test_a_cursor_that_the_list_never_gave_is_refused(world: World, role: str, path: str) -> None:
    path = path.format(order_id=(await world.place()).json()["order_id"])
    # made up; an object; another list's; right but not as we write it; a lone surrogate; a key that is no text
    name = path.rsplit("/", 1)[-1]
    documents = ("{}", '["orders", "a"]', f'["{name}","a"]', f'["{name}", "\\ud800"]', f'["{name}", 1]')
    made_up = ["zzz", "\x21", *(base64.urlsafe_b64encode(each.encode()).decode() for each in documents)]
    ours = base64.urlsafe_b64encode(f'["{name}", "a~b~c~2026-01-01~1~USD"]'.encode()).decode()

    answers = [await world.send("GET", path, role, params={"cursor": cursor}) for cursor in made_up]
    good = await world.send("GET", path, role, params={"cursor": ours})

    assert [(each.status_code, each.json().get("code")) for each in answers] == [(422, "CURSOR_INVALID")] * 7
    assert good.status_code == 200


async def test_the_wrong_method_names_all_the_right_ones(world: World) -> None:
    answer = await world.send("DELETE", "/v1/orders", "admin")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


PRICE = (
    "must be an amount of at least 0 as text, without thousands separators and with at most 6 decimals, such as 129.00"
)
SKU = "must begin with a letter or digit and go on with letters, digits and _ . - /"


@pytest.mark.parametrize(
    ("member", "value", "sentence"),
    [
        ("unit_cost", "-3", PRICE),
        ("unit_cost", "1,50", PRICE),
        ("currency", "usd", "must be a currency of three capital letters, such as USD"),
        ("sku", "PUMP 100", SKU),
        ("sku", "", SKU),
    ],
)
async def test_a_figure_or_code_in_the_wrong_shape_is_told_what_to_write_and_no_pattern(
    world: World, member: str, value: str, sentence: str
) -> None:
    receipt = {"sku": "PUMP-100", "warehouse_id": "W1", "quantity": 1, "unit_cost": "3", "currency": "USD"}

    answer = await world.send("POST", "/v1/stock/receipts", "warehouse", key="r", json={**receipt, member: value})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": f"/{member}", "code": "STRING_PATTERN_MISMATCH", "detail": sentence}]


async def test_a_text_that_is_missing_is_told_so(world: World) -> None:
    answer = await world.send("POST", "/v1/orders/ord_1/cancellation", "support", key="c", json={"reason": ""})

    assert [error["detail"] for error in answer.json()["errors"]] == ["must not be empty"]


@pytest.mark.parametrize("version", ["x", "-1", "1.5", "99999999999"])
async def test_a_bad_if_match_is_refused(world: World, version: str) -> None:
    more: dict[str, Any] = {"headers": {"If-Match": version}, "json": {"reason": "x"}}

    answer = await world.send("POST", "/v1/orders/ord_1/cancellation", "support", key="c", **more)

    assert answer.status_code == 422


async def test_goods_of_a_parcel_are_credited_and_a_match_that_replaces_them_is_refused(world: World) -> None:
    line = {"line_id": "1", "quantity": 1, "reason": "other", "replace": {"sku": "PUMP"}}

    refused = await world.send(
        "POST", "/v1/parcels/PCL-1001/match", "support", key="m", json={"order": "SO-1001", "lines": [line]}
    )

    assert (refused.status_code, [one["pointer"] for one in refused.json()["errors"]]) == (422, ["/lines/0/replace"])
