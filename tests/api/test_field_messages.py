"""Field errors are sentences for people, and codes for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.http.plumbing.field_messages import sentence
from tests.api.conftest import ORDER, World


def patterns(node: Any) -> Iterator[str]:
    """Every pattern of an OpenAPI document."""
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        for value in node.values():
            yield from patterns(value)
    elif isinstance(node, list):
        for value in node:
            yield from patterns(value)


async def test_every_pattern_of_the_api_has_words(world: World) -> None:
    document = (await world.send("GET", "/openapi.json")).json()
    unsaid = sentence({"type": "string_pattern_mismatch", "ctx": {"pattern": "no such"}, "msg": ""})

    found = {one: sentence({"type": "string_pattern_mismatch", "ctx": {"pattern": one}}) for one in patterns(document)}

    assert len(found) > 20
    assert [pattern for pattern, words in found.items() if words == unsaid] == []
    assert [words for words in found.values() if not words.startswith("must be")] == []


@pytest.mark.parametrize(
    ("changes", "pointer", "code", "words"),
    [
        ({"currency": "usd"}, "/currency", "STRING_PATTERN_MISMATCH", "must be a currency of three capital letters, such as USD"),
        ({"channel": "fax"}, "/channel", "LITERAL_ERROR", "must be one of web, phone, in_person, email, partner, edi, amazon, ebay, pos"),
        ({"surprise": 1}, "/surprise", "EXTRA_FORBIDDEN", "is not known here: leave it out"),
        ({"lines": [{"sku": "PUMP-100"}]}, "/lines/0/quantity", "MISSING", "is needed: write it"),
        ({"lines": [{"sku": "PUMP 100", "quantity": 1}]}, "/lines/0/sku", "STRING_PATTERN_MISMATCH",
         "must begin with a letter or digit and go on with letters, digits and _ . - /"),
        ({"lines": [{"sku": "PUMP-100", "quantity": 1.5}]}, "/lines/0/quantity", "INT_TYPE", "must be a whole number without quotes, such as 2"),
        ({"lines": [{"sku": "PUMP-100", "quantity": "2"}]}, "/lines/0/quantity", "INT_TYPE", "must be a whole number without quotes, such as 2"),
        ({"lines": [{"sku": "PUMP-100", "quantity": 0}]}, "/lines/0/quantity", "GREATER_THAN_EQUAL", "must be at least 1"),
        ({"lines": [{"sku": "PUMP-100", "quantity": 10**9}]}, "/lines/0/quantity", "LESS_THAN_EQUAL", "must be at most 1000000"),
        ({"lines": [{"sku": "PUMP-100", "quantity": 1, "unit_price": 129.0}]}, "/lines/0/unit_price", "STRING_TYPE", "must be text in quotes"),
        ({"lines": []}, "/lines", "TOO_SHORT", "must have at least one entry"),
        ({"lines": [{"sku": "PUMP-100", "quantity": 1}] * 2001}, "/lines", "TOO_LONG", "must have at most 2000 entries"),
        ({"lines": {}}, "/lines", "LIST_TYPE", "must be a list"),
        ({"lines": ["PUMP-100"]}, "/lines/0", "MODEL_ATTRIBUTES_TYPE", "must be an object with named members"),
        ({"ship_complete": "yes"}, "/ship_complete", "BOOL_TYPE", "must be true or false, without quotes"),
        ({"po_number": "x" * 65}, "/po_number", "STRING_TOO_LONG", "must have at most 64 characters"),
    ],
)  # fmt: skip
async def test_a_member_that_is_wrong_is_told_in_words_with_its_code(
    world: World, changes: dict[str, Any], pointer: str, code: str, words: str
) -> None:
    answer = await world.send("POST", "/v1/orders", "customer", key="k", json={**ORDER, **changes})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": pointer, "code": code, "detail": words}]


async def test_no_field_error_shows_a_regular_expression(world: World) -> None:
    wrong = {"currency": "1", "channel_ref": " ", "lines": [{"sku": "/", "quantity": 1, "unit_price": "1,5"}]}

    answer = await world.send("POST", "/v1/orders", "customer", key="k", json={**ORDER, **wrong})

    assert len(answer.json()["errors"]) >= 3
    assert "^" not in answer.text
    assert "pattern '" not in answer.text
